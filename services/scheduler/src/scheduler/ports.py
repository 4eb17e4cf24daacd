"""What the scheduler needs of the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignDue, CampaignEvent


class Timers(Protocol):
    """Each campaign's newest state, and which occurrences have fired."""

    async def fold(self, campaigns: Sequence[Envelope[CampaignEvent]]) -> None:
        """Take the states that are newer than what is known."""

    async def due(self, *, at: datetime, limit: int) -> list[Envelope[CampaignEvent]]:
        """Return the campaigns whose time has come, and hold them for this transaction."""

    async def fire(self, run: CampaignDue) -> bool:
        """Mark the occurrence as fired; False when it had been already."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(self, *events: CampaignDue, because: UUID | None = None) -> None:
        """Let events leave when the transaction commits."""
