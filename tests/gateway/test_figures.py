"""The organisation's figures: its home page, followed live, and what it used."""

import asyncio
import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import Rig
from tests.gateway.test_campaigns import drafted
from tests.gateway.test_runs import DEMO, scheduled, until

from contracts.events.consent import ReviewStatus
from contracts.events.organization import Prices
from gateway.domain.days import end_of, local_day, quarter_of, start_of
from gateway.domain.usage import Amount, key_of, lines, total
from readmodels.views import (
    ChargeBucket,
    ChargeOutcome,
    HeldActivities,
    ReviewView,
    RunKind,
    UsageView,
)

USED = UsageView(
    texts_today=10,
    segments_today=2999,
    texts_this_month=20,
    segments_this_month=5000,
    texts_lifetime=30,
    failed_lifetime=4,
)


def bucket(start: datetime, outcome: str = "charged", **changes: Any) -> ChargeBucket:
    whole: dict[str, Any] = {
        "start": start,
        "campaign_id": UUID(int=1),
        "purpose": RunKind.CAMPAIGN,
        "outcome": ChargeOutcome(outcome),
        "messages": 1,
        "segments": 2,
    }
    return ChargeBucket(**whole | changes)


async def test_tm3_the_dashboard_has_every_figure_of_the_guide(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    await scheduled(staff)
    draft = await drafted(staff)
    await staff.delete(f"/v1/campaigns/{draft['campaign_id']}")
    rig.models.used = USED
    shown = (await staff.get("/v1/dashboard")).json()
    exact = dict.fromkeys(
        ("draft", "scheduled", "sending", "paused", "completed", "cancelled", "archived"), 0
    )
    assert shown == {
        "performance_level": "Flex",
        "day": "2026-03-02",
        "time_zone": "UTC",
        "texts_today": 10,
        "texts_this_month": 20,
        "texts_lifetime": 30,
        "failed_lifetime": 4,
        "segments_per_day": 3000,
        "segments_used_today": 2999,
        "segments_left_today": 1,
        "stages": {"draft": 0, "scheduled": 1, "in_process": 0, "completed": 0, "archived": 0},
        "campaigns": exact | {"scheduled": 1},
        "stopped": None,
        "activities_held": None,
        "open_reviews": 0,
    }
    assert (await stranger.get("/v1/dashboard")).json()["campaigns"]["scheduled"] == 0


async def test_tm3_paused_is_in_process_and_cancelled_is_completed(rig: Rig, staff: Client) -> None:
    for command, stage in (("pause", "in_process"), ("cancel", "completed")):
        campaign = await scheduled(staff, at="2026-03-05T00:00:00Z")
        path = f"/v1/campaigns/{campaign['campaign_id']}/{command}"
        assert (await staff.post(path, {})).status == 200
        stages = (await staff.get("/v1/dashboard")).json()["stages"]
        assert stages[stage] == 1, command


async def test_tm3_a_day_and_a_month_are_the_organisations_own(rig: Rig, staff: Client) -> None:
    await staff.patch("/v1/settings", {"time_zone": "America/New_York"})
    rig.clock.at = datetime(2026, 3, 1, 4, 59, tzinfo=UTC)
    shown = (await staff.get("/v1/dashboard")).json()
    assert (shown["day"], shown["time_zone"]) == ("2026-02-28", "America/New_York")
    assert rig.models.days_asked[-1] == (
        datetime(2026, 2, 28, 5, tzinfo=UTC),
        datetime(2026, 3, 1, 5, tzinfo=UTC),
        datetime(2026, 2, 1, 5, tzinfo=UTC),
    )


async def test_tm3_the_dashboard_says_what_stands_still(rig: Rig, staff: Client) -> None:
    sequence = (await rig.published())[-1].event.sequence
    held = HeldActivities(settings_sequence=sequence, reason="The password expired.", since=NOON)
    rig.models.held[DEMO] = held
    review = ReviewView(
        review_id=uuid4(),
        number="+14155552671",
        from_number="+18885550123",
        text="please stop",
        received_at=NOON,
        status=ReviewStatus.OPEN,
        by="",
    )
    done = review.model_copy(update={"review_id": uuid4(), "status": ReviewStatus.DISMISSED})
    rig.models.to_read[DEMO] = [review, done]
    assert (await staff.post("/v1/stop", {"reason": "Wrong list"})).status in {200, 202}
    shown = (await staff.get("/v1/dashboard")).json()
    assert shown["stopped"]["reason"] == "Wrong list"
    assert shown["open_reviews"] == 1
    # The stop made newer settings, as any edit does; none of that mends the account.
    assert shown["activities_held"]["reason"] == "The password expired."
    account = {"url": "https://imis.example.org", "username": "runs", "password": "new"}
    assert (await staff.put("/v1/settings/imis", account)).status == 200
    assert (await staff.get("/v1/dashboard")).json()["activities_held"] is None


async def test_tm3_the_dashboard_is_told_anew_when_something_changes_and_only_then(
    rig: Rig, staff: Client
) -> None:
    object.__setattr__(
        rig.gateway, "own", rig.gateway.own.model_copy(update={"heartbeat_seconds": 0.05})
    )
    async with staff.stream("/v1/dashboard/events") as parts:
        assert b'"texts_today":0' in await until(parts, b"event: dashboard")
        rig.models.used = USED
        # Nothing says that anything changed: a sign of life, and no figures.
        assert await asyncio.wait_for(parts.get(), timeout=5) == b": alive\n\n"
        rig.models.markers[DEMO] = 1
        assert b'"texts_today":10' in await until(parts, b"event: dashboard")
        await staff.patch("/v1/settings", {"segments_per_day": 5000})
        assert b'"segments_left_today":2001' in await until(parts, b"event: dashboard")
        await staff.delete("/v1/sessions/current")
        while await asyncio.wait_for(parts.get(), timeout=5) is not None:
            pass


async def test_tm22_usage_tells_charged_and_not_and_why_and_what_it_costs(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    campaign, single = UUID(int=1), UUID(int=2)
    rig.models.names[DEMO] = {campaign: "Renewal"}
    rig.models.charged[DEMO] = [
        bucket(NOON, messages=3, segments=5),
        bucket(NOON + timedelta(days=1), messages=1, segments=1),
        bucket(NOON, "failed", messages=2, segments=2),
        bucket(NOON, "opted_out", messages=1, segments=1),
        bucket(NOON, "simulated", messages=9, segments=9),
        bucket(NOON, campaign_id=single, purpose=RunKind.URGENT),
        bucket(NOON - timedelta(days=3), messages=100, segments=100),
    ]
    month = "from=2026-03-01&to=2026-03-31"
    shown = (await staff.get(f"/v1/usage?{month}")).json()
    assert [each["key"] for each in shown["items"]] == ["2026-03-02", "2026-03-03"]
    first, whole = shown["items"][0], shown["total"]
    assert first["charged"] == {"messages": 4, "segments": 7}
    assert first["uncharged"] == {
        "failed": {"messages": 2, "segments": 2},
        "opted_out": {"messages": 1, "segments": 1},
        "simulated": {"messages": 9, "segments": 9},
    }
    assert (whole["charged"]["segments"], whole["cost"]) == (8, None)
    prices = {"segment": "0.0083", "failed_message": "0.001", "currency": "EUR"}
    assert (await staff.patch("/v1/settings", {"prices": prices})).status == 200
    shown = (await staff.get(f"/v1/usage?{month}&by=month")).json()
    assert [each["key"] for each in shown["items"]] == ["2026-03"]
    assert (shown["total"]["cost"], shown["currency"]) == ("0.0684", "EUR")
    shown = (await staff.get(f"/v1/usage?{month}&by=campaign")).json()
    named = {each["key"]: each["name"] for each in shown["items"]}
    assert named == {str(campaign): "Renewal", str(single): "urgent"}
    assert shown["total"]["charged"] == whole["charged"]
    assert (await stranger.get(f"/v1/usage?{month}")).json()["items"] == []


async def test_tm22_usage_is_exported_as_csv(rig: Rig, staff: Client) -> None:
    rig.models.names[DEMO] = {UUID(int=1): "=1+1"}
    rig.models.charged[DEMO] = [bucket(NOON), bucket(NOON, "refused", messages=4, segments=4)]
    got = await staff.get("/v1/usage.csv?by=campaign")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(got.body.decode("utf-8-sig"))))
    assert [each["name"] for each in rows] == ["'=1+1", ""]
    assert [each["refused_messages"] for each in rows] == ["4", "4"]
    assert rows[-1]["campaign"] == "total"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("from=2026-03-02&to=2026-03-01", "from"),
        ("from=2000-01-01&to=2026-03-01", "from"),
        ("from=1999-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("by=hour", "by"),
    ],
)
async def test_tm22_a_time_that_makes_no_sense_is_named(
    staff: Client, asked: str, field: str
) -> None:
    got = await staff.get(f"/v1/usage?{asked}")
    assert got.status == 422
    assert field in {each["field"] for each in got.json()["errors"]}


