"""What the imis-writer needs of the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.message import MessageQueued, MessageStatusChanged
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.doubts import Candidate, Surroundings
from imis_writer.domain.effects import Change, Effect, LoginRefused, NoAnswer, Outcome


class Intake(Protocol):
    """Takes the two facts about each text, in any order, within one transaction."""

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        """Know what is to be written."""

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that the texts were sent; the earliest fact counts."""


class Ledger(Protocol):
    """What was written, what is to be, and what is in doubt."""

    async def recover(self, *, at: datetime, look_at: datetime) -> int:
        """Put the claims of dead processes in doubt, to be looked at then; returns how many."""

    async def organizations(self, *, at: datetime) -> list[UUID]:
        """Return the organisations with something to do now."""

    async def claim(
        self, organization_id: UUID, *, at: datetime, lease_until: datetime, limit: int
    ) -> list[Effect]:
        """Claim what is ready for this process; it is committed on return."""

    async def doubts(self, organization_id: UUID, *, at: datetime, limit: int) -> list[Effect]:
        """Return the effects in doubt that may be looked for now."""

    async def around(self, organization_id: UUID, imis_ids: Sequence[str]) -> Surroundings:
        """Return what is known about these members' activities."""

    async def record(self, changes: Sequence[Change]) -> None:
        """Keep what became of effects, each unless somebody else decided meanwhile."""


class Site(Protocol):
    """One organisation's iMIS."""

    async def write(self, effect: Effect) -> Outcome:
        """Write an activity, in one request."""

    async def find(self, imis_id: str) -> list[Candidate] | NoAnswer | LoginRefused:
        """Return a member's activities of our kind."""


class NoAccess(Exception):
    """The organisation's settings don't lead to its iMIS."""


class Sites(Protocol):
    """Every organisation's iMIS."""

    async def site(self, organization: OrganizationSettingsChanged) -> Site:
        """Return the iMIS that these settings lead to; raises `NoAccess`."""

    async def forget(self, organization_id: UUID) -> None:
        """Begin anew with this organisation, its login included."""


class Organizations(Protocol):
    """The newest settings of each organisation."""

    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        """Return an organisation's settings, if they have arrived."""
