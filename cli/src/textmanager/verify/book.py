"""What the log says of each run and of each message, each event taken once, in any order."""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from contracts.events.activity import ActivityDeleted, ActivityEvent, ActivityWritten
from contracts.events.audience import (
    AudienceFailed,
    Recipient,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue, Mode
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    Outcome,
    RecipientExcluded,
    SingleText,
)
from contracts.events.provider import (
    TwilioCallbackReceived,
    TwilioMessageReceived,
    TwilioStatusPolled,
)
from contracts.events.run import RunCompleted, RunFailed, RunResent
from textmanager.eventlog import Logged

MOST_DIFFERENT = 100
_TOLD_ANEW: dict[type[Event], set[str]] = {
    TwilioCallbackReceived: {"occurred_at", "form"},
    TwilioMessageReceived: {"occurred_at", "form"},
}
"""What may differ when Twilio says the same again: such a fact's id derives from the rest."""


class Content(NamedTuple):
    """What a message is to be; the person's data only as a hash of this process."""

    imis_id: str
    numbers_and_text: int
    segments: int


class Status(NamedTuple):
    """A status that was told."""

    status: str
    sid: str | None


@dataclass(slots=True)
class Chain:
    """One message, from the page that named it to its activity."""

    message_id: UUID
    run_id: UUID | None = None
    recipient_id: UUID | None = None
    row: int | None = None
    resolved: Content | None = None
    queued: Content | None = None
    mode: Mode = Mode.LIVE
    supersedes: UUID | None = None
    excluded: str | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    reports: set[tuple[str, str]] = field(default_factory=set)
    """What Twilio told of it: the SID and the word."""
    effects: dict[UUID, str] = field(default_factory=dict)
    seqns: dict[str, set[str]] = field(default_factory=dict)
    """The activities that iMIS was given, by kind; one each is right."""
    deleted: set[str] = field(default_factory=set)
    """Those that are gone again, as their members subscribed anew."""

    @property
    def outcome(self) -> Outcome | None:
        """The newest answer to the sender's request."""
        return self.outcomes[max(self.outcomes)] if self.outcomes else None

    @property
    def status(self) -> Status | None:
        """The newest status."""
        return self.statuses[max(self.statuses)] if self.statuses else None

    @property
    def sids(self) -> set[str]:
        """The SIDs under which Twilio took it; one is right."""
        return {each.sid for each in self.outcomes.values() if isinstance(each, Accepted)}


@dataclass(slots=True)
class Run:
    """One run, from CampaignDue to its end."""

    run_id: UUID
    due: list[CampaignDue] = field(default_factory=list)
    pages: dict[int, int] = field(default_factory=dict)
    """How many recipients each page has."""
    totals: Totals | None = None
    rejected: dict[int, UUID] = field(default_factory=dict)
    rejected_count: int = 0
    failed: bool = False
    completed: list[RunCompleted] = field(default_factory=list)
    resent: RunResent | None = None
    single: bool = False
    """Whether it is one text outside all campaigns, which nobody scheduled."""

    @property
    def over(self) -> bool:
        """Whether the log says that nothing more is to come but deliveries."""
        return self.failed or bool(self.completed)