async def test_tm22_by_default_it_is_this_month_so_far(rig: Rig, staff: Client) -> None:
    shown = (await staff.get("/v1/usage")).json()
    assert (shown["first"], shown["last"]) == ("2026-03-01", "2026-03-02")


ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
)
DAYS = st.dates(date(2005, 1, 1), date(2035, 12, 31))


@given(DAYS, ZONES)
def test_tm22_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    begins, ends = start_of(day, zone), end_of(day, zone)
    assert ends == start_of(day + timedelta(days=1), zone)
    assert quarter_of(begins) == begins, "a day is made of whole quarters of an hour"
    if begins < ends:
        assert local_day(begins, zone) == local_day(ends - timedelta(microseconds=1), zone) == day
    assert begins.astimezone(ZoneInfo(zone)).date() >= day


@given(
    st.lists(
        st.builds(
            bucket,
            st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
            st.sampled_from([each.value for each in ChargeOutcome]),
            campaign_id=st.sampled_from([UUID(int=1), UUID(int=2)]),
            messages=st.integers(0, 50),
            segments=st.integers(0, 90),
        )
    ),
    ZONES,
)
def test_tm22_however_it_is_parted_the_total_agrees_to_the_segment(
    found: list[ChargeBucket], zone: str
) -> None:
    wholes = [total(lines(found, key_of(by, zone))) for by in ("day", "month", "campaign")]
    assert wholes[0] == wholes[1] == wholes[2]
    charged = [each for each in found if each.outcome is ChargeOutcome.CHARGED]
    assert wholes[0].charged == Amount(
        sum(each.messages for each in charged), sum(each.segments for each in charged)
    )
    assert sum(each.segments for each in wholes[0].uncharged.values()) == sum(
        each.segments for each in found if each not in charged
    )
    prices = Prices(segment=Decimal("0.01"))
    assert wholes[0].cost(prices) == wholes[0].charged.segments * Decimal("0.01")
