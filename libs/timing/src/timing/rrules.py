"""A rule of RFC 5545, read strictly: what staff wrote is understood as they meant it, or refused.

dateutil, which knows the calendar, takes much that RFC 5545 (section 3.3.10) forbids and quietly
makes something else of it; so the parts are checked here before it sees them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

CYCLE: Final = timedelta(days=146_097 * 19)
"""Nineteen times 400 years: the Gregorian calendar, with its weekdays, repeats every 400 years."""
FIRST_YEAR, LAST_YEAR = 1970, 2299
WEEKS = 53
TIMES_A_DAY = 24
LENGTH_AT_MOST = 500
COUNT_AT_MOST = 100_000
INTERVAL_AT_MOST = 1_000

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_OFTEN = ("HOURLY", "MINUTELY", "SECONDLY")
_DAYS = "MO|TU|WE|TH|FR|SA|SU"
_DAY = re.compile(rf"([+-]?\d{{1,2}})?({_DAYS})", re.ASCII)
_NUMBERS: Final[dict[str, tuple[int, int, bool]]] = {
    "BYSECOND": (0, 59, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, WEEKS, True),
    "BYSETPOS": (1, 366, True),
}
_ONLY_WITH: Final[dict[str, tuple[str, ...]]] = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY",),
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
}
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


class RecurrenceError(ValueError):
    """The recurrence can't be followed; says why, for staff to read."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rule says, part by part."""

    frequency: str
    interval: int
    count: int | None
    until: datetime | None
    """In the recurrence's local time."""
    by: dict[str, tuple[str, ...]]

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return the numbers of a part such as BYMONTHDAY, as written."""
        return tuple(int(each) for each in self.by.get(name, ()))


def zone(name: str) -> ZoneInfo:
    """Return the time zone of this IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise RecurrenceError(
            f"There is no time zone {name!r}; it needs an IANA name such as America/New_York."
        ) from None


def begin(starts: datetime | None) -> datetime:
    """Return from when on a rule counts; raises RecurrenceError where nobody has said it."""
    if starts is None:
        raise RecurrenceError("It has no start: say from which local time on it counts.")
    return starts


@lru_cache(maxsize=2048)
def parse(rule: str, time_zone: str) -> Parts:
    """Return what a rule says; raises RecurrenceError where RFC 5545 or we don't allow it."""
    if len(rule) > LENGTH_AT_MOST:
        raise RecurrenceError(f"The rule is longer than {LENGTH_AT_MOST} characters.")
    parts: dict[str, str] = {}
    for each in rule.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = each.partition("=")
        if not name or not value:
            raise RecurrenceError(
                f"{each!r} is no part of a rule; a rule reads like FREQ=MONTHLY;BYMONTHDAY=-1."
            )
        if name in parts:
            raise RecurrenceError(f"{name} stands twice in the rule.")
        parts[name] = value
    frequency = _frequency(parts.pop("FREQ", ""))
    if "COUNT" in parts and "UNTIL" in parts:
        raise RecurrenceError("A rule ends by COUNT or by UNTIL, not by both.")
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1, INTERVAL_AT_MOST)
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    read = Parts(
        frequency,
        interval,
        None if count is None else _number("COUNT", count, 1, COUNT_AT_MOST),
        None if until is None else _until(until, time_zone),
        {name: tuple(value.split(",")) for name, value in parts.items()},
    )
    _check(read)
    return read


@lru_cache(maxsize=2048)
def local_times(rule: str, starts: datetime, time_zone: str, periods_later: int = 0) -> rrule:
    """Return the rule's local times, all of them later by CYCLE.

    dateutil looks for a next time until the year 9999, seconds long for a rule that never comes
    true; from 7,600 years later on the calendar is the same, and the end is near.
    """
    parts = parse(rule, time_zone)
    if not FIRST_YEAR <= starts.year <= LAST_YEAR:
        raise RecurrenceError(f"It must start between {FIRST_YEAR} and {LAST_YEAR}.")
    if starts.tzinfo is not None:
        raise RecurrenceError("The start is a local time; it has no offset from UTC.")
    written = [f"FREQ={parts.frequency}", f"INTERVAL={parts.interval}"]
    written += [f"{name}={','.join(values)}" for name, values in parts.by.items()]
    written += [] if parts.count is None else [f"COUNT={parts.count}"]
    first = starts + CYCLE + period(parts) * periods_later
    try:
        made = rrulestr(";".join(written), dtstart=first)
        assert isinstance(made, rrule)
        return made if parts.until is None else made.replace(until=parts.until + CYCLE)
    except ValueError as refused:
        raise RecurrenceError(f"The rule can't be understood: {refused}.") from None


