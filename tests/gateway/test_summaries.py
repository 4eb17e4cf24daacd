"""The summary before saving: asked, waited for, and worked out."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.models import NOTHING_USED
from tests.gateway.rig import CAMPAIGN, NUMBER, Rig
from tests.gateway.test_campaigns import drafted

from contracts.envelope import seal
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
    Reason,
    Sample,
)
from gateway.subscribers import subscriptions
from readmodels.views import QueuedView


async def deliver(rig: Rig, *previews: AudiencePreviewed | AudiencePreviewProgressed) -> None:
    """Hand previews to the real subscription."""
    (subscription,) = (
        each
        for each in subscriptions(ring=rig.bell.ring, clock=rig.clock)
        if each.name == "gateway.previews"
    )
    async with rig.store.transaction() as transaction:
        for each in previews:
            await subscription.handlers[type(each)](transaction, [seal(each)])
    assert subscription.after_commit is not None
    subscription.after_commit()


async def asked(rig: Rig) -> AudiencePreviewRequested:
    while True:
        events = [each.event for each in await rig.published()]
        found = [each for each in events if isinstance(each, AudiencePreviewRequested)]
        if found:
            return found[-1]
        await asyncio.sleep(0)


def preview_of(request: AudiencePreviewRequested, **counts: Any) -> AudiencePreviewed:
    return AudiencePreviewed(
        organization_id=request.organization_id,
        occurred_at=NOON,
        sequence=1,
        preview_id=request.preview_id,
        campaign_id=request.campaign_id,
        **counts,
    )


async def test_the_summary_comes_as_soon_as_the_preview_does(rig: Rig, staff: Client) -> None:
    rig.models.used = NOTHING_USED.model_copy(update={"segments_today": 400})
    rig.models.waiting[NUMBER] = QueuedView(messages=30, segments=40)
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=60"
    waiting = asyncio.ensure_future(staff.post(path))
    request = await asked(rig)
    assert request.template == campaign["template"]
    assert request.from_number == NUMBER
    assert not waiting.done()
    await deliver(
        rig,
        preview_of(
            request,
            contacts_returned=100,
            recipients=90,
            excluded={Reason.NO_NUMBER: 10},
            segments=120,
            messages_by_segments={1: 60, 2: 30},
            lacking_values=3,
            lacking_by_field={"Full Name": 3},
            ucs2_messages=5,
            ucs2_characters={"’": 5},
            samples=(Sample(row=4, imis_id="7", to="+14155552671", text="Hello Ann", segments=1),),
        ),
    )
    got = await asyncio.wait_for(waiting, timeout=5)
    assert got.status == 200
    assert got.json() == {
        "summary_id": str(request.preview_id),
        "campaign_id": campaign["campaign_id"],
        "state": "done",
        "contacts_returned": 100,
        "will_be_sent_to": 90,
        "excluded": {"no_number": 10},
        "estimated_segments": 120,
        "messages_by_segments": {"1": 60, "2": 30},
        "rows_read": 100,
        "rows_expected": 100,
        "lacking_values": 3,
        "lacking_by_field": {"Full Name": 3},
        "ucs2_messages": 5,
        "ucs2_characters": {"’": 5},
        "samples": [
            {"row": 4, "imis_id": "7", "to": "+14155552671", "text": "Hello Ann", "segments": 1}
        ],
        "segments_left_today": 2600,
        "segments_left_for_run": 10000,
        "segments_over_run_limit": 0,
        "segments_over_day_limit": 0,
        "queued_segments": 40,
        "estimated_seconds": 40.0,
        "estimated_begin": "2026-03-02T12:00:00Z",
        "estimated_end": "2026-03-02T12:00:40Z",
        "segments_by_day": {"2026-03-02": 120},
        "texted_at_night": {},
        "estimated_cost": None,
        "currency": None,
        "failure": None,
    }


async def test_who_does_not_wait_looks_later(rig: Rig, staff: Client, stranger: Client) -> None:
    campaign = await drafted(staff)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=0")
    assert (got.status, got.json()["state"]) == (202, "counting")
    location = got.headers["location"]
    assert (await staff.get(location)).status == 202
    assert (await stranger.get(location)).status == 404
    other = await drafted(staff)
    elsewhere = location.replace(campaign["campaign_id"], other["campaign_id"])
    assert (await staff.get(elsewhere)).status == 404
    await deliver(rig, preview_of(await asked(rig), failure="The IQA is gone. Choose another."))
    failed = await staff.get(location)
    assert (failed.status, failed.json()["state"]) == (200, "failed")
    assert failed.json()["failure"] == "The IQA is gone. Choose another."


async def test_tm10_while_it_counts_it_says_how_far_it_is(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=0")
    request = await asked(rig)
    progress = AudiencePreviewProgressed(
        organization_id=request.organization_id,
        occurred_at=NOON,
        sequence=1,
        preview_id=request.preview_id,
        rows_read=500,
        rows_expected=2000,
    )
    await deliver(rig, progress)
    counting = (await staff.get(got.headers["location"])).json()
    told = (counting["state"], counting["rows_read"], counting["rows_expected"])
    assert told == ("counting", 500, 2000)


async def test_a_repeated_or_foreign_preview_changes_nothing(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=0")
    request = await asked(rig)
    foreign = preview_of(request, recipients=9).model_copy(update={"organization_id": uuid4()})
    unknown = preview_of(request).model_copy(update={"preview_id": uuid4()})
    await deliver(rig, foreign, unknown)
    assert (await staff.get(got.headers["location"])).json()["state"] == "counting"
    await deliver(rig, preview_of(request, recipients=1), preview_of(request, recipients=2))
    assert (await staff.get(got.headers["location"])).json()["will_be_sent_to"] == 1


async def test_a_summary_that_another_process_received_is_found_by_looking(
    rig: Rig, staff: Client
) -> None:
    object.__setattr__(
        rig.gateway, "own", rig.gateway.own.model_copy(update={"summary_poll_seconds": 0.01})
    )
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=60"
    waiting = asyncio.ensure_future(staff.post(path))
    request = await asked(rig)
    async with rig.desk.work() as work:
        await work.previews.receive([preview_of(request, recipients=1)])
    assert (await asyncio.wait_for(waiting, timeout=5)).status == 200


async def test_a_number_chosen_for_the_campaign_sets_the_rate(rig: Rig) -> None:
    second = "+18885550124"
    await rig.organization(
        numbers=[{"number": NUMBER}, {"number": second, "segments_per_second": 60}]
    )
    staff = await rig.staff()
    campaign = (await staff.post("/v1/campaigns", CAMPAIGN | {"from_number": second})).json()
    await staff.post(
        f"/v1/campaigns/{campaign['campaign_id']}/schedule", {"at": "2026-03-03T00:00:00Z"}
    )
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=0")
    request = await asked(rig)
    assert request.from_number == second
    await deliver(rig, preview_of(request, segments=120))
    summary = (await staff.get(got.headers["location"])).json()
    assert summary["estimated_seconds"] == 2.0
    assert summary["estimated_begin"] == "2026-03-03T00:00:00Z"
    assert UUID(summary["summary_id"]) == request.preview_id


async def test_nobody_waits_longer_than_a_minute(staff: Client) -> None:
    campaign = await drafted(staff)
    for wrong in ("61", "-1", "nan", "inf", "soon"):
        path = f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds={wrong}"
        assert (await staff.post(path)).status == 422
