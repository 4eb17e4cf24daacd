"""Campaigns, their previews, and commands about their runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from contracts.events.campaign import CampaignEvent, CampaignKind, CampaignStatus
from gateway.domain.records import Decision, Preview


class Campaigns(Protocol):
    """Campaigns and their events."""

    async def get(
        self, organization_id: UUID, campaign_id: UUID, *, hold: bool = False
    ) -> Envelope[CampaignEvent] | None:
        """Return a campaign's state; `hold` keeps others from changing it meanwhile."""

    async def held(self, campaign_ids: Sequence[UUID]) -> dict[UUID, Envelope[CampaignEvent]]:
        """Return campaigns' states, held for this transaction; for the system's own events."""

    async def save(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        """Append events; two with one sequence can't both be kept."""

    async def page(
        self,
        organization_id: UUID,
        *,
        status: CampaignStatus | None,
        kind: CampaignKind | None = None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        """Return campaigns, the newest first, without the deleted ones."""

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        """Return the campaign whose newest launch is this run."""

    async def history(
        self, organization_id: UUID, campaign_id: UUID, *, after: int, limit: int
    ) -> list[CampaignEvent]:
        """Return some of a campaign's events after a sequence, the oldest first."""

    async def heard(self, runs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        """Return the newest sequence that each source told of a run and that was heeded."""

    async def hear(self, sequences: Mapping[tuple[UUID, str], int]) -> None:
        """Keep what was heeded of runs."""

    async def aged(
        self, changed_before: Mapping[UUID, datetime], *, limit: int
    ) -> list[Envelope[CampaignEvent]]:
        """Return some campaigns that are over since before their organisation's moment; held."""

    async def awaiting(self, *, after: UUID | None, limit: int) -> list[Envelope[CampaignEvent]]:
        """Return some scheduled recurring campaigns of all organisations, by id; held."""

    async def counts(self, organization_id: UUID) -> dict[CampaignStatus, int]:
        """Return how many campaigns have each status."""


class Previews(Protocol):
    """Previews asked for and received."""

    async def ask(self, request: AudiencePreviewRequested) -> None:
        """Keep what was asked."""

    async def receive(self, results: Sequence[AudiencePreviewed]) -> None:
        """Keep what came; the first answer to each stays."""

    async def progress(self, events: Sequence[AudiencePreviewProgressed]) -> None:
        """Keep how far previews have come; a preview never goes back."""

    async def forget(self, *, before: datetime) -> None:
        """Drop previews that were asked for before then."""

    async def newest(
        self, organization_id: UUID, campaign_id: UUID, question: str, *, since: datetime
    ) -> Preview | None:
        """Return the newest preview that asked the same and has been answered without failure."""

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        """Return a preview."""


class Commands(Protocol):
    """Commands about runs and messages: what was asked for so far, and in which order."""

    async def next_of_run(self, organization_id: UUID, run_id: UUID) -> int:
        """Return the number of the next command about a run."""

    async def decision(self, organization_id: UUID, message_id: UUID) -> Decision | None:
        """Return the newest decision about a message, held for this transaction."""

    async def decide(self, organization_id: UUID, message_id: UUID, decision: Decision) -> bool:
        """Keep a decision; False when another one was faster."""


class Queries(Protocol):
    """What is known of organisations' queries since they were last read."""

    async def prompts(self, organization_id: UUID, path: str) -> tuple[str, ...]:
        """Return the prompts that a query has no default for; none when it was never read."""

    async def keep(self, organization_id: UUID, path: str, prompts: Sequence[str]) -> None:
        """Keep what a query asks for."""