def period(parts: Parts) -> timedelta:
    """Return by how much a day's or a week's rule may be moved and stay the same; else nothing."""
    if parts.count is not None:
        return timedelta()
    days = {"DAILY": 1, "WEEKLY": 7}.get(parts.frequency, 0)
    return timedelta(days=days * parts.interval)


def _frequency(value: str) -> str:
    if value in _TOO_OFTEN:
        raise RecurrenceError(f"FREQ={value} is too often; a campaign runs DAILY at most.")
    if value not in _FREQUENCIES:
        raise RecurrenceError(f"A rule needs FREQ, one of {', '.join(_FREQUENCIES)}.")
    return value


def _number(name: str, value: str, least: int, most: int, *, from_end: bool = False) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,9}", value):
        number = int(value)
        if least <= (abs(number) if from_end else number) <= most:
            return number
    also = f" or -{most} to -{least}" if from_end else ""
    raise RecurrenceError(f"{name}={value} can't be; it takes {least} to {most}{also}.")


def _until(value: str, time_zone: str) -> datetime:
    """Return UNTIL in local time; a date alone holds to the day's end, one with Z is UTC."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise RecurrenceError(f"UNTIL={value} is no date such as 20271231 or 20271231T180000.")
    day, time, utc = found.groups()
    try:
        # Without a zone: it is local time, or UTC that is brought to it below.
        until = datetime.strptime(f"{day}T{time or '235959'}", "%Y%m%dT%H%M%S")  # noqa: DTZ007
        until = min(until, datetime(LAST_YEAR, 12, 31))  # noqa: DTZ001
        if utc:
            until = until.replace(tzinfo=UTC).astimezone(zone(time_zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise RecurrenceError(f"UNTIL={value} is no day of the calendar.") from None
    return until


def _check(parts: Parts) -> None:
    for name, values in parts.by.items():
        if name == "BYDAY":
            _check_days(parts, values)
        elif name == "WKST":
            if len(values) != 1 or values[0] not in _DAYS.split("|"):
                raise RecurrenceError("WKST takes one day, such as MO.")
        elif name in _NUMBERS:
            least, most, from_end = _NUMBERS[name]
            for value in values:
                _number(name, value, least, most, from_end=from_end)
        else:
            raise RecurrenceError(f"{name} is no part of a rule that is known here.")
        allowed = _ONLY_WITH.get(name, _FREQUENCIES)
        if parts.frequency not in allowed:
            raise RecurrenceError(f"{name} goes with FREQ={' or FREQ='.join(allowed)} only.")
    if "BYSETPOS" in parts.by and len(parts.by.keys() - {"WKST"}) == 1:
        raise RecurrenceError("BYSETPOS chooses among what other BY parts give; there is none.")
    units = (f"BY{unit}" for unit in ("HOUR", "MINUTE", "SECOND"))
    times = product(*(set(parts.by.get(unit, ("0",))) for unit in units))
    if sum(1 for _ in times) > TIMES_A_DAY:
        raise RecurrenceError(f"A campaign runs at most {TIMES_A_DAY} times a day.")


def _check_days(parts: Parts, values: tuple[str, ...]) -> None:
    for value in values:
        found = _DAY.fullmatch(value)
        if found is None or (found[1] is not None and not 1 <= abs(int(found[1])) <= WEEKS):
            raise RecurrenceError(f"BYDAY={value} is no day; it reads like MO, 2TU or -1FR.")
        numbered = found[1] is not None
        if numbered and (parts.frequency in ("DAILY", "WEEKLY") or "BYWEEKNO" in parts.by):
            raise RecurrenceError(
                f"BYDAY={value} numbers a day; that goes with FREQ=MONTHLY or FREQ=YEARLY only."
            )
