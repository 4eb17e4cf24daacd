"""When a campaign's texts leave: by the rate, the limits, the quiet hours and the queue; pure.

The queue shares the number with the campaign: each gets every other text while both have some.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.domain.days import end_of, local_day

LONGEST = 1_000
"""After so many steps, of a day or a change of quiet hours each, nobody asks for the end."""


class Opening(Protocol):
    """Whether texts may reach a place at a moment, and until when that stays so."""

    @property
    def is_open(self) -> bool:
        """Whether they may."""

    @property
    def until(self) -> datetime:
        """When that changes."""


Window = Callable[[str, datetime], Opening]


@dataclass(frozen=True, slots=True)
class Pace:
    """What holds the sending to a pace; `per_day` None is no limit."""

    rate: float
    time_zone: str
    per_day: int | None = None
    used_today: int = 0
    waits_for_days: bool = True
    """Whether what is over the day's limit waits for the next day, or is left out."""
    queued: int = 0
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A while in which so many of the campaign's segments leave."""

    begins: datetime
    ends: datetime
    segments: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When what leaves; `ends` is None when it is too far away to tell."""

    spans: tuple[Span, ...]
    left_out: int
    ends: datetime | None

    def by_day(self, time_zone: str) -> dict[date, int]:
        """Return how many segments leave on each day, by the organisation's days."""
        days: dict[date, int] = {}
        for each in self.spans:
            day = local_day(each.begins, time_zone)
            days[day] = days.get(day, 0) + each.segments
        return days


@dataclass(slots=True)
class _Course:
    """A sending on its way."""

    at: datetime
    left: dict[str, int]
    queued: int
    budget: int | None
    spans: list[Span] = field(default_factory=list)
    left_out: int = 0
    ended: datetime | None = None


def forecast(
    segments: Mapping[str, int], pace: Pace, *, begins: datetime, at: datetime
) -> Forecast:
    """Say when segments leave that are known by place; the queue drains from now on."""
    course = _Course(at, {k: v for k, v in segments.items() if v > 0}, pace.queued, None)
    if pace.per_day is not None:
        course.budget = max(0, pace.per_day - pace.used_today)
    for _ in range(LONGEST):
        if not course.left:
            break
        _step(course, pace, begins)
    ends = None if course.left else course.ended or max(begins, at)
    return Forecast(tuple(course.spans), course.left_out, ends)


def _step(course: _Course, pace: Pace, begins: datetime) -> None:
    """Go on to the next moment at which something changes."""
    day_end = end_of(local_day(course.at, pace.time_zone), pace.time_zone)
    step_end, open_places = day_end, []
    if course.at < begins:
        step_end = min(day_end, begins)
    else:
        for place in course.left:
            # What is at no known place is held back by no hours.
            opening = None if pace.window is None or not place else pace.window(place, course.at)
            if opening is None or opening.is_open:
                open_places.append((day_end if opening is None else opening.until, place))
            if opening is not None:
                step_end = min(step_end, opening.until)
    open_places.sort()
    _send(course, pace, open_places, until=step_end)
    if course.budget == 0 and not pace.waits_for_days:
        for _, place in open_places:
            course.left_out += course.left.pop(place, 0)
    if course.left:
        course.at = day_end if course.budget == 0 and pace.waits_for_days else step_end
        if course.at >= day_end and pace.per_day is not None:
            course.budget = pace.per_day


def _send(
    course: _Course, pace: Pace, open_places: list[tuple[datetime, str]], *, until: datetime
) -> None:
    ours = sum(course.left[place] for _, place in open_places)
    room = int((until - course.at).total_seconds() * pace.rate + 1e-6)
    if course.budget is not None:
        room = min(room, course.budget)
    taken = min(room, ours + course.queued)
    # Every other text is ours, and all of them once the queue is empty.
    of_ours = min(ours, max((taken + 1) // 2, taken - course.queued))
    course.queued -= taken - of_ours
    if course.budget is not None:
        course.budget -= taken
    if not of_ours:
        return
    seconds = min(2 * of_ours, taken) / pace.rate
    course.ended = course.at + timedelta(seconds=round(seconds, 3))
    course.spans.append(Span(course.at, course.ended, of_ours))
    for _, place in open_places:
        sent = min(of_ours, course.left[place])
        of_ours -= sent
        course.left[place] -= sent
        if not course.left[place]:
            del course.left[place]
