"""When a recurring campaign runs: a rule of RFC 5545 in a time zone's local time (TM-9, X-5).

A rule gives local times. One that the clocks skip in spring happens at the instant that the
offset before the gap gives; one that comes twice in autumn happens once, at its first instant.
Two local times that are the same instant are one occurrence.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

from timing import rrules
from timing.describing import describe
from timing.rrules import CYCLE, RecurrenceError

__all__ = [
    "Occurrence",
    "RecurrenceError",
    "Recurring",
    "Rule",
    "between",
    "describe",
    "next_after",
    "occurrences",
]

_APART = timedelta(days=2)
"""Local times further apart than this are in the same order as their instants, in every zone."""


class Recurring(Protocol):
    """What says when something recurs: a Rule, or a campaign's recurrence in the contracts."""

    @property
    def rule(self) -> str:
        """An RRULE of RFC 5545."""

    @property
    def starts(self) -> datetime | None:
        """DTSTART in local time; None while its author has not said it."""

    @property
    def time_zone(self) -> str:
        """An IANA name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence as its author wrote it.

    `starts` is DTSTART in local time: the first occurrence if the rule agrees with it, else just
    where counting begins. COUNT counts local times. UNTIL is local time and included; a date
    alone holds to the end of that day, and one that ends in Z is UTC.
    """

    rule: str
    starts: datetime | None
    time_zone: str = "UTC"

    @classmethod
    def parse(cls, rule: str, starts: datetime | None, time_zone: str = "UTC") -> "Rule":
        """Return a recurrence that has occurrences, or raise RecurrenceError."""
        made = cls(rule, starts, time_zone)
        made.validate()
        return made

    def validate(self) -> None:
        """Raise RecurrenceError, in a sentence for staff, unless it can be followed."""
        if next_after(self, None) is None:
            ends = rrules.parse(self.rule, self.time_zone).until
            before = " before its end" if ends else ""
            raise RecurrenceError(f"The rule never comes true{before}: there is no such day.")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time at which a recurrence happens."""

    nominal: str
    """Its local time, such as `2027-01-31T08:10:00`."""
    at: datetime
    """Its instant, in UTC."""


def occurrences(
    rule: Recurring, *, after: datetime | None = None, count: int = 10
) -> list[Occurrence]:
    """Return the first occurrences after this instant, at most so many, in order."""
    return list(islice(_occurrences(rule, after), count))


def next_after(rule: Recurring, after: datetime | None) -> Occurrence | None:
    """Return the first occurrence after this instant; None when there is none any more."""
    return next(_occurrences(rule, after), None)


def between(
    rule: Recurring, after: datetime | None, until: datetime, limit: int
) -> list[Occurrence]:
    """Return the first occurrences after one instant and not after another, at most so many."""
    found = []
    for each in islice(_occurrences(rule, after), limit):
        if each.at > until:
            break
        found.append(each)
    return found


def _occurrences(rule: Recurring, after: datetime | None) -> Iterator[Occurrence]:
    last = after
    for at, local in _by_instant(rule, after):
        if last is None or at > last:
            last = at
            yield Occurrence(local.isoformat(), at)


def _by_instant(rule: Recurring, after: datetime | None) -> Iterator[tuple[datetime, datetime]]:
    """Yield instants with their local times, in order: around a gap, local times aren't."""
    zone = rrules.zone(rule.time_zone)
    waiting: list[tuple[datetime, datetime]] = []
    for local in _local_times(rule, after):
        # Fold 0 is what the module promises: the first of two, and the offset before a gap.
        heapq.heappush(waiting, (local.replace(tzinfo=zone, fold=0).astimezone(UTC), local))
        while waiting and waiting[0][1] + _APART <= local:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _local_times(rule: Recurring, after: datetime | None) -> Iterator[datetime]:
    """Yield the local times that can be later than this instant, and maybe some before them."""
    starts = rrules.begin(rule.starts).replace(microsecond=0)
    times = rrules.local_times(rule.rule, starts, rule.time_zone)
    if after is None:
        yield from (each - CYCLE for each in times)
        return
    zone = rrules.zone(rule.time_zone)
    begin = sorted((_EARLIEST, after, _LATEST))[1].astimezone(zone).replace(tzinfo=None) - _APART
    if period := rrules.period(rrules.parse(rule.rule, rule.time_zone)):
        # Whole periods are skipped, but for the last ones: BYSETPOS needs a week from its start.
        skipped = max((begin - starts) // period - 2, 0)
        times = rrules.local_times(rule.rule, starts, rule.time_zone, skipped)
    yield from (each - CYCLE for each in times.xafter(begin + CYCLE, inc=True))


_EARLIEST = datetime(rrules.FIRST_YEAR - 1, 1, 1, tzinfo=UTC)
_LATEST = datetime(rrules.LAST_YEAR + 1, 1, 1, tzinfo=UTC)
