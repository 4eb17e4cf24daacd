"""What the status service needs of the outside."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent
from contracts.events.message import MessageStatusChanged
from contracts.events.organization import OrganizationSettings
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunAlarm, RunEvent
from status.domain.folding import Refusal
from status.domain.looking import Answer
from status.domain.message import Message
from status.domain.run import Run, Tally
from status.domain.spike import Campaign, Outcomes

CallbackEnvelope = Envelope[TwilioCallbackReceived]


class AccountAway(Exception):
    """Twilio can't be asked for this account now; perhaps after `seconds`."""

    def __init__(self, reason: str, *, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class AccountRefused(AccountAway):
    """Twilio doesn't take the account's credentials, or there are none: somebody must act."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many messages from one number that are due to be asked for."""

    from_number: str
    due: int
    oldest_sent_at: datetime


class Messages(Protocol):
    """What is known of each message."""

    async def hold(self, message_ids: Collection[UUID]) -> dict[UUID, Message]:
        """Return what is known, and let nobody else change it before this transaction ends."""

    async def keep(self, messages: Mapping[UUID, Message]) -> None:
        """Keep what is known now, and when Twilio is to be asked about it."""

    async def named_by(self, sids: Collection[str]) -> dict[str, UUID]:
        """Return the messages that Twilio's answers gave these SIDs."""

    async def park(self, callbacks: Sequence[CallbackEnvelope]) -> None:
        """Keep reports until an answer gives a message their SID."""

    async def unpark(self, sids: Collection[str]) -> list[CallbackEnvelope]:
        """Take out the reports that wait for these SIDs."""


class Runs(Protocol):
    """How far each run has come."""

    async def count_once(self, facts: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        """Return which of these facts (subject, number) were never counted; now they are."""

    async def add(self, tallies: Mapping[UUID, Tally]) -> list[Run]:
        """Add to the runs, and return them as they are now, held for this transaction."""

    async def keep(self, runs: Sequence[Run]) -> None:
        """Keep what runs came to: their phase, their alarms, since when they wait."""

    async def silent_since(self, before: datetime) -> list[Run]:
        """Return runs that have waited since before then, held for this transaction."""


class Campaigns(Protocol):
    """Each campaign's newest outcomes, and what staff decided about its texts."""

    async def follow(self, events: Sequence[CampaignEvent]) -> None:
        """Take what became of campaigns; what is not newer changes nothing."""

    async def add(self, outcomes: Mapping[UUID, Outcomes]) -> list[Campaign]:
        """Count outcomes; returns the campaigns some of whose texts failed, held."""

    async def keep(self, campaigns: Sequence[Campaign]) -> None:
        """Keep campaigns' errors, and whether a spike was told."""

    async def kept_back(self, campaigns: Collection[UUID]) -> set[UUID]:
        """Return which of these are paused or cancelled."""

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        """Return these organisations' settings, as far as they have arrived."""


class Lookouts(Protocol):
    """Which messages are to be asked for; each call is one transaction."""

    async def due_organizations(self, *, at: datetime) -> list[UUID]:
        """Return whose messages are due and whose account may be asked."""

    async def lease(self, organization_id: UUID, *, at: datetime, until: datetime) -> bool:
        """Keep other processes from asking for an account; False when another does."""

    async def rest(self, organization_id: UUID, *, until: datetime) -> None:
        """Let go of an account, which nobody is to ask before then."""

    async def crowd(self, organization_id: UUID, *, at: datetime, least: int) -> Crowd | None:
        """Return the number with most due messages, if they are so many."""

    async def due(self, organization_id: UUID, *, at: datetime, limit: int) -> list[str]:
        """Return the SIDs that have been due for longest."""

    async def take(
        self, organization_id: UUID, answers: Sequence[Answer], *, due: datetime, at: datetime
    ) -> int:
        """Tell what is new in the answers about messages that were due; returns how many were."""

    async def put_off(self, organization_id: UUID, sids: Sequence[str], *, until: datetime) -> None:
        """Ask later for texts that got no answer, as if nobody had asked."""


class Account(Protocol):
    """One organisation's Twilio account, asked no more often than it may be."""

    async def ask(self, sid: str) -> Answer:
        """Return what Twilio says of one text; raises `AccountAway`."""

    def sent_from(self, from_number: str, since: datetime) -> AsyncGenerator[list[Answer]]:
        """Yield what Twilio says of all texts from a number, newest first, page by page.

        Raises `AccountAway`.
        """


class Accounts(Protocol):
    """Every organisation's Twilio account."""

    async def of(self, organization_id: UUID) -> Account:
        """Return the organisation's account; raises `AccountRefused` while it has none."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(
        self, *events: MessageStatusChanged | RunEvent, because: UUID | None = None
    ) -> None:
        """Let events leave when the transaction commits."""


class Watch(Protocol):
    """Whoever must hear of what should not happen."""

    def refused(self, refusal: Refusal, *, message_id: UUID) -> None:
        """A report was not the message's."""

    def unmapped(self, status: str) -> None:
        """Twilio reported a status that this version doesn't know."""

    def not_found(self, message_id: UUID) -> None:
        """Twilio doesn't know a text that it once accepted."""

    def account_refused(self, organization_id: UUID) -> None:
        """Twilio can't be asked with an organisation's credentials."""

    def alarmed(self, run_id: UUID, alarm: RunAlarm) -> None:
        """Somebody has to look at a run."""
