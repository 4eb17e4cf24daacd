"""Quiet hours: where a number is, and when a promotional text may reach it there (X-4).

A member's own time zone, or the organisation's, counts before what the number tells. A number that
may be in several places is texted only when the hour is fit at each of them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone
from phonenumbers.phonenumberutil import NumberParseException

from timing.rules import RuleBook, Week, WrongRules, known_zone, parse

SETTING = "TEXTMANAGER_QUIET_HOURS"
_DELIVERED_WITH_US = Path(__file__).parents[4] / "deploy" / "rules" / "quiet-hours.yaml"
_DAYS_AHEAD = 9
"""A week and what time zones and overnight hours reach over it."""
_NOWHERE = "ZZ"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number may be: the region whose rule holds, and the time zones that it may be in."""

    region: str
    zones: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name, such as `US-FL America/New_York`; `Rules.place` reads it."""
        return f"{self.region} {','.join(self.zones)}"


@dataclass(frozen=True, slots=True)
class Window:
    """Whether texts may reach a place at a moment, and when that changes next."""

    is_open: bool
    until: datetime
    """When it closes, or when it opens."""


class Rules:
    """Answers by one rule book."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._ahead = lru_cache(maxsize=1024)(self._openings_ahead)
        self._settled = lru_cache(maxsize=4096)(self._settle)

    @classmethod
    def parse(cls, text: str) -> "Rules":
        """Return the rules that a file's text holds; raises `WrongRules`."""
        return cls(parse(text))

    def place_of(self, number: str, zone: str | None = None) -> Place:
        """Return where an E.164 number is; `zone` is what is known better than the number tells."""
        area, zones = _guess(number)
        region = self._book.state_of_area_code.get(area[3:], "US") if area[:3] == "US-" else area
        return self._settled(region, (zone,) if zone and known_zone(zone) else zones)

    def place(self, key: str) -> Place:
        """Return the place of that name; raises `ValueError` for what names none."""
        region, _, zones = key.partition(" ")
        found = tuple(zones.split(","))
        if not region or not all(known_zone(zone) for zone in found):
            raise ValueError("it names no place")
        return self._settled(region, found)

    def window(self, place: Place, at: datetime) -> Window:
        """Say whether a place may be texted at a moment, and until when that stays so."""
        for opens, closes in self._ahead(place, at.astimezone(UTC).date()):
            if at < opens:
                return Window(is_open=False, until=opens)
            if at < closes:
                return Window(is_open=True, until=closes)
        raise WrongRules(f"{place.key} is closed for more than a week")

    def next_open(self, place_key: str, at: datetime) -> datetime:
        """Return the first moment from `at` on at which a place may be texted."""
        window = self.window(self.place(place_key), at)
        return at if window.is_open else window.until

    def next_close(self, place_key: str, at: datetime) -> datetime:
        """Return when the window closes that is open at a moment, or that opens next after it."""
        place = self.place(place_key)
        window = self.window(place, at)
        return window.until if window.is_open else self.window(place, window.until).until

    def _settle(self, region: str, zones: tuple[str, ...]) -> Place:
        """Return a place that is open now and then, however far its zones are apart."""
        place = Place(region, tuple(sorted(set(zones))) or self._book.where_unknown)
        # Summer time moves zones by an hour or so: both halves of a year must be fit.
        halves = (date(2026, 1, 5), date(2026, 7, 6))
        if all(self._ahead(place, day) for day in halves):
            return place
        return Place(region, tuple(sorted(self._book.where_unknown)))

    def _openings_ahead(self, place: Place, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return when a place is open from a UTC day on, in order, for a week and more."""
        week = self._book.week(place.region)
        common: list[tuple[datetime, datetime]] | None = None
        for zone in place.zones:
            own = _merged(_openings(week, ZoneInfo(zone), day))
            common = own if common is None else _both(common, own)
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return tuple((opens, closes) for opens, closes in common or () if closes > begins)


def _openings(week: Week, zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    for offset in range(-2, _DAYS_AHEAD + 1):
        local = day + timedelta(days=offset)
        hours = week[local.weekday()]
        if hours is None:
            continue
        last = local + timedelta(days=1) if hours.overnight else local
        opens = datetime.combine(local, hours.begins, zone)
        closes = datetime.combine(last, hours.ends, zone)
        # When the clock is changed at that very hour, the stricter reading of it holds.
        opens = max(opens.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        closes = min(closes.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if opens < closes:
            yield opens, closes


def _merged(spans: Iterator[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for opens, closes in spans:
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


def _both(
    one: Sequence[tuple[datetime, datetime]], other: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    shared = (
        (max(mine[0], theirs[0]), min(mine[1], theirs[1])) for mine in one for theirs in other
    )
    return sorted((opens, closes) for opens, closes in shared if opens < closes)


@lru_cache(maxsize=16_384)
def _guess(number: str) -> tuple[str, tuple[str, ...]]:
    """Return a number's region (`US-` and the area code in the United States) and its zones."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return _NOWHERE, ()
    zones = timezone.time_zones_for_number(parsed)
    if timezone.UNKNOWN_TIMEZONE in zones:
        # No number of a subscriber's, as far as the library knows; its prefix still says where.
        zones = timezone.time_zones_for_geographical_number(parsed)
    if timezone.UNKNOWN_TIMEZONE in zones:
        zones = ()
    # Other names for zones that the library leaves out are no zones for us either.
    known = tuple(zone for zone in zones if known_zone(zone))
    region = phonenumbers.region_code_for_number(parsed) or (
        phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    )
    if region == "US":
        return f"US-{str(parsed.national_number)[:3]}", known
    return region or _NOWHERE, known


def load(path: Path) -> Rules:
    """Return the rules of a file; raises `WrongRules`, which names the file, when it has none."""
    try:
        return Rules.parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, WrongRules) as error:
        raise WrongRules(f"the quiet hours can't be read from {path}: {error}") from error


@cache
def standard() -> Rules:
    """Return the rules that hold here: of the file that the setting names, else ours."""
    return load(Path(os.environ.get(SETTING) or _DELIVERED_WITH_US))


def place_key(number: str, zone: str | None = None) -> str:
    """Name the place of a number by the rules that hold here."""
    return standard().place_of(number, zone).key


def next_open(place_key: str, at: datetime) -> datetime:
    """Return the first moment from `at` on at which a place may be texted, by the same rules."""
    return standard().next_open(place_key, at)
