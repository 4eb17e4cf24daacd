"""What the projections have made of the log; a moment behind it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.events.consent import ReviewStatus
from gateway.domain.views import Message, Progress, Run, Unknown
from readmodels.views import (
    ActivityState,
    ActivityView,
    ChargeBucket,
    ErrorCount,
    HeldActivities,
    HourCount,
    OptOutView,
    QueuedView,
    ReviewView,
    RowStatus,
    SkippedView,
    UsageView,
)


class RunModels(Protocol):
    """Runs and their messages."""

    async def run(self, organization_id: UUID, run_id: UUID) -> Run | None:
        """Return a run."""

    async def runs_of(self, organization_id: UUID, campaign_id: UUID) -> list[Run]:
        """Return a campaign's runs, the newest first."""

    async def skipped(self, organization_id: UUID, campaign_id: UUID) -> list[SkippedView]:
        """Return a recurring campaign's times that passed unused."""

    async def progress(self, organization_id: UUID, run_id: UUID) -> Progress | None:
        """Return how far a run is, at little cost."""

    async def run_errors(self, organization_id: UUID, run_id: UUID) -> list[ErrorCount]:
        """Return what a run's texts failed for, the most frequent first."""

    async def run_hours(self, organization_id: UUID, run_id: UUID) -> list[HourCount]:
        """Return a run's messages by the hour of the attempt and their status."""

    async def messages(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        status: RowStatus | None,
        after_row: int | None,
        limit: int,
    ) -> list[Message]:
        """Return some of a run's messages, by row."""

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        """Return a message."""

    async def activities(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        state: ActivityState | None,
        after_row: int | None,
        limit: int,
    ) -> list[ActivityView]:
        """Return what became in iMIS of up to `limit` of a run's rows; a row's all or none."""


class OrganizationModels(Protocol):
    """An organisation's figures, and who may not be texted."""

    async def usage(
        self,
        organization_id: UUID,
        *,
        day_start: datetime,
        day_end: datetime,
        month_start: datetime,
        at: datetime,
    ) -> UsageView:
        """Return what the organisation has sent."""

    async def charges(
        self, organization_id: UUID, start: datetime, end: datetime
    ) -> list[ChargeBucket]:
        """Return what was attempted in a time, by quarters of an hour and by what it came to."""

    async def campaign_names(
        self, organization_id: UUID, campaign_ids: Sequence[UUID]
    ) -> dict[UUID, str]:
        """Return campaigns' names, deleted ones' too."""

    async def queued(self, organization_id: UUID, from_number: str) -> QueuedView:
        """Return what waits to leave from a number."""

    async def opt_outs(
        self, organization_id: UUID, *, after: UUID | None, limit: int
    ) -> list[OptOutView]:
        """Return numbers that may not be texted, by id."""

    async def opt_out(
        self, organization_id: UUID, number: str, from_number: str
    ) -> OptOutView | None:
        """Return why a number may not be texted from another; None when it may."""

    async def reviews(
        self,
        organization_id: UUID,
        *,
        status: ReviewStatus | None,
        after: UUID | None,
        limit: int,
    ) -> list[ReviewView]:
        """Return texts that a person has to read, or has read, the latest first."""

    async def review(self, organization_id: UUID, review_id: UUID) -> ReviewView | None:
        """Return a text that a person has to read."""

    async def activities_held(self, organization_id: UUID) -> HeldActivities | None:
        """Return why nothing is written to the organisation's iMIS, if that is so."""

    async def change_marker(self, organization_id: UUID) -> int:
        """Return a number that changes with anything of the organisation."""


class DoubtModels(Protocol):
    """Messages of which nobody can tell what became of them."""

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        """Return unknown messages, the oldest first; all organisations' if None: for operators."""

    async def whose(self, message_id: UUID) -> UUID | None:
        """Return the organisation that a message belongs to: for operators."""

    async def unknown_message(self, organization_id: UUID, message_id: UUID) -> Unknown | None:
        """Return a message if nobody knows what became of it."""


class ReadModels(RunModels, OrganizationModels, DoubtModels, Protocol):
    """All that the gateway reads of the projections."""
