"""What the scheduler needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.events.campaign import CampaignDue, OccurrencesSkipped
from contracts.events.organization import OrganizationSettings
from scheduler.domain.timer import Timer


class Timers(Protocol):
    """Each campaign's timer, and which occurrences have fired."""

    async def known(self, campaigns: Collection[UUID]) -> dict[UUID, Timer]:
        """Return the timers of these campaigns, and hold them for this transaction."""

    async def due(self, *, at: datetime, limit: int) -> list[Timer]:
        """Return the timers whose time has come, and hold them for this transaction."""

    async def keep(self, timers: Sequence[Timer]) -> None:
        """Keep these timers; one of a newer state of its campaign stays as it is."""

    async def fire(self, runs: Sequence[CampaignDue]) -> set[UUID]:
        """Mark occurrences as fired; returns the runs of those that had not been before."""


class Lifecycle(Protocol):
    """The log of what becomes of campaigns."""

    async def read_to_end(self) -> bool:
        """Whether all that was there when asked is in the timers; False when in doubt."""


class Desk(Protocol):
    """The scheduler's own database."""

    async def soonest(self) -> datetime | None:
        """Return when the next campaign is due."""

    async def settings(self) -> Mapping[UUID, OrganizationSettings]:
        """Return every organisation's settings."""

    def work(self) -> AbstractAsyncContextManager[tuple[Timers, "Outbox"]]:
        """Change timers and let events leave, together; nothing else may be awaited inside."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(
        self, *events: CampaignDue | OccurrencesSkipped, because: UUID | None = None
    ) -> None:
        """Let events leave when the transaction commits."""
