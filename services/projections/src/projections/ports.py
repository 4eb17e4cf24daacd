"""What the projections need of the outside: the tables of the read models."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.events.campaign import CampaignStatus, Mode
from projections.domain import Figures, Row, RowFact
from readmodels.views import ActivityState, RunState


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """A campaign's state, by its sequence."""

    campaign_id: UUID
    organization_id: UUID
    name: str
    status: CampaignStatus
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """What an event says about a run; None where it says nothing."""

    run_id: UUID
    organization_id: UUID
    campaign_id: UUID
    name: str | None = None
    occurrence: str | None = None
    mode: Mode | None = None
    from_number: str | None = None
    due_at: datetime | None = None
    state: RunState = RunState.PREPARING
    state_sequence: int = 0
    failure: str | None = None
    rows: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody can tell what became of a message, and why."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    doubt: str
    doubt_sequence: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What became of a message's activity in iMIS."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    activity_state: ActivityState
    activity_seqn: str | None
    activity_sequence: int


class ReadModels(Protocol):
    """The tables, within one transaction."""

    async def hold(self, facts: Sequence[RowFact]) -> dict[UUID, Row]:
        """Return the rows that the facts are about, held for this transaction."""

    async def keep(self, rows: Collection[tuple[RowFact, Row]]) -> None:
        """Keep rows as they are now; the facts, all of one type, describe them."""

    async def add(self, figures: Figures) -> None:
        """Add to the figures."""

    async def keep_campaigns(self, facts: Sequence[CampaignFact]) -> None:
        """Keep each campaign's newest state."""

    async def keep_runs(self, facts: Sequence[RunFact]) -> None:
        """Add to what is known of runs; the state of the highest sequence stays."""

    async def keep_doubts(self, facts: Sequence[Doubt]) -> None:
        """Keep each message's newest doubt."""

    async def keep_activities(self, facts: Sequence[Activity]) -> None:
        """Keep the newest that is known of each message's activity."""
