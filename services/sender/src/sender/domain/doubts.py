"""What is done about a message that may or may not have been sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sender.domain.messages import Doubt

CLOCK_SKEW = timedelta(minutes=2)
"""How far Twilio's clock and ours may be apart."""


@dataclass(frozen=True, slots=True, repr=False)
class Listed:
    """A message in Twilio's list."""

    sid: str
    to_number: str
    from_number: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """Twilio has it."""

    sid: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """Twilio never took it."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Twilio lists several that can't be told apart."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Nothing can be concluded yet; `shown_nothing` when the list was whole and had none."""

    at: datetime
    shown_nothing: bool = False


Verdict = Found | NotThere | Ambiguous | LookAgain


def candidates(doubt: Doubt, listed: Sequence[Listed]) -> list[Listed]:
    """Return the listed messages that may be the doubtful one."""
    since = doubt.claimed_at - CLOCK_SKEW
    return [
        each
        for each in listed
        if each.to_number == doubt.to_number
        and each.from_number == doubt.from_number
        and each.body == doubt.text
        and each.created_at >= since
    ]


def judge(
    doubt: Doubt, listed: Sequence[Listed], *, known: Collection[str]
) -> Found | NotThere | Ambiguous:
    """Say what the list tells; `known` are the SIDs that belong to other messages."""
    open_to_us = [each for each in candidates(doubt, listed) if each.sid not in known]
    match open_to_us:
        case []:
            return NotThere()
        case [only]:
            return Found(only.sid)
        case _:
            return Ambiguous()


def conclude(
    doubt: Doubt,
    listed: Sequence[Listed],
    *,
    known: Collection[str],
    read_to_end: bool,
    later: datetime,
) -> Verdict:
    """Say what a look at Twilio's list means for a doubt.

    Nothing is concluded while callbacks are unread that may tell whose a listed text is. And
    since the list may lag, a text is absent only when two lists well apart don't have it.
    """
    if not read_to_end:
        return LookAgain(later)
    verdict = judge(doubt, listed, known=known)
    if isinstance(verdict, NotThere) and doubt.looks == 0:
        return LookAgain(later, shown_nothing=True)
    return verdict
