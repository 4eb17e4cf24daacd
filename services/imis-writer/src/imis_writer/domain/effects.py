"""What is to be written to iMIS, and what each attempt at it results in; pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus

KIND = "TEXTMSG"
SHORTEST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=5)
MOST_DOUBLINGS = 10


class State(StrEnum):
    """Where an effect stands."""

    WAITING = "waiting"
    """Not both facts are known: what to write, and that the text was sent."""
    READY = "ready"
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    WRITTEN = "written"
    REFUSED = "refused"
    UNNEEDED = "unneeded"
    UNKNOWN = "unknown"
    """Nobody can tell whether iMIS has it; it waits for a person and is never written again."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One activity to be written, with everything that was fixed before the first try."""

    message_id: UUID
    effect_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    imis_id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    mode: Mode
    transaction_date: datetime
    because: UUID
    sequence: int = 0
    attempts: int = 0
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """iMIS holds the activity."""

    seqn: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """iMIS surely did nothing, and may do it later."""

    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """iMIS surely did nothing: it doesn't take the organisation's account."""


@dataclass(frozen=True, slots=True)
class NotTried:
    """The claim was given back before anything was sent."""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The organisation doesn't want this one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """iMIS refuses the activity as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """iMIS may have done it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """iMIS was asked and doesn't have it."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """iMIS has something that may or may not be it."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """iMIS was asked and couldn't say."""

    wait_seconds: float | None = None


Outcome = Written | Postponed | LoginRefused | NotTried | Unneeded | Refused | Doubtful
Look = Written | Absent | Ambiguous | NoAnswer


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after a doubt iMIS is asked, twice."""

    first_look: timedelta
    second_look: timedelta


@dataclass(frozen=True, slots=True)
class Change:
    """What an attempt or a look makes of an effect, and what the others are told."""

    effect: Effect
    state: State
    not_before: datetime | None = None
    looks: int = 0
    seqn: str | None = None
    event: ActivityWritten | ActivityRefused | None = None


_AFTER_SENT = frozenset({MessageStatus.UNDELIVERED, MessageStatus.FAILED})


def succeeds(status: MessageStatus, mode: Mode, *, accepted: bool, success: MessageStatus) -> bool:
    """Whether a text that has come this far belongs into iMIS.

    A text that Twilio accepted was Sent, even if the report that it failed overtook that.
    """
    match mode:
        case Mode.TEST:
            return status is MessageStatus.SIMULATED
        case Mode.LIVE:
            overtaken = success is MessageStatus.SENT and accepted and status in _AFTER_SENT
            return overtaken or status in {success, MessageStatus.DELIVERED}
        case _:
            assert_never(mode)


def resolve(effect: Effect, outcome: Outcome | Look, *, at: datetime, patience: Patience) -> Change:
    """Say what becomes of a claimed effect, or of one in doubt."""
    match outcome:
        case Written(seqn):
            written = _written(effect, seqn, at=at)
            return Change(effect, State.WRITTEN, None, effect.looks, seqn, written)
        case Refused(reason):
            return Change(effect, State.REFUSED, event=_refused(effect, reason, at=at))
        case Unneeded():
            return Change(effect, State.UNNEEDED)
        case LoginRefused() | NotTried():
            return Change(effect, State.READY, at)
        case Postponed(wait_seconds):
            return Change(effect, State.READY, at + delay(effect.attempts, wait_seconds))
        case Doubtful():
            return Change(effect, State.IN_DOUBT, at + patience.first_look)
        case Absent() if effect.looks == 0:
            return Change(effect, State.IN_DOUBT, at + patience.second_look, looks=1)
        case Absent():
            return Change(effect, State.READY, at)
        case Ambiguous():
            return Change(effect, State.UNKNOWN, None, effect.looks)
        case NoAnswer(wait_seconds):
            later = at + max(patience.second_look, delay(0, wait_seconds))
            return Change(effect, State.IN_DOUBT, later, effect.looks)
        case _:
            assert_never(outcome)


def delay(failures: int, wait_seconds: float | None = None) -> timedelta:
    """Return how long to wait: as iMIS says, else longer with each failure."""
    if wait_seconds is not None:
        return max(timedelta(seconds=wait_seconds), SHORTEST_DELAY)
    doublings: int = 1 << min(failures, MOST_DOUBLINGS)
    return min(SHORTEST_DELAY * doublings, LONGEST_DELAY)


def _written(effect: Effect, seqn: str, *, at: datetime) -> ActivityWritten:
    return ActivityWritten(
        organization_id=effect.organization_id,
        occurred_at=at,
        sequence=effect.sequence + 1,
        effect_id=effect.effect_id,
        run_id=effect.run_id,
        campaign_id=effect.campaign_id,
        message_id=effect.message_id,
        kind=KIND,
        imis_id=effect.imis_id,
        seqn=seqn,
        transaction_date=effect.transaction_date,
    )


def _refused(effect: Effect, reason: str, *, at: datetime) -> ActivityRefused:
    return ActivityRefused(
        organization_id=effect.organization_id,
        occurred_at=at,
        sequence=effect.sequence + 1,
        effect_id=effect.effect_id,
        run_id=effect.run_id,
        campaign_id=effect.campaign_id,
        message_id=effect.message_id,
        kind=KIND,
        imis_id=effect.imis_id,
        reason=reason,
    )
