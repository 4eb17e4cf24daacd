"""TM-10, TM-15, X-4: when a campaign's texts leave, foreseen."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.fakes import NOON
from tests.gateway.test_domain import DEFINITION, NUMBERS, preview, settings_of

from contracts.events.audience import AudiencePreviewRequested, Reason
from contracts.events.campaign import Audience, CampaignDefinition, Mode, Purpose
from contracts.events.organization import Prices
from gateway.domain.days import end_of, local_day, start_of
from gateway.domain.forecast import Forecast, Pace, forecast
from gateway.domain.records import Preview
from gateway.domain.summary import Standing, Summary, summarise
from timing.quiet import standard

RULES = standard()
EAST = "US-NY America/New_York"
WEST = "US-CA America/Los_Angeles"
MIDNIGHT = datetime.fromisoformat("2026-03-03T00:00:00+00:00")


def course(segments: int, **pace: Any) -> Forecast:
    given_pace: dict[str, Any] = {"rate": 4.0, "time_zone": "UTC", **pace}
    return forecast({"": segments}, Pace(**given_pace), begins=NOON, at=NOON)


def test_tm15_40000_segments_at_3000_a_day_take_fourteen_days() -> None:
    found = course(40_000, per_day=3_000)
    days = list(found.by_day("UTC").values())
    assert days == [3_000] * 13 + [1_000]
    assert found.left_out == 0
    assert found.ends == MIDNIGHT + timedelta(days=12, seconds=250)


def test_tm15_what_was_used_today_and_what_waits_comes_off_the_first_day() -> None:
    found = course(4_000, per_day=3_000, used_today=1_000, queued=1_000)
    # They share the number until the queue is empty.
    assert found.by_day("UTC") == {local_day(NOON, "UTC"): 1_000, date(2026, 3, 3): 3_000}
    assert course(1, per_day=3_000, used_today=9_999).by_day("UTC") == {date(2026, 3, 3): 1}


def test_tm15_what_is_over_the_day_is_left_out_where_the_organisation_says_so() -> None:
    found = course(4_000, per_day=3_000, waits_for_days=False)
    assert (found.by_day("UTC"), found.left_out) == ({local_day(NOON, "UTC"): 3_000}, 1_000)


def test_x8_a_small_campaign_beside_a_large_one_gets_every_other_text() -> None:
    small = course(100, queued=9_000)
    assert small.ends == NOON + timedelta(seconds=50)
    large = course(9_000, queued=100)
    assert large.ends == NOON + timedelta(seconds=9_100 / 4)


def test_a_day_is_the_organisation_s() -> None:
    zone = "America/New_York"
    found = course(6_000, per_day=3_000, time_zone=zone)
    assert found.by_day(zone) == {date(2026, 3, 2): 3_000, date(2026, 3, 3): 3_000}
    assert found.spans[1].begins == datetime.fromisoformat("2026-03-03T05:00:00+00:00")


def test_what_can_never_be_sent_has_no_end() -> None:
    found = course(5, per_day=0)
    assert (found.spans, found.ends) == ((), None)
    assert course(2_000_000, per_day=1).ends is None


def test_x4_a_promotional_campaign_waits_for_the_members_morning() -> None:
    at = datetime.fromisoformat("2026-03-03T09:00:00+00:00")  # 4 in New York, 1 in Los Angeles.
    pace = Pace(rate=4.0, time_zone="UTC", window=lambda k, t: RULES.window(RULES.place(k), t))
    found = forecast({EAST: 40, WEST: 80}, pace, begins=at, at=at)
    assert [(each.begins, each.segments) for each in found.spans] == [
        (datetime.fromisoformat("2026-03-03T13:00:00+00:00"), 40),
        (datetime.fromisoformat("2026-03-03T16:00:00+00:00"), 80),
    ]
    assert found.ends == datetime.fromisoformat("2026-03-03T16:00:20+00:00")


PACES = st.builds(
    Pace,
    rate=st.floats(min_value=0.5, max_value=100),
    time_zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    per_day=st.none() | st.integers(50, 5_000),
    used_today=st.integers(0, 6_000),
    waits_for_days=st.booleans(),
    queued=st.integers(0, 5_000),
    window=st.sampled_from([None, lambda k, t: RULES.window(RULES.place(k), t)]),
)
WORK = st.dictionaries(st.sampled_from([EAST, WEST, ""]), st.integers(0, 9_000))
AT = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone.
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001 - the same.
    timezones=st.just(UTC),
)


@given(WORK, PACES, AT, st.integers(0, 100_000))
def test_tm10_every_segment_leaves_once_or_is_left_out_within_the_limits(
    work: dict[str, int], pace: Pace, at: datetime, ahead: int
) -> None:
    begins = at + timedelta(seconds=ahead)
    found = forecast(work, pace, begins=begins, at=at)
    sent = sum(each.segments for each in found.spans)
    assert sent + found.left_out == sum(work.values())
    assert not found.left_out or not pace.waits_for_days
    for day, segments in found.by_day(pace.time_zone).items():
        assert pace.per_day is None or segments <= pace.per_day
        room = (end_of(day, pace.time_zone) - start_of(day, pace.time_zone)).total_seconds()
        assert segments <= room * pace.rate + 1
    assert found.ends is not None
    before = begins
    for each in found.spans:
        assert before <= each.begins <= each.ends
        assert each.segments <= (each.ends - each.begins).total_seconds() * pace.rate + 0.1
        before = each.begins
    assert not found.spans or found.spans[-1].ends == found.ends


def summary_of(
    definition: CampaignDefinition = DEFINITION,
    *,
    used: int = 0,
    queued: int = 0,
    due_at: datetime | None = None,
    settings: dict[str, Any] | None = None,
    **counts: Any,
) -> Summary:
    request = AudiencePreviewRequested(
        organization_id=uuid4(),
        occurred_at=NOON,
        sequence=1,
        preview_id=uuid4(),
        campaign_id=uuid4(),
        audience=Audience(iqa_path="$/M", phone_column="Phone", id_column="ID"),
        template="Hello",
        from_number=NUMBERS[0].number,
        one_text_per_phone=False,
        default_country="US",
    )
    return summarise(
        Preview(request, preview(**counts)),
        definition,
        settings_of(**(settings or {})),
        standing=Standing(used, queued, NOON),
        due_at=due_at,
        rules=RULES,
    )


def test_a_summary_adds_up() -> None:
    summary = summary_of(
        recipients=5,
        segments=9,
        excluded={Reason.NO_NUMBER: 1, Reason.OPTED_OUT: 2},
        due_at=NOON - timedelta(days=1),
    )
    assert (summary.state, summary.segments_left_today) == ("done", 3000)
    assert (summary.estimated_begin, summary.estimated_seconds) == (NOON, 3.0)
    assert summary.estimated_end == NOON + timedelta(seconds=3)
    assert summary.excluded == {"no_number": 1, "opted_out": 2}
    assert summary.segments_by_day == {local_day(NOON, "UTC"): 9}
    assert (summary.estimated_cost, summary.currency) == (None, None)


def test_tm10_a_used_up_day_puts_it_off_until_the_next() -> None:
    summary = summary_of(segments=9, recipients=9, used=3_000)
    assert summary.segments_left_today == 0
    assert (summary.estimated_begin, summary.estimated_seconds) == (MIDNIGHT, 3.0)


def test_tm15_what_is_over_the_campaign_s_limit_is_told_and_costs_nothing() -> None:
    summary = summary_of(
        segments=10_500,
        settings={
            "segments_per_day": 20_000,
            "prices": Prices(currency="EUR", segment=Decimal("0.01")),
        },
    )
    assert summary.segments_over_run_limit == 500
    assert (summary.estimated_cost, summary.currency) == (Decimal("100.00"), "EUR")
    assert sum(summary.segments_by_day.values()) == 10_000


def test_tm6_a_test_costs_nothing_takes_no_time_and_knows_no_limit() -> None:
    test = DEFINITION.model_copy(update={"mode": Mode.TEST})
    price = {"prices": Prices(segment=Decimal("0.01"))}
    summary = summary_of(test, segments=40_000, used=3_000, settings=price)
    assert summary.segments_over_run_limit == 0
    assert summary.estimated_end == summary.estimated_begin == NOON
    assert (summary.estimated_cost, summary.segments_by_day) == (None, {})


def test_x4_an_informational_campaign_is_warned_of_the_hours_that_it_would_text_at() -> None:
    at = datetime.fromisoformat("2026-03-03T03:00:00+00:00")  # 22 in New York, 19 in Los Angeles.
    counts: dict[str, Any] = {
        "recipients": 30,
        "segments": 30,
        "messages_by_place": {EAST: 20, WEST: 10},
        "segments_by_place": {EAST: 20, WEST: 10},
    }
    assert summary_of(due_at=at, **counts).texted_at_night == {22: 20}
    assert summary_of(**counts).texted_at_night == {4: 10, 7: 20}
    assert summary_of(due_at=NOON + timedelta(hours=6), **counts).texted_at_night == {}
    promotional = DEFINITION.model_copy(update={"purpose": Purpose.PROMOTIONAL})
    held = summary_of(promotional, due_at=at, **counts)
    assert held.texted_at_night == {}
    # Los Angeles is texted that evening, New York from 8 in the morning on.
    assert held.estimated_begin == at
    assert held.estimated_end == datetime.fromisoformat("2026-03-03T13:00:00+00:00") + timedelta(
        seconds=6.667
    )


def test_x4_what_is_at_no_place_that_the_rules_know_is_held_back_by_no_hours() -> None:
    promotional = DEFINITION.model_copy(update={"purpose": Purpose.PROMOTIONAL})
    places = {"nowhere at all": 4, EAST: 2}
    summary = summary_of(promotional, segments=9, segments_by_place=places)
    # It is 7 in the morning in New York: only its two wait, for an hour.
    assert (summary.estimated_begin, sum(summary.segments_by_day.values())) == (NOON, 9)
    assert summary.estimated_end == NOON + timedelta(hours=1, seconds=0.667)
    assert summary_of(segments=4, messages_by_place={"nowhere": 4}).texted_at_night == {}


@pytest.mark.parametrize(("failure", "state"), [(None, "counting"), ("gone", "failed")])
def test_a_summary_without_counts_says_so(failure: str | None, state: str) -> None:
    known = summary_of(failure="gone")
    assert (known.state, known.failure) == ("failed", "gone")
    request = Preview(
        AudiencePreviewRequested(
            organization_id=uuid4(),
            occurred_at=NOON,
            sequence=1,
            preview_id=uuid4(),
            campaign_id=uuid4(),
            audience=Audience(iqa_path="$/M", phone_column="Phone", id_column="ID"),
            template="Hello",
            from_number=NUMBERS[0].number,
            one_text_per_phone=False,
            default_country="US",
        ),
        None if failure is None else preview(failure=failure),
        rows_read=7,
        rows_expected=9,
    )
    summary = summarise(
        request,
        DEFINITION,
        settings_of(),
        standing=Standing(0, 0, NOON),
        due_at=None,
        rules=RULES,
    )
    assert (summary.state, summary.estimated_begin) == (state, None)
    assert failure is not None or (summary.rows_read, summary.rows_expected) == (7, 9)
