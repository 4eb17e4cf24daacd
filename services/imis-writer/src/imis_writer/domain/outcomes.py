"""What each attempt at an effect, and each look for one, results in; pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from contracts.events.activity import ActivityEvent
from imis_writer.domain import telling
from imis_writer.domain.effects import Effect, State

SHORTEST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=5)
MOST_DOUBLINGS = 10
TRIED_OFTEN = (
    "iMIS failed each of many tries at this one, and doesn't hold it. See what iMIS says of the "
    "member, then try again."
)
UNCLEAR = (
    "The connection to iMIS broke while this was written, and what iMIS holds may or may not be "
    "it. Look at the member's record; it is not written again by itself."
)


@dataclass(frozen=True, slots=True)
class Written:
    """iMIS holds it."""

    seqn: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The Communication Log has the entry, which is still to be put on the member's record."""

    log_id: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """iMIS holds it no more."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """iMIS surely did nothing, and may do it later."""

    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """iMIS surely did nothing: it doesn't take the organisation's account."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotTried:
    """The claim was given back before anything was sent."""


@dataclass(frozen=True, slots=True)
class TooEarly:
    """The organisation wants a text's delivery to be reported first."""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The organisation doesn't want this one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """iMIS refuses it as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """iMIS may have done it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """iMIS was asked and doesn't have it."""


@dataclass(frozen=True, slots=True)
class Present:
    """iMIS was asked and still has what was to be deleted."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody can tell by what iMIS says."""

    reason: str = UNCLEAR


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """iMIS was asked and couldn't say."""

    wait_seconds: float | None = None


Settled = Written | Opened | Deleted | Refused | Unneeded
Unsettled = Postponed | LoginRefused | NotTried | TooEarly | Doubtful
Unfound = Present | Absent | NoAnswer
Outcome = Settled | Unsettled
Look = Written | Opened | Deleted | Ambiguous | Unfound
Open = Unsettled | Unfound


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after a doubt iMIS is asked, twice; and when a try is one too many."""

    first_look: timedelta
    second_look: timedelta
    refusals: int = 1
    """From so many refusals on, one is final until a person wants another try."""
    again: timedelta = timedelta(seconds=5)
    """How long after the first refusal it is tried again."""
    most_tries: int = 50
    """So many tries that all came to nothing are told as a refusal."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an attempt or a look makes of an effect, and what the others are told."""

    effect: Effect
    """As it was when it was claimed, or looked for."""
    after: Effect
    state: State
    not_before: datetime | None = None
    event: ActivityEvent | None = None

    @property
    def certain(self) -> bool:
        """Whether it tells what iMIS has done, which counts however late it is learnt."""
        found = (self.after.seqn, self.after.log_id) != (self.effect.seqn, self.effect.log_id)
        return found or self.state is State.DELETED


def resolve(effect: Effect, outcome: Outcome | Look, *, at: datetime, patience: Patience) -> Change:
    """Say what becomes of a claimed effect, or of one in doubt."""
    match outcome:
        case Written(seqn):
            written = telling.written(effect, seqn, at=at)
            return Change(effect, replace(effect, seqn=seqn), State.WRITTEN, event=written)
        case Opened(log_id):
            return Change(effect, replace(effect, log_id=log_id), State.READY, at)
        case Deleted():
            return Change(effect, effect, State.DELETED, event=telling.deleted(effect, at=at))
        case Refused(reason):
            return _refused(effect, reason, at=at, patience=patience)
        case Ambiguous(reason):
            unknown = telling.unknown(effect, reason, at=at)
            return Change(effect, effect, State.UNKNOWN, event=unknown)
        case Unneeded():
            return Change(effect, effect, State.UNNEEDED)
        case _:
            return _still_open(effect, outcome, at=at, patience=patience)


def _still_open(effect: Effect, outcome: Open, *, at: datetime, patience: Patience) -> Change:
    match outcome:
        case TooEarly():
            return Change(effect, replace(effect, attempts=effect.attempts - 1), State.WAITING)
        case LoginRefused() | NotTried() | Present():
            return Change(effect, effect, State.READY, at)
        case Postponed(wait_seconds):
            return Change(effect, effect, State.READY, at + delay(effect.attempts, wait_seconds))
        case Doubtful():
            return Change(effect, effect, State.IN_DOUBT, at + patience.first_look)
        case Absent():
            return _absent(effect, at=at, patience=patience)
        case NoAnswer(wait_seconds):
            later = at + max(patience.second_look, delay(0, wait_seconds))
            return Change(effect, effect, State.IN_DOUBT, later)
        case _:
            assert_never(outcome)


def _refused(effect: Effect, reason: str, *, at: datetime, patience: Patience) -> Change:
    after = replace(effect, refusals=effect.refusals + 1)
    if after.refusals < patience.refusals:
        again = at + patience.again * 2 ** (after.refusals - 1)
        return Change(effect, after, State.READY, again)
    return Change(effect, after, State.REFUSED, event=telling.refused(effect, reason, at=at))


def _absent(effect: Effect, *, at: datetime, patience: Patience) -> Change:
    if effect.looks == 0:
        later = at + patience.second_look
        return Change(effect, replace(effect, looks=1), State.IN_DOUBT, later)
    if effect.attempts % patience.most_tries == 0:
        event = telling.refused(effect, TRIED_OFTEN, at=at)
        return Change(effect, effect, State.REFUSED, event=event)
    return Change(effect, replace(effect, looks=0), State.READY, at)


def overtaken(change: Change, *, undo: bool, delivered: bool) -> Change:
    """Say what becomes of a change if, meanwhile, its member subscribed again or its text arrived.

    What is done by then is undone; what surely isn't is left as it is.
    """
    if change.state is State.WAITING and delivered:
        due = change.effect.transaction_date
        return replace(change, state=State.READY, not_before=due)
    if not undo:
        return change
    deletes = change.effect.seqn is not None
    match change.state:
        case (State.WRITTEN | State.DELETED) as done if change.event is not None:
            after = change.after if done is State.WRITTEN else replace(change.after, seqn=None)
            at = change.event.occurred_at
            return replace(change, after=after, state=State.READY, not_before=at)
        case State.READY | State.REFUSED:
            state = State.WRITTEN if deletes else State.MOOT
            return replace(change, state=state, not_before=None, event=None)
        case _:
            return change


def delay(failures: int, wait_seconds: float | None = None) -> timedelta:
    """Return how long to wait: as iMIS says, else longer with each failure."""
    if wait_seconds is not None:
        return max(timedelta(seconds=wait_seconds), SHORTEST_DELAY)
    doublings: int = 1 << min(failures, MOST_DOUBLINGS)
    return min(SHORTEST_DELAY * doublings, LONGEST_DELAY)
