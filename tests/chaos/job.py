"""A recurring campaign whose times come while everything is being killed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

APART = timedelta(seconds=20)
AHEAD = timedelta(seconds=20)
"""How long before its first time it is scheduled, at least."""
MINUTES = 5
MOST = 12
# Zones half an hour apart: in one of them no hour ends in the next minutes.
ZONES = ("UTC", "Asia/Kolkata")


@dataclass(slots=True)
class Job:
    """When it runs, as staff write it, and each of its local times with its offset."""

    recurrence: dict[str, Any]
    times: list[str]
    campaign_id: str = field(default="")


def drawn_up(occurrences: int, now: datetime | None = None) -> Job:
    """Return a job that runs every 20 s from in a moment on, so often."""
    if not 0 < occurrences <= MOST:
        raise ValueError(f"a job has 1 to {MOST} times, not {occurrences}")
    at = (now or datetime.now(UTC)) + AHEAD
    zone, local = next(
        (zone, local)
        for zone in ZONES
        if (local := at.astimezone(ZoneInfo(zone)).replace(microsecond=0, tzinfo=None)).minute
        < 60 - MINUTES
    )
    begin = local.replace(second=local.second % int(APART.total_seconds()))
    marks = [begin + number * APART for number in range(3)]
    minutes = ",".join(str(local.minute + number) for number in range(MINUTES))
    seconds = ",".join(str(mark.second) for mark in marks)
    rule = (
        f"FREQ=DAILY;BYHOUR={local.hour};BYMINUTE={minutes};BYSECOND={seconds};COUNT={occurrences}"
    )
    return Job(
        {"rule": rule, "starts": local.isoformat(), "time_zone": zone, "missed": "run_all"},
        [
            (local + number * APART).replace(tzinfo=ZoneInfo(zone)).isoformat()
            for number in range(occurrences)
        ],
    )
