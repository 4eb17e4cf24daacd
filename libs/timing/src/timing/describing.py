"""A recurrence in plain English, for staff to read before they save it (TM-9)."""

from __future__ import annotations

from datetime import datetime, time
from itertools import product
from typing import TYPE_CHECKING

from timing import rrules
from timing.rrules import Parts

if TYPE_CHECKING:
    from timing.recurrence import Recurring

_EVERY = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_WEEKDAYS, _WEEKEND = {"MO", "TU", "WE", "TH", "FR"}, {"SA", "SU"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_TEENS = range(11, 14)


def describe(rule: Recurring) -> str:
    """Say when it runs, such as `every month on the 31st at 08:10, New York time`."""
    parts = rrules.parse(rule.rule, rule.time_zone)
    one = parts.interval == 1
    unit = _EVERY[parts.frequency]
    every = f"every {unit}" if one else f"every {parts.interval} {unit}s"
    starts = rrules.begin(rule.starts)
    days = _days(parts, starts)
    if days is None:
        days = f" by the rule {rule.rule.strip()}"
    zone = rule.time_zone.rsplit("/", 1)[-1].replace("_", " ")
    place = "UTC" if zone == "UTC" else f"{zone} time"
    return f"{every}{days} at {_and(_times(parts, starts))}, {place}{_end(parts)}"


def _days(parts: Parts, starts: datetime) -> str | None:
    """Say on which days of its period it runs; None for what is seldom met."""
    if parts.by.keys() - {"BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE"}:
        return None
    days, dates, months = parts.by.get("BYDAY", ()), parts.numbers("BYMONTHDAY"), _months(parts)
    if "BYSETPOS" in parts.by:
        return _chosen(parts, set(days)) if not dates else None
    match parts.frequency:
        case "DAILY" if not dates:
            said = f" on {_named(days)}" if days else ""
        case "WEEKLY":
            said = f" on {_named(days or (list(_DAYS)[starts.weekday()],))}"
        case "MONTHLY" if not (days and dates):
            said = f" on {_and([_numbered(each) for each in days])}" if days else ""
            said = said or f" on the {_and([_date(each) for each in dates or (starts.day,)])}"
        case "YEARLY" if _once_a_year(parts):
            day = _date(dates[0] if dates else starts.day)
            return f" on the {day} of {months or _MONTHS[starts.month - 1]}"
        case _:
            return None
    return f"{said} in {months}" if months else said


def _once_a_year(parts: Parts) -> bool:
    months, dates = len(parts.numbers("BYMONTH")), len(parts.numbers("BYMONTHDAY"))
    return "BYDAY" not in parts.by and months <= 1 and dates <= months


def _chosen(parts: Parts, days: set[str]) -> str | None:
    """Say which one of a month's weekdays it is, where the rule chooses one by its place."""
    places = parts.numbers("BYSETPOS")
    kinds = {frozenset(_WEEKDAYS): "weekday", frozenset(_WEEKEND): "day of a weekend"}
    kinds[frozenset(_DAYS)] = "day"
    kind = kinds.get(frozenset(days))
    if parts.frequency != "MONTHLY" or len(places) != 1 or kind is None or "BYMONTH" in parts.by:
        return None
    return f" on the {_ORDINALS[places[0]]} {kind}" if places[0] in _ORDINALS else None


def _named(days: tuple[str, ...]) -> str:
    if set(days) == _WEEKDAYS:
        return "weekdays"
    return _and([_DAYS[each] for each in _DAYS if each in days])


def _numbered(day: str) -> str:
    number, name = day[:-2], _DAYS[day[-2:]]
    if not number:
        return f"each {name}"
    place = int(number)
    return f"the {_ORDINALS.get(place) or f'{_ordinal(abs(place))} last'} {name}"


def _date(day: int) -> str:
    if day > 0:
        return _ordinal(day)
    return "last day" if day == -1 else f"{_ordinal(-day)} last day"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number in _TEENS else ending}"


def _months(parts: Parts) -> str:
    return _and([_MONTHS[each - 1] for each in sorted(parts.numbers("BYMONTH"))])


def _times(parts: Parts, starts: datetime) -> list[str]:
    hours = parts.numbers("BYHOUR") or (starts.hour,)
    minutes = parts.numbers("BYMINUTE") or (starts.minute,)
    times = sorted(time(hour, minute) for hour, minute in product(hours, minutes))
    return [each.strftime("%H:%M") for each in times]


def _end(parts: Parts) -> str:
    if parts.count is not None:
        return ", once" if parts.count == 1 else f", {parts.count} times"
    if parts.until is None:
        return ""
    until = parts.until
    return f", until {until.day} {_MONTHS[until.month - 1]} {until.year}"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
