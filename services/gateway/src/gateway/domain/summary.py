"""What a campaign would take if it ran: the summary before saving (TM-10); pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from contracts.events.audience import AudiencePreviewed, Reason, Sample
from contracts.events.campaign import CampaignDefinition, Mode, Purpose
from contracts.events.organization import OrganizationSettings
from gateway.domain.forecast import Forecast, Pace, Window, forecast
from gateway.domain.nights import known_place, texted_at_night
from gateway.domain.records import Preview
from timing.quiet import Rules


@dataclass(frozen=True, slots=True)
class Summary:
    """Who would be sent to, in how many segments, what it costs, and how long that takes."""

    state: Literal["counting", "done", "failed"]
    rows_read: int = 0
    rows_expected: int | None = None
    contacts_returned: int = 0
    will_be_sent_to: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    estimated_segments: int = 0
    messages_by_segments: Mapping[int, int] = field(default_factory=dict)
    lacking_values: int = 0
    lacking_by_field: Mapping[str, int] = field(default_factory=dict)
    ucs2_messages: int = 0
    ucs2_characters: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    segments_left_today: int | None = None
    segments_left_for_run: int | None = None
    segments_over_run_limit: int = 0
    """So many would be left out: the campaign is over its limit (TM-15)."""
    segments_over_day_limit: int = 0
    """So many would be left out, where texts over the day's limit don't wait."""
    queued_segments: int = 0
    """What waits to leave from the same number already."""
    estimated_seconds: float | None = 0.0
    estimated_begin: datetime | None = None
    estimated_end: datetime | None = None
    segments_by_day: Mapping[date, int] = field(default_factory=dict)
    texted_at_night: Mapping[int, int] = field(default_factory=dict)
    """How many members would be texted at which local hour, outside of the usual hours."""
    estimated_cost: Decimal | None = None
    currency: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with the organisation's sending when the summary is looked at."""

    segments_today: int
    queued_segments: int
    at: datetime


def summarise(
    preview: Preview,
    definition: CampaignDefinition,
    settings: OrganizationSettings,
    *,
    standing: Standing,
    due_at: datetime | None,
    rules: Rules,
) -> Summary:
    """Work out the summary; it is "counting" until the preview has come."""
    counted = preview.result
    if counted is None:
        return Summary("counting", preview.rows_read, preview.rows_expected)
    if counted.failure is not None:
        return Summary("failed", failure=counted.failure)
    live = definition.mode is Mode.LIVE
    over = max(0, counted.segments - settings.segments_per_run) if live else 0
    begin = max(due_at or standing.at, standing.at)
    pace = _pace(definition, settings, preview.request.from_number, standing, rules=rules)
    if live:
        places = _without(over, _places_of(counted, rules))
        course = forecast(places, pace, begins=begin, at=standing.at)
    else:
        # Nothing leaves, so neither limits nor a rate hold it up.
        course = Forecast((), 0, begin)
    leaving = counted.segments - over - course.left_out
    left_out = _messages_of(course.left_out, counted)
    excluded = {str(reason): count for reason, count in counted.excluded.items()}
    if left_out:
        excluded[str(Reason.OVER_DAY_LIMIT)] = left_out
    first = course.spans[0].begins if course.spans else begin
    seconds = None if course.ends is None else (course.ends - first).total_seconds()
    price = settings.prices.segment if live else None
    at_night = {}
    if definition.purpose is Purpose.INFORMATIONAL and live:
        at_night = texted_at_night(counted.messages_by_place, course, rules)
    return Summary(
        state="done",
        rows_read=counted.contacts_returned,
        rows_expected=counted.contacts_returned,
        contacts_returned=counted.contacts_returned,
        will_be_sent_to=counted.recipients - left_out,
        excluded=excluded,
        estimated_segments=counted.segments - course.left_out,
        messages_by_segments=dict(counted.messages_by_segments),
        lacking_values=counted.lacking_values,
        lacking_by_field=dict(counted.lacking_by_field),
        ucs2_messages=counted.ucs2_messages,
        ucs2_characters=dict(counted.ucs2_characters),
        samples=counted.samples,
        segments_left_today=max(0, settings.segments_per_day - standing.segments_today),
        segments_left_for_run=settings.segments_per_run,
        segments_over_run_limit=over,
        segments_over_day_limit=course.left_out,
        queued_segments=standing.queued_segments,
        estimated_seconds=seconds,
        estimated_begin=first,
        estimated_end=course.ends,
        segments_by_day=course.by_day(settings.time_zone),
        texted_at_night=at_night,
        estimated_cost=None if price is None else price * leaving,
        currency=None if price is None else settings.prices.currency,
    )


def _messages_of(segments: int, counted: AudiencePreviewed) -> int:
    """Return how many texts so many segments are; exact where all are of one size."""
    if not segments:
        return 0
    return min(counted.recipients, -(-segments * counted.recipients // counted.segments))


def _pace(
    definition: CampaignDefinition,
    settings: OrganizationSettings,
    from_number: str,
    standing: Standing,
    *,
    rules: Rules,
) -> Pace:
    number = next((each for each in settings.numbers if each.number == from_number), None)
    own = None if number is None else number.segments_per_day
    return Pace(
        rate=1.0 if number is None else number.segments_per_second,
        time_zone=settings.time_zone,
        per_day=settings.segments_per_day if own is None else min(own, settings.segments_per_day),
        used_today=standing.segments_today,
        waits_for_days=settings.over_day_limit == "hold",
        queued=standing.queued_segments,
        window=_window_of(rules) if definition.purpose is Purpose.PROMOTIONAL else None,
    )


def _window_of(rules: Rules) -> Window:
    return lambda place, at: rules.window(rules.place(place), at)


def _places_of(counted: AudiencePreviewed, rules: Rules) -> dict[str, int]:
    """Return the segments by place; those of no known place stand under an empty name."""
    places = {
        key: segments
        for key, segments in counted.segments_by_place.items()
        if known_place(key, rules) is not None
    }
    elsewhere = counted.segments - sum(places.values())
    return places | {"": elsewhere} if elsewhere > 0 else places


def _without(over: int, places: dict[str, int]) -> dict[str, int]:
    for place in sorted(places, reverse=True):
        cut = min(over, places[place])
        places[place] -= cut
        over -= cut
    return places
