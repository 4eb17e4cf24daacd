"""How many members an informational campaign would text at an unusual hour (X-4); pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.forecast import Forecast, Span
from timing.quiet import Place, Rules

_HOUR = timedelta(hours=1)


def texted_at_night(
    messages_by_place: Mapping[str, int], course: Forecast, rules: Rules
) -> dict[int, int]:
    """Return so many texts by the local hour at which they would come, outside the usual hours.

    Each place's texts are taken to be spread evenly over the whole sending.
    """
    sent = sum(each.segments for each in course.spans)
    by_hour: dict[int, float] = {}
    for key, messages in messages_by_place.items():
        if (place := known_place(key, rules)) is None:
            continue
        for span in course.spans:
            share = messages * span.segments / sent
            for hour, part in _closed_hours(place, span, rules):
                by_hour[hour] = by_hour.get(hour, 0.0) + share * part
    return {hour: round(count) for hour, count in sorted(by_hour.items()) if round(count)}


def known_place(key: str, rules: Rules) -> Place | None:
    """Return the place of a name; None where these rules know no such place."""
    try:
        return rules.place(key)
    except ValueError:
        return None


def _closed_hours(place: Place, span: Span, rules: Rules) -> list[tuple[int, float]]:
    """Return the local hours of a span in which a place is closed, as parts of the span."""
    found: list[tuple[int, float]] = []
    whole = (span.ends - span.begins).total_seconds()
    at = span.begins
    while True:
        window = rules.window(place, at)
        next_hour = at.replace(minute=0, second=0, microsecond=0) + _HOUR
        until = min(span.ends, window.until, next_hour)
        if not window.is_open:
            part = (until - at).total_seconds() / whole if whole else 1.0
            found.append((_local_hour(place, at), part))
        if until >= span.ends:
            return found
        at = until


def _local_hour(place: Place, at: datetime) -> int:
    return at.astimezone(ZoneInfo(place.zones[0])).hour
