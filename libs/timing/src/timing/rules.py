"""The rules about quiet hours, read strictly from a file: a slip in it must not text by night."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

_AREA_CODE = re.compile(r"[2-9][0-9]{2}")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class WrongRules(ValueError):
    """The file doesn't say what it should; the text names the place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When texts may arrive on one day; `ends` is on the next day unless it is after `begins`."""

    begins: time
    ends: time

    @property
    def overnight(self) -> bool:
        """Whether they end on the next day."""
        return self.ends <= self.begins


Week = tuple[Hours | None, ...]
"""The hours of each day from Monday on; None: not at all."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Which hours hold where."""

    default: Week
    countries: Mapping[str, Week]
    states: Mapping[str, Week]
    """By names such as `US-FL`."""
    state_of_area_code: Mapping[str, str]
    """The American area codes of those states that have a rule of their own."""
    where_unknown: tuple[str, ...]

    def week(self, region: str) -> Week:
        """Return the hours of a region such as `US-FL` or `DE`."""
        country = region.partition("-")[0]
        return self.states.get(region) or self.countries.get(country) or self.default


def parse(text: str) -> RuleBook:
    """Return the rules that a file's text holds; raises `WrongRules`."""
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise WrongRules(f"it is no YAML: {error}") from error
    top = _fields(told, "the file", {"default", "where_unknown", "countries"}, set())
    countries: dict[str, Week] = {}
    states: dict[str, Week] = {}
    area_codes: dict[str, str] = {}
    for country, rule in _mapping(top["countries"], "countries").items():
        found = _fields(rule, str(country), {"hours", "source"}, {"states"})
        countries[str(country)] = _week(found["hours"], str(country))
        for state, state_rule in _mapping(found.get("states", {}), f"{country} states").items():
            name = f"{country}-{state}"
            own = _fields(state_rule, name, {"hours", "source", "area_codes"}, set())
            states[name] = _week(own["hours"], name)
            for code in _area_codes(own["area_codes"], name):
                if area_codes.setdefault(code, name) != name:
                    raise WrongRules(f"{name}: area code {code} is {area_codes[code]}'s as well")
    default = _fields(top["default"], "default", {"hours", "source"}, set())
    return RuleBook(
        default=_week(default["hours"], "default"),
        countries=countries,
        states=states,
        state_of_area_code=area_codes,
        where_unknown=_zones(top["where_unknown"]),
    )


def _mapping(told: Any, where: str) -> dict[Any, Any]:
    if not isinstance(told, dict):
        raise WrongRules(f"{where}: names and what they mean are expected here")
    return told


def _fields(told: Any, where: str, needed: set[str], allowed: set[str]) -> dict[str, Any]:
    found = _mapping(told, where)
    if missing := needed - found.keys():
        raise WrongRules(f"{where}: {', '.join(sorted(missing))} is missing")
    if unknown := found.keys() - needed - allowed:
        raise WrongRules(f"{where}: {', '.join(sorted(map(str, unknown)))} is not known")
    return found


def _week(told: Any, where: str) -> Week:
    week: dict[str, Hours | None] = {}
    for days, hours in _mapping(told, f"{where} hours").items():
        for day in _days(str(days), where):
            if day in week:
                raise WrongRules(f"{where}: {day} has hours twice")
            week[day] = _hours(hours, where)
    if missing := [day for day in DAYS if day not in week]:
        raise WrongRules(f"{where}: {', '.join(missing)} has no hours")
    if not any(week.values()):
        raise WrongRules(f"{where}: it is closed on every day")
    return tuple(week[day] for day in DAYS)


def _days(told: str, where: str) -> tuple[str, ...]:
    if told == "all":
        return DAYS
    first, _, last = told.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise WrongRules(f"{where}: {told} is no day of the week")
    begins, ends = DAYS.index(first), DAYS.index(last or first)
    if ends < begins:
        raise WrongRules(f"{where}: {told} runs backwards")
    return DAYS[begins : ends + 1]


def _hours(told: Any, where: str) -> Hours | None:
    if told == "closed":
        return None
    begins, dash, ends = str(told).partition("-")
    try:
        if not dash or {len(begins), len(ends)} != {5}:
            raise ValueError
        return Hours(time.fromisoformat(begins), time.fromisoformat(ends))
    except ValueError:
        raise WrongRules(f'{where}: {told} is not like "08:00-21:00"') from None


def _area_codes(told: Any, where: str) -> list[str]:
    if not isinstance(told, list) or not all(_AREA_CODE.fullmatch(str(code)) for code in told):
        raise WrongRules(f"{where}: area codes are numbers of three digits")
    return [str(code) for code in told]


def _zones(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not told:
        raise WrongRules("where_unknown: one time zone at least is expected here")
    for zone in told:
        if not known_zone(zone):
            raise WrongRules(f"where_unknown: {zone} is no time zone")
    return tuple(told)


def known_zone(name: object) -> bool:
    """Whether it is the name of a time zone (IANA)."""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)