@dataclass(slots=True)
class Book:
    """The whole log, as far as it was taken in."""

    runs: dict[UUID, Run] = field(default_factory=dict)
    chains: dict[UUID, Chain] = field(default_factory=dict)
    events: dict[UUID, int] = field(default_factory=dict)
    """Each event's id, with a hash of what it says."""
    causes: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    """The causing event's id and the caused one's type, until the cause was met."""
    repeats: int = 0
    altered: list[str] = field(default_factory=list)
    """Events whose id was met with two contents."""
    _early: list[tuple[UUID, str, str]] = field(default_factory=list)

    def take(self, logged: Logged) -> None:
        """Take one record in; one that came again must say the same."""
        envelope = logged.envelope
        said = hash(envelope.event.model_dump_json(exclude=_TOLD_ANEW.get(type(envelope.event))))
        if (known := self.events.get(envelope.id)) is not None:
            self.repeats += 1
            if known != said and len(self.altered) < MOST_DIFFERENT:
                self.altered.append(f"{envelope.event.type} {envelope.id}")
            return
        self.events[envelope.id] = said
        self.causes.pop(envelope.id, None)
        cause = envelope.causation_id
        if cause is not None and cause not in self.events:
            self.causes[cause] = (envelope.id, envelope.event.type)
        self._enter(envelope.event)

    def run(self, run_id: UUID) -> Run:
        """Return what is known of a run."""
        return self.runs.setdefault(run_id, Run(run_id))

    def chain(self, message_id: UUID) -> Chain:
        """Return what is known of a message."""
        return self.chains.setdefault(message_id, Chain(message_id))

    def _enter(self, event: Event) -> None:
        match event:
            case CampaignDue():
                self.run(event.run_id).due.append(event)
            case RecipientsResolved():
                self._page(event)
            case AudienceFailed() | RunFailed():
                self.run(event.run_id).failed = True
            case RecipientRejected():
                run = self.run(event.run_id)
                run.rejected_count += 1
                run.rejected[event.row] = event.recipient_id
            case RunResent():
                self.run(event.run_id).resent = event
            case SingleText():
                self._single(event)
            case RunCompleted():
                self.run(event.run_id).completed.append(event)
            case _:
                self._of_message(event)

    def _page(self, page: RecipientsResolved) -> None:
        run = self.run(page.run_id)
        run.pages[page.sequence] = len(page.recipients)
        run.totals = page.totals or run.totals
        for each in page.recipients:
            chain = self.chain(each.message_id)
            chain.run_id, chain.row = page.run_id, each.row
            chain.recipient_id = each.recipient_id
            chain.resolved = _content(each, page.from_number)

    def _single(self, text: SingleText) -> None:
        self.run(text.run_id).single = True
        chain = self.chain(text.message_id)
        chain.run_id, chain.row = text.run_id, 1
        chain.recipient_id = text.recipient_id
        chain.resolved = _content(text, text.from_number)

    def _of_message(self, event: Event) -> None:
        match event:
            case MessageQueued():
                chain = self.chain(event.message_id)
                chain.run_id, chain.row = event.run_id, event.row
                chain.recipient_id, chain.mode = event.recipient_id, event.mode
                chain.supersedes = event.supersedes
                chain.queued = _content(event, event.from_number)
            case RecipientExcluded():
                chain = self.chain(event.message_id)
                chain.run_id, chain.row = event.run_id, event.row
                chain.recipient_id = event.recipient_id
                chain.excluded = str(event.reason)
            case MessageSubmitted():
                self.chain(event.message_id).outcomes[event.sequence] = event.outcome
            case MessageStatusChanged():
                told = Status(str(event.status), event.sid)
                self.chain(event.message_id).statuses[event.sequence] = told
            case TwilioCallbackReceived() | TwilioStatusPolled() if event.message_id is not None:
                # A callback alone makes no message ours: a signature proves an account.
                if event.message_id in self.chains or isinstance(event, TwilioStatusPolled):
                    self._report(event.message_id, event.message_sid, event.message_status)
                else:
                    self._early.append((event.message_id, event.message_sid, event.message_status))
            case ActivityEvent():
                self._effect(event)
            case _:
                pass

    def close(self) -> None:
        """Give the reports that were read before their messages to them; the log is at its end."""
        for message_id, sid, word in self._early:
            if message_id in self.chains:
                self._report(message_id, sid, word)
        self._early.clear()

    def _report(self, message_id: UUID, sid: str, word: str) -> None:
        self.chain(message_id).reports.add((sid, word))

    def _effect(self, event: ActivityEvent) -> None:
        chain = self.chain(event.message_id)
        chain.effects[event.effect_id] = event.kind
        if isinstance(event, ActivityWritten):
            chain.seqns.setdefault(event.kind, set()).add(event.seqn)
        elif isinstance(event, ActivityDeleted) and event.seqn:
            chain.deleted.add(event.seqn)


def _content(of: Recipient | MessageQueued | SingleText, from_number: str) -> Content:
    return Content(of.imis_id, hash((of.to, from_number, of.text)), of.segments)
