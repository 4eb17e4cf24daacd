"""X-8, X-13: one text at once, and "send me this first"."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import NUMBER, Rig, field_names
from tests.gateway.test_campaigns import drafted
from tests.gateway.test_control import DEMO
from tests.gateway.test_summaries import asked, deliver, preview_of

from contracts.events.audience import Sample
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageRequested
from contracts.ids import message_id, recipient_id, single_run_id, single_texts_id
from readmodels.views import OptOutView

TEXT = {"to": "(415) 555-2671", "text": "Room 4."}
KEY = {"idempotency-key": "room-4"}
SAMPLES = (
    Sample(row=3, imis_id="101", to="+14155550001", text="Hello Ann", segments=1),
    Sample(row=5, imis_id="102", to="+14155550002", text="Hello Ben", segments=1),
)


async def requested(rig: Rig) -> list[MessageRequested]:
    events = [each.event for each in await rig.published()]
    return [each for each in events if isinstance(each, MessageRequested)]


async def test_x8_an_urgent_text_is_asked_for_once_for_a_key(rig: Rig, staff: Client) -> None:
    got = await staff.post("/v1/messages", TEXT, headers=KEY)
    assert got.status == 202, got.body
    run = single_run_id(DEMO, "urgent", "room-4")
    assert got.json() == {
        "message_id": str(message_id(recipient_id(run, 1))),
        "run_id": str(run),
        "to": "+14155552671",
        "from_number": NUMBER,
        "segments": 1,
    }
    assert got.headers["location"] == f"/v1/messages/{got.json()['message_id']}"
    again = await staff.post("/v1/messages", TEXT, headers=KEY)
    assert (again.status, again.body) == (202, got.body)
    (event,) = await requested(rig)
    assert event.campaign_id == single_texts_id(DEMO, "urgent")
    assert (event.to, event.text, event.by) == ("+14155552671", "Room 4.", "staff")
    assert (event.mode, event.write_to) == (Mode.LIVE, WriteTo.NOTHING)
    other = await staff.post("/v1/messages", TEXT | {"text": "Room 5."}, headers=KEY)
    assert other.status == 422


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"to": "555"}, {"to"}),
        ({"to": "nobody"}, {"to"}),
        ({"text": " "}, {"text"}),
        ({"text": "x" * 1601}, {"text"}),
        ({"from_number": "+18885550199"}, {"from_number"}),
        ({"write_to": "activity"}, {"imis_id"}),
        ({"write_to": "communication_log", "imis_id": "7"}, {"log_subject"}),
        ({"to": "555", "text": " ", "from_number": "+18885550199"}, {"to", "text", "from_number"}),
    ],
)
async def test_x8_what_is_wrong_with_it_is_named_at_once(
    rig: Rig, staff: Client, change: dict[str, Any], fields: set[str]
) -> None:
    got = await staff.post("/v1/messages", TEXT | change, headers=KEY)
    assert (got.status, field_names(got.body)) == (422, fields)
    assert await requested(rig) == []


async def test_x8_it_needs_a_key(rig: Rig, staff: Client) -> None:
    got = await staff.post("/v1/messages", TEXT)
    assert (got.status, field_names(got.body)) == (422, {"Idempotency-Key"})
    assert (await rig.anybody.post("/v1/messages", TEXT, headers=KEY)).status == 401


async def test_x8_it_is_written_to_the_member_s_record(rig: Rig, staff: Client) -> None:
    await staff.post("/v1/messages", TEXT | {"imis_id": "7"}, headers=KEY)
    log = TEXT | {"imis_id": "7", "write_to": "communication_log", "log_subject": "Text"}
    assert (await staff.post("/v1/messages", log, headers={"idempotency-key": "b"})).status == 202
    first, second = await requested(rig)
    assert (first.write_to, first.imis_id) == (WriteTo.ACTIVITY, "7")
    assert (second.write_to, second.log_subject) == (WriteTo.COMMUNICATION_LOG, "Text")


async def test_x3_a_number_that_opted_out_is_not_texted(rig: Rig, staff: Client) -> None:
    opted_out = OptOutView(
        consent_id=uuid4(),
        number="+14155552671",
        from_number=NUMBER,
        cause="keyword",
        word="STOP",
        by="",
        changed_at=NOON,
    )
    rig.models.opted_out[DEMO] = [opted_out]
    got = await staff.post("/v1/messages", TEXT, headers=KEY)
    assert (got.status, "opted out" in got.json()["detail"]) == (409, True)
    assert b"4155552671" not in got.body
    assert await requested(rig) == []


async def test_tm19_a_number_that_is_not_verified_sends_nothing(rig: Rig) -> None:
    await rig.organization(numbers=[{"number": NUMBER, "verification": "pending"}])
    staff = await rig.staff()
    got = await staff.post("/v1/messages", TEXT, headers=KEY)
    assert (got.status, field_names(got.body)) == (422, {"from_number"})


async def counted(rig: Rig, staff: Client, samples: tuple[Sample, ...] = SAMPLES) -> str:
    """Return the path of a campaign that was counted a moment ago."""
    campaign = await drafted(staff, mode="TEST")
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.post(f"{path}/summary?wait_seconds=0")).status == 202
    await deliver(rig, preview_of(await asked(rig), contacts_returned=9, samples=samples))
    return path


async def test_x13_a_member_s_text_comes_to_the_author_and_is_really_sent(
    rig: Rig, staff: Client
) -> None:
    path = await counted(rig, staff)
    got = await staff.post(f"{path}/send-me-first", {"to": "415 555 2671"}, headers=KEY)
    assert got.status == 202, got.body
    shown = got.json()
    assert (shown["row"], shown["imis_id"], shown["text"]) == (3, "101", "Hello Ann")
    assert "really sent" in shown["note"]
    (event,) = await requested(rig)
    assert (event.to, event.text) == ("+14155552671", "Hello Ann")
    assert (event.mode, event.write_to, event.imis_id) == (Mode.LIVE, WriteTo.NOTHING, "")
    assert event.run_id == single_run_id(DEMO, "first-look", "room-4")
    assert event.campaign_id == single_texts_id(DEMO, "first-look")
    second = await staff.post(f"{path}/send-me-first", {"to": "+14155552671", "row": 5})
    assert second.json()["text"] == "Hello Ben"
    third = await staff.post(f"{path}/send-me-first", {"to": "+14155552671", "row": 5})
    # Without a key each is a text of its own.
    assert third.json()["message_id"] != second.json()["message_id"]


@pytest.mark.parametrize(
    ("fields", "status"), [({"to": "555"}, 422), ({"to": "+14155552671", "row": 9}, 409), ({}, 422)]
)
async def test_x13_what_can_not_be_shown_is_refused(
    rig: Rig, staff: Client, fields: Any, status: int
) -> None:
    path = await counted(rig, staff)
    assert (await staff.post(f"{path}/send-me-first", fields)).status == status
    assert await requested(rig) == []


async def test_x13_nobody_s_text_is_no_text(rig: Rig, staff: Client) -> None:
    path = await counted(rig, staff, samples=())
    got = await staff.post(f"{path}/send-me-first", {"to": "+14155552671"})
    assert got.status == 409


async def test_x13_what_was_not_counted_yet_is_counted_and_waited_for(
    rig: Rig, staff: Client
) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}/send-me-first"
    # The rig waits for nothing; a person can repeat it.
    assert (await staff.post(path, {"to": "+14155552671"})).status == 503
    own = rig.gateway.own.model_copy(update={"first_look_seconds": 60})
    object.__setattr__(rig.gateway, "own", own)
    waiting = asyncio.ensure_future(staff.post(path, {"to": "+14155552671"}))
    await deliver(rig, preview_of(await asked(rig), contacts_returned=9, samples=SAMPLES))
    assert (await asyncio.wait_for(waiting, timeout=10)).status == 202
    failing = await drafted(staff, template="Dear ${Full Name}")
    path = f"/v1/campaigns/{failing['campaign_id']}/send-me-first"
    waiting = asyncio.ensure_future(staff.post(path, {"to": "+14155552671"}))
    while str((request := await asked(rig)).campaign_id) != failing["campaign_id"]:
        await asyncio.sleep(0)
    await deliver(rig, preview_of(request, failure="The IQA is gone. Choose another."))
    got = await asyncio.wait_for(waiting, timeout=10)
    assert (got.status, got.json()["detail"]) == (409, "The IQA is gone. Choose another.")
