"""A member's own time zone, as a row tells it."""

from functools import cache
from zoneinfo import available_timezones

# What a machine has of its own, and no member's.
_NOT_A_PLACE = frozenset({"Factory", "localtime"})


def zone_of(told: str) -> str:
    """Return an IANA name as the row has it, or nothing for what is none."""
    name = told.strip()
    return name if name in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_A_PLACE)
