"""TM-9, TM-10, TM-15: scheduling names all that stands against it, and counts before."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.client import Client, Got
from tests.gateway.fakes import MEMBERS, NOON, PROMPTED
from tests.gateway.rig import AUDIENCE, CAMPAIGN, NUMBER, Rig, field_names, rigged
from tests.gateway.test_campaigns import LATER, drafted
from tests.gateway.test_summaries import asked, deliver, preview_of

from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignScheduled, CampaignStatus, Missed
from contracts.ids import organization_id
from gateway.domain.uploads import Upload
from imis_client import TryAgain

DEMO = organization_id("DEMO")
DAILY = {"rule": "FREQ=DAILY", "starts": "2026-03-03T08:10:00", "time_zone": "America/New_York"}
JOB = {"kind": "recurring", "recurrence": DAILY}


async def scheduled(staff: Client, campaign: Any, **fields: Any) -> Got:
    return await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/schedule", fields)


async def test_tm9_a_recurring_campaign_is_scheduled_by_its_recurrence(
    rig: Rig, staff: Client
) -> None:
    campaign = await drafted(staff, **JOB)
    assert campaign["recurrence"] == DAILY | {"missed": "run_once"}
    got = await scheduled(staff, campaign)
    assert got.status == 200, got.body
    assert (got.json()["status"], got.json()["due_at"], got.json()["run_id"]) == (
        "scheduled",
        None,
        None,
    )
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignScheduled)
    assert event.definition.recurrence is not None
    assert event.definition.recurrence.missed is Missed.RUN_ONCE
    timed = await scheduled(staff, await drafted(staff, **JOB), at=LATER)
    assert (timed.status, field_names(timed.body)) == (422, {"at"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "FREQ=SECONDLY"},
        {"rule": "EVERY DAY"},
        {"rule": "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2"},
        {"time_zone": "Mars/Olympus"},
        {"starts": "2026-03-03T08:10:00Z"},
        {"starts": "soon"},
        {"starts": 17},
        {"missed": "never"},
    ],
)
async def test_x5_a_recurrence_that_can_not_be_followed_is_refused(
    staff: Client, wrong: dict[str, Any]
) -> None:
    got = await staff.post("/v1/campaigns", CAMPAIGN | JOB | {"recurrence": DAILY | wrong})
    assert got.status == 422
    (field,) = field_names(got.body)
    assert field.startswith("recurrence")


async def test_tm9_everything_that_a_job_lacks_is_named_at_once(rig: Rig, staff: Client) -> None:
    bare = await staff.post(
        "/v1/campaigns",
        {"name": "Job", "kind": "recurring", "write_to": "communication_log"},
    )
    got = await scheduled(staff, bare.json())
    assert got.status == 422
    assert field_names(got.body) == {"audience", "template", "recurrence", "log_subject"}
    ended = DAILY | {"rule": "FREQ=DAILY;UNTIL=20260301"}
    over = await drafted(staff, **(JOB | {"recurrence": ended | {"starts": "2026-02-01T08:00:00"}}))
    assert field_names((await scheduled(staff, over)).body) == {"recurrence"}


async def test_tm19_a_number_with_a_limit_of_its_own_may_send_before_it_is_verified(
    rig: Rig,
) -> None:
    pending = {"number": NUMBER, "verification": "pending"}
    for number, status in ((pending, 422), (pending | {"segments_per_day": 50}, 200)):
        await rig.organization(numbers=[number])
        staff = await rig.staff()
        assert (await scheduled(staff, await drafted(staff))).status == status


async def test_tm8_both_missing_activity_types_are_named_at_once(rig: Rig, staff: Client) -> None:
    rig.imis.types = {"TEXTMSG": False, "TEXTUNSUB": False}
    campaign = await drafted(staff)
    [fault] = (await scheduled(staff, campaign)).json()["errors"]
    assert fault["field"] == "write_to"
    assert all(f"no activity type {code}." in fault["detail"] for code in rig.imis.types)


async def test_tm8_a_missing_activity_type_is_named_with_how_to_create_it(
    rig: Rig, staff: Client
) -> None:
    rig.imis.types["TEXTUNSUB"] = False
    got = await scheduled(staff, await drafted(staff))
    (fault,) = got.json()["errors"]
    assert (got.status, fault["field"]) == (422, "write_to")
    assert "TEXTUNSUB" in fault["detail"]
    assert "Settings > Contacts > Activity Types" in fault["detail"]
    # Both are needed by who writes activities, one by who writes to the log, none by others.
    log = await drafted(staff, write_to="communication_log", log_subject="Text")
    assert (await scheduled(staff, log)).status == 422
    assert (await scheduled(staff, await drafted(staff, write_to="nothing"))).status == 200
    assert (await scheduled(staff, await drafted(staff, mode="TEST"))).status == 200
    rig.imis.types["TEXTUNSUB"] = None
    assert (await scheduled(staff, await drafted(staff))).status == 200


async def test_tm8_an_edit_can_not_sneak_past_the_check(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff, write_to="nothing")
    assert (await scheduled(staff, campaign, at=LATER)).status == 200
    rig.imis.types["TEXTMSG"] = False
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    got = await staff.patch(path, {"write_to": "activity"})
    assert (got.status, field_names(got.body)) == (422, {"write_to"})


async def test_what_is_missing_is_named_even_when_imis_is_away(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff, template="")
    rig.imis.fails_with = TryAgain("away")
    got = await scheduled(staff, campaign)
    assert (got.status, field_names(got.body)) == (422, {"template"})
    rig.imis.fails_with = None
    whole = await drafted(staff)
    rig.imis.fails_with = TryAgain("away")
    assert (await scheduled(staff, whole)).status == 503


async def test_a_prompt_is_answered_by_its_name(rig: Rig, staff: Client) -> None:
    asking = AUDIENCE | {"iqa_path": PROMPTED}
    campaign = await drafted(staff, template="Hello", audience=asking)
    refused = await scheduled(staff, campaign)
    assert field_names(refused.body) == {"audience.prompts"}
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    wrong = await staff.patch(path, {"audience": {"answers": {"Town": "Boston"}}})
    assert field_names(wrong.body) == {"audience.answers"}
    assert "City" in wrong.json()["errors"][0]["detail"]
    right = await staff.patch(path, {"audience": {"answers": {"City": "Boston"}}})
    assert right.json()["audience"]["answers"] == {"City": "Boston"}
    assert (await scheduled(staff, campaign)).status == 200


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[Rig]:
    """A gateway that counts before it schedules."""
    async with rigged(tmp_path, schedule_preview_seconds=60) as made:
        await made.organization(segments_per_run=10_000, segments_per_day=3_000)
        yield made


async def answered(rig: Rig, staff: Client, campaign: Any, **counts: Any) -> Got:
    """Schedule, with a preview that comes while that waits."""
    before = len(await requests(rig))
    waiting = asyncio.ensure_future(scheduled(staff, campaign))
    while len(await requests(rig)) == before and not waiting.done():
        await asyncio.sleep(0)
    if not waiting.done():
        await deliver(rig, preview_of(await asked(rig), **counts))
    return await asyncio.wait_for(waiting, timeout=10)


async def requests(rig: Rig) -> list[AudiencePreviewRequested]:
    events = [each.event for each in await rig.published()]
    return [each for each in events if isinstance(each, AudiencePreviewRequested)]


async def test_tm15_over_the_campaign_s_limit_it_is_refused_with_the_figures(
    counting: Rig,
) -> None:
    staff = await counting.staff()
    campaign = await drafted(staff)
    counts = {"contacts_returned": 40_000, "recipients": 40_000, "segments": 40_000}
    got = await answered(counting, staff, campaign, **counts)
    assert (got.status, field_names(got.body)) == (422, {"audience"})
    assert "40,000" in got.json()["errors"][0]["detail"]
    assert "10,000" in got.json()["errors"][0]["detail"]
    shown = (await staff.get(f"/v1/campaigns/{campaign['campaign_id']}")).json()
    assert shown["status"] == CampaignStatus.DRAFT
    await counting.organization(segments_per_run=50_000)
    # The same question was answered a moment ago.
    assert (await scheduled(staff, campaign)).status == 200
    assert len(await requests(counting)) == 1


async def test_tm6_a_test_ignores_the_limits(counting: Rig) -> None:
    staff = await counting.staff()
    campaign = await drafted(staff, mode="TEST")
    got = await answered(counting, staff, campaign, contacts_returned=1, segments=40_000)
    assert got.status == 200
    job = await drafted(staff, **JOB, mode="TEST")
    assert (await scheduled(staff, job)).status == 200
    # Whatever a recurring TEST is counted to take, nothing stands against it.
    assert len(await requests(counting)) == 1


async def test_x20_an_empty_audience_is_refused_once_unless_it_is_meant(counting: Rig) -> None:
    staff = await counting.staff()
    campaign = await drafted(staff)
    got = await answered(counting, staff, campaign, contacts_returned=0)
    assert (got.status, field_names(got.body)) == (422, {"audience"})
    assert "accept_empty" in got.json()["errors"][0]["detail"]
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.patch(path, {"accept_empty": True})).status == 200
    assert (await scheduled(staff, campaign)).status == 200
    job = await drafted(staff, **JOB)
    assert (await answered(counting, staff, job, contacts_returned=0)).status == 200


async def test_a_count_that_fails_or_is_too_old_does_not_decide(counting: Rig) -> None:
    staff = await counting.staff()
    campaign = await drafted(staff)
    got = await answered(counting, staff, campaign, failure="The IQA is gone.")
    assert got.status == 200
    other = await drafted(staff)
    assert (await answered(counting, staff, other, contacts_returned=1)).status == 200
    counting.clock.forward(minutes=9)
    assert (await scheduled(staff, other, at=LATER)).status == 409  # Its time has come.
    third = await drafted(staff)
    assert (await answered(counting, staff, third, contacts_returned=1)).status == 200
    assert len(await requests(counting)) == 3


async def test_a_count_that_does_not_come_in_time_holds_nothing_up(tmp_path: Path) -> None:
    async with rigged(tmp_path, schedule_preview_seconds=0.01) as rig:
        await rig.organization()
        staff = await rig.staff()
        campaign = await drafted(staff)
        got = await scheduled(staff, campaign)
        assert got.status == 200
        assert len(await requests(rig)) == 1


async def test_a_change_while_it_is_counted_is_a_conflict(counting: Rig) -> None:
    staff = await counting.staff()
    campaign = await drafted(staff)
    waiting = asyncio.ensure_future(scheduled(staff, campaign))
    request = await asked(counting)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.patch(path, {"template": "Dear ${Full Name}"})).status == 200
    await deliver(counting, preview_of(request, contacts_returned=1))
    got = await asyncio.wait_for(waiting, timeout=10)
    assert got.status == 409
    assert (await staff.get(path)).json()["status"] == "draft"


async def test_x5_the_next_ten_are_shown_before_saving(staff: Client) -> None:
    fields = {
        "rule": "FREQ=MONTHLY;BYMONTHDAY=31",
        "starts": "2027-01-31T08:10:00",
        "time_zone": "America/New_York",
    }
    got = await staff.post("/v1/recurrences/preview", fields)
    assert got.status == 200, got.body
    shown = got.json()
    assert len(shown["items"]) == 10
    assert [each["local"][:10] for each in shown["items"][:3]] == [
        "2027-01-31",
        "2027-03-31",
        "2027-05-31",
    ]
    assert shown["items"][0]["at"] == "2027-01-31T13:10:00Z"
    assert shown["items"][1]["at"] == "2027-03-31T12:10:00Z"
    assert "31st" in shown["description"]
    wrong = await staff.post("/v1/recurrences/preview", fields | {"rule": "FREQ=HOURLY"})
    assert (wrong.status, field_names(wrong.body)) == (422, {"rule"})
    for count in (0, 101, "x"):
        assert (
            await staff.post("/v1/recurrences/preview", fields | {"count": count})
        ).status == 422


async def test_x5_a_campaign_s_next_times_are_shown(staff: Client) -> None:
    campaign = await drafted(staff, **JOB)
    path = f"/v1/campaigns/{campaign['campaign_id']}/occurrences"
    shown = (await staff.get(f"{path}?count=2")).json()
    # Summer time begins on 8 March 2026: not yet.
    assert [each["at"] for each in shown["items"]] == [
        "2026-03-03T13:10:00Z",
        "2026-03-04T13:10:00Z",
    ]
    once = await drafted(staff)
    none = await staff.get(f"/v1/campaigns/{once['campaign_id']}/occurrences")
    assert none.status == 409


async def test_x11_a_campaign_takes_its_columns_from_an_uploaded_list(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    upload = Upload(uuid4(), DEMO, "Guests", ("Nr", "Phone", "First"), 3, "staff", NOON)
    async with rig.desk.work() as work:
        await work.uploads.keep(upload)
    audience = {"upload_id": str(upload.upload_id), "phone_column": "Phone", "id_column": "Nr"}
    campaign = await drafted(staff, audience=audience, template="Hello ${First}")
    assert campaign["columns"] == ["Nr", "Phone", "First"]
    assert not any(each.startswith("columns") for each in rig.imis.asked)
    got = await staff.post(
        "/v1/campaigns", CAMPAIGN | {"audience": audience, "template": "${Frist}"}
    )
    assert "The list has no column 'Frist'" in got.json()["errors"][0]["detail"]
    assert (await scheduled(staff, campaign)).status == 200
    theirs = await stranger.post("/v1/campaigns", {"name": "Taken", "audience": audience})
    assert (theirs.status, field_names(theirs.body)) == (422, {"audience.upload_id"})


async def test_an_uploaded_list_is_no_iqa_as_well(staff: Client) -> None:
    both = {"iqa_path": MEMBERS, "upload_id": "0190b6c5-0000-7000-8000-000000000000"}
    got = await staff.post("/v1/campaigns", {"name": "List", "audience": both})
    assert (got.status, field_names(got.body)) == (422, {"audience.iqa_path"})
    unknown = {"upload_id": "0190b6c5-0000-7000-8000-000000000000"}
    got = await staff.post("/v1/campaigns", {"name": "List", "audience": unknown})
    assert (got.status, field_names(got.body)) == (422, {"audience.upload_id"})
