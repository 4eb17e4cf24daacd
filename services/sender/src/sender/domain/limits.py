"""The limits that staff set: segments for a run, and for an organisation's day (TM-15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo


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


@dataclass(frozen=True, slots=True)
class DayRoom:
    """What is left for the organisation's day, of how much."""

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
