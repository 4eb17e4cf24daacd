"""What the imis-writer needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.activity import ActivityRetryRequested
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageQueued, MessageStatusChanged, RecipientExcluded
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from imis_writer.domain.doubts import Answer, Question, Surroundings
from imis_writer.domain.effects import Effect
from imis_writer.domain.outcomes import Change, Outcome


class Intake(Protocol):
    """Takes the facts about each text, in any order, within one transaction."""

    async def settings(
        self, organizations: Collection[UUID]
    ) -> Mapping[UUID, OrganizationSettings]:
        """Return the newest settings of those organisations whose have arrived."""

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        """Know what is to be written, and of whom an opt-out is to be told."""

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that the texts were sent; the earliest fact counts."""

    async def refused(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that Twilio didn't send these, because their members have opted out."""

    async def excluded(self, excluded: Sequence[Envelope[RecipientExcluded]]) -> None:
        """Know that these were left out, because their members have opted out."""

    async def consents(self, consents: Sequence[Envelope[ConsentChanged]]) -> None:
        """Have what a START undoes deleted, and tell of a STOP at once where that is wanted."""

    async def retry(self, requests: Sequence[Envelope[ActivityRetryRequested]]) -> None:
        """Make ready again what was refused; the same request again changes nothing."""


class Ledger(Protocol):
    """What was written, what is to be, and what is in doubt."""

    async def recover(self, *, at: datetime, look_at: datetime) -> int:
        """Put the claims of dead processes in doubt, to be looked at then; returns how many."""

    async def organizations(self, *, at: datetime) -> list[UUID]:
        """Return the organisations with something to do now, and an account to do it by."""

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

    async def hold(
        self, organization: OrganizationSettingsChanged, reason: str, *, at: datetime
    ) -> None:
        """Leave iMIS alone until the settings are newer than these; it is told once."""

    async def held(self, organization: OrganizationSettingsChanged) -> bool:
        """Whether iMIS refused the account that these settings hold."""


class Site(Protocol):
    """One organisation's iMIS."""

    async def write(self, effect: Effect) -> Outcome:
        """Write an effect or delete it, in one request."""

    async def ask(self, question: Question) -> Answer:
        """Look for what may have been done."""


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
