"""What is done about a message that may or may not have been sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

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
class Judged:
    """Twilio's list shows nothing of it, or more than can be told apart."""

    verdict: Literal["absent", "ambiguous"]


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


def judge(doubt: Doubt, listed: Sequence[Listed], *, known: Collection[str]) -> Found | Judged:
    """Say what the list tells; `known` are the SIDs that belong to other messages."""
    open_to_us = [each for each in candidates(doubt, listed) if each.sid not in known]
    match open_to_us:
        case []:
            return Judged("absent")
        case [only]:
            return Found(only.sid)
        case _:
            return Judged("ambiguous")
