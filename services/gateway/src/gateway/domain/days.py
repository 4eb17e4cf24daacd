"""An organisation's days as instants: they begin at midnight in its time zone; pure."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def local_day(at: datetime, zone: str) -> date:
    """Return the date that it is in a time zone at an instant."""
    return at.astimezone(zone_of(zone)).date()


def start_of(day: date, zone: str) -> datetime:
    """Return the instant at which a day begins; where midnight is skipped, its first instant."""
    return datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """Return the instant at which a day ends, which is the next one's beginning."""
    return start_of(day + timedelta(days=1), zone)


def zone_of(zone: str) -> ZoneInfo:
    """Return a time zone that is known to exist."""
    return ZoneInfo("Etc/UTC" if zone == "UTC" else zone)


def quarter_of(at: datetime) -> datetime:
    """Return the instant at which the quarter of an hour began; no zone's day begins within one."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
