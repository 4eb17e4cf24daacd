"""What the scheduler needs of the outside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings


class Timers(Protocol):
    """Each campaign's newest state, and which occurrences have fired."""

    async def fold(self, campaigns: Sequence[Envelope[CampaignEvent]]) -> None:
        """Take the states that are newer than what is known."""

    async def due(self, *, at: datetime, limit: int) -> list[Envelope[CampaignEvent]]:
        """Return the campaigns whose time has come, and hold them for this transaction."""

    async def fire(self, run: CampaignDue) -> bool:
        """Mark the occurrence as fired; False when it had been already."""


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

    def publish(self, *events: CampaignDue, because: UUID | None = None) -> None:
        """Let events leave when the transaction commits."""
