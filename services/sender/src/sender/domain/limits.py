"""The limits that staff set: segments for a run, and for a day (TM-15, TM-19)."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.events.organization import SendingNumber, Verification


class Waiting(Protocol):
    """A message that waits, as far as limits are concerned."""

    @property
    def run_id(self) -> UUID:
        """The run that it belongs to."""

    @property
    def row(self) -> int:
        """Its place in the run."""

    @property
    def segments(self) -> int:
        """What it costs."""


W = TypeVar("W", bound=Waiting)


@dataclass(frozen=True, slots=True)
class RunRoom:
    """What is left for a run, and the row from which on it was found to be full."""

    left: int
    full_from: int | None = None

    def takes(self, message: Waiting) -> bool:
        """Whether the run may still send a message; after one that didn't fit, none may."""
        before_the_end = self.full_from is None or message.row < self.full_from
        return before_the_end and message.segments <= self.left

    def without(self, message: Waiting) -> "RunRoom":
        """Return what is left after a message."""
        return RunRoom(self.left - message.segments, self.full_from)

    def full(self, message: Waiting) -> "RunRoom":
        """Return a run that ends before a message."""
        first = message.row if self.full_from is None else min(self.full_from, message.row)
        return RunRoom(self.left, first)


UNLIMITED: Final = RunRoom(sys.maxsize)
"""What belongs to no campaign has no campaign's limit."""


@dataclass(frozen=True, slots=True)
class DayRoom:
    """What is left for the day, of how much: the organisation's, or less if the number may less."""

    left: int
    limit: int
    holds: bool
    """Whether what doesn't fit waits for the next day; else it is left out."""


@dataclass(slots=True)
class Allotment(Generic[W]):
    """What may be claimed now, and what becomes of the others that were looked at."""

    taken: list[W] = field(default_factory=list)
    over_run: list[W] = field(default_factory=list)
    over_day: list[W] = field(default_factory=list)
    held: bool = False
    """Whether the day is full, and the next message waits for another."""
    next_cost: int | None = None
    """What the next message costs, if the limiter's budget didn't pay for it."""
    runs: dict[UUID, RunRoom] = field(default_factory=dict)


def allot(
    waiting: Sequence[W], *, budget: int, runs: Mapping[UUID, RunRoom], day: DayRoom
) -> Allotment[W]:
    """Go through the waiting messages in their order; each is taken whole or not at all.

    A run's limit ends the run at the first message that doesn't fit. The day's ends the day for
    all: what follows waits too, though it were shorter, so that nothing overtakes for ever.
    """
    done: Allotment[W] = Allotment(runs=dict(runs))
    left = day.left
    for place, message in enumerate(waiting):
        room = done.runs[message.run_id]
        if not room.takes(message):
            done.runs[message.run_id] = room.full(message)
            done.over_run.append(message)
        elif message.segments > day.limit:
            # It would wait for ever, and everything behind it.
            done.over_day.append(message)
        elif message.segments > left and day.holds:
            done.held = True
            break
        elif message.segments > left:
            done.over_day += waiting[place:]
            break
        elif message.segments > budget:
            done.next_cost = message.segments
            break
        else:
            budget -= message.segments
            left -= message.segments
            done.runs[message.run_id] = room.without(message)
            done.taken.append(message)
    return done


def day_of(at: datetime, zone: ZoneInfo) -> str:
    """Name the organisation's day at a moment."""
    return at.astimezone(zone).date().isoformat()


def day_after(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the organisation's next day begins."""
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def rate_of(number: SendingNumber) -> float:
    """Return the segments a second that a number may send; 0 while it may send none (TM-19).

    What restricted and pending numbers may do is no rule of ours: a limit a day of the number's
    own says it, and without one they send nothing.
    """
    if number.segments_per_day == 0:
        return 0.0
    if number.verification is not Verification.VERIFIED and number.segments_per_day is None:
        return 0.0
    return number.segments_per_second
