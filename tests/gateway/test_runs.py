"""Runs: followed from the log, seen at once, read from the read models, streamed."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import Rig
from tests.gateway.test_campaigns import drafted

from contracts.envelope import Envelope, seal
from contracts.events.campaign import CampaignCompleted, CampaignStarted
from contracts.events.run import RunCompleted, RunEvent, RunFailed, RunStarted
from contracts.ids import organization_id
from gateway.domain.views import Message, Run
from gateway.subscribers import subscriptions

DEMO = organization_id("DEMO")


async def scheduled(staff: Client, **body: Any) -> Any:
    campaign = await drafted(staff)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/schedule", body)
    assert got.status == 200
    return got.json()


def started(campaign: Any, **changes: Any) -> RunStarted:
    return RunStarted(**_about(campaign) | changes)


def completed(campaign: Any) -> RunCompleted:
    about = _about(campaign) | {"sequence": 2}
    return RunCompleted(**about, rows=2, messages=1, rejected=1, excluded=0)


def _about(campaign: Any) -> dict[str, Any]:
    return {
        "organization_id": DEMO,
        "occurred_at": NOON,
        "sequence": 1,
        "run_id": UUID(campaign["run_id"]),
        "campaign_id": UUID(campaign["campaign_id"]),
    }


async def deliver(rig: Rig, *events: RunEvent) -> list[Envelope[RunEvent]]:
    """Hand run events to the real subscription, as the chassis does."""
    (subscription,) = (
        each
        for each in subscriptions(ring=rig.bell.ring, clock=rig.clock)
        if each.name == "gateway.runs"
    )
    envelopes = [seal(each) for each in events]
    assert subscription.together is not None
    async with rig.store.transaction() as transaction:
        await subscription.together(transaction, envelopes)
    return envelopes


async def status_of(staff: Client, campaign: Any) -> str:
    shown = await staff.get(f"/v1/campaigns/{campaign['campaign_id']}")
    return str(shown.json()["status"])


async def test_a_run_drives_its_campaign_and_a_repeat_changes_nothing(
    rig: Rig, staff: Client
) -> None:
    one, two = await scheduled(staff), await scheduled(staff)
    causes = await deliver(rig, started(one), started(two), started(one), completed(two))
    assert (await status_of(staff, one), await status_of(staff, two)) == ("sending", "completed")
    followed = [e for e in await rig.published() if isinstance(e.event, CampaignStarted)]
    assert [each.causation_id for each in followed] == [causes[0].id, causes[1].id]
    assert isinstance(followed[0].event, CampaignStarted)
    assert followed[0].event.by == "status"
    before = len(await rig.published())
    await deliver(rig, started(one), started(two), completed(two))
    assert len(await rig.published()) == before
    await deliver(rig, completed(one))
    ended = (await rig.published())[-1].event
    assert isinstance(ended, CampaignCompleted)
    assert ended.sequence == 4


async def test_a_failed_run_completes_its_campaign(rig: Rig, staff: Client) -> None:
    campaign = await scheduled(staff)
    await deliver(rig, RunFailed(**_about(campaign), reason="The IQA is gone."))
    assert await status_of(staff, campaign) == "completed"


async def test_runs_of_others_and_of_earlier_launches_change_nothing(
    rig: Rig, staff: Client
) -> None:
    campaign = await scheduled(staff)
    await deliver(
        rig,
        started(campaign, run_id=uuid4()),
        started(campaign, organization_id=uuid4()),
        started(campaign, campaign_id=uuid4()),
    )
    assert await status_of(staff, campaign) == "scheduled"


async def test_what_sends_or_has_run_stays_as_it_is(rig: Rig, staff: Client) -> None:
    campaign = await scheduled(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    for event, said in ((started, "is sending"), (completed, "has run")):
        await deliver(rig, event(campaign))
        for method, sub, body in (
            ("PATCH", "", {"name": "Late"}),
            ("DELETE", "", None),
            ("POST", "/schedule", {}),
        ):
            got = await staff.request(method, path + sub, json=body)
            assert got.status == 409
            assert said in got.json()["detail"]


async def test_a_run_is_there_as_soon_as_it_is_scheduled(rig: Rig, staff: Client) -> None:
    now, later = await scheduled(staff), await scheduled(staff, at="2026-03-03T00:00:00Z")
    run = (await staff.get(f"/v1/runs/{now['run_id']}")).json()
    assert (run["state"], run["campaign_id"]) == ("preparing", now["campaign_id"])
    assert (await staff.get(f"/v1/runs/{later['run_id']}")).json()["state"] == "scheduled"
    runs = (await staff.get(f"/v1/campaigns/{now['campaign_id']}/runs")).json()["items"]
    assert [each["run_id"] for each in runs] == [now["run_id"]]
    assert (await staff.get(f"/v1/runs/{now['run_id']}/messages")).json()["items"] == []
    draft = await drafted(staff)
    assert (await staff.get(f"/v1/campaigns/{draft['campaign_id']}/runs")).json()["items"] == []


def projected(campaign: Any, **changes: Any) -> Run:
    run = Run(
        run_id=UUID(campaign["run_id"]),
        campaign_id=UUID(campaign["campaign_id"]),
        state="sending",
        rows=3,
        messages=2,
        segments=2,
        by_status={"sent": 1, "preparing": 1},
        by_reason={"no_number": 1},
    )
    return replace(run, **changes)


def text_to(run: Run, row: int, **changes: Any) -> Message:
    message = Message(
        message_id=uuid4(),
        run_id=run.run_id,
        campaign_id=run.campaign_id,
        imis_id=str(100 + row),
        row=row,
        to="+12025550143",
        text="Hello",
        segments=1,
        status="sent",
    )
    return replace(message, **changes)


async def test_a_projected_run_and_its_messages_are_shown(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    campaign = await scheduled(staff)
    run = projected(campaign)
    rig.models.runs[DEMO, run.run_id] = run
    sent, bad = text_to(run, 1), text_to(run, 2, status="error", error_code=21211)
    rig.models.found[DEMO] = [sent, bad]
    path = f"/v1/runs/{run.run_id}"
    shown = (await staff.get(path)).json()
    assert (shown["state"], shown["by_reason"]) == ("sending", {"no_number": 1})
    page = (await staff.get(f"{path}/messages?limit=1")).json()
    rest = (await staff.get(f"{path}/messages?limit=1&cursor={page['next_cursor']}")).json()
    assert [page["items"][0]["row"], rest["items"][0]["row"]] == [1, 2]
    assert rest["next_cursor"] is None
    errors = (await staff.get(f"{path}/messages?status=error")).json()["items"]
    assert [each["error_meaning"] for each in errors] == ["The number is not valid."]
    one = f"/v1/messages/{bad.message_id}"
    assert (await staff.get(one)).json()["error_code"] == 21211
    for wrong in ("status=odd", "cursor=!", "cursor=cm93OjE1eA", "limit=501", "cursor=%C3%A9"):
        assert (await staff.get(f"{path}/messages?{wrong}")).status == 422
    for theirs in (path, f"{path}/messages", f"{path}/events", one):
        assert (await stranger.get(theirs)).status == 404
        assert (await rig.anybody.get(theirs)).status == 401


async def until(parts: "asyncio.Queue[bytes | None]", what: bytes) -> bytes:
    while True:
        part = await asyncio.wait_for(parts.get(), timeout=5)
        assert part is not None
        if what in part:
            return part


async def test_progress_is_told_at_each_change_until_the_end(rig: Rig, staff: Client) -> None:
    campaign = await scheduled(staff)
    run = projected(campaign)
    async with staff.stream(f"/v1/runs/{run.run_id}/events") as parts:
        first = await until(parts, b"event: progress")
        assert b'"state":"preparing"' in first
        assert first.endswith(b"\n\n")
        rig.models.runs[DEMO, run.run_id] = run
        assert b'"sent":1' in await until(parts, b"event: progress")
        rig.models.runs[DEMO, run.run_id] = replace(
            run, state="completed", by_status={"delivered": 2}
        )
        await until(parts, b"event: end")
        assert await asyncio.wait_for(parts.get(), timeout=5) is None


async def test_a_stream_without_news_says_that_it_lives_and_ends_with_the_process(
    rig: Rig, staff: Client
) -> None:
    object.__setattr__(
        rig.gateway, "own", rig.gateway.own.model_copy(update={"heartbeat_seconds": 0.02})
    )
    campaign = await scheduled(staff)
    async with staff.stream(f"/v1/runs/{campaign['run_id']}/events") as parts:
        await until(parts, b": alive")
        rig.stopping = True
        while await asyncio.wait_for(parts.get(), timeout=5) is not None:
            pass


async def test_a_stream_ends_with_its_session(rig: Rig, staff: Client) -> None:
    campaign = await scheduled(staff)
    async with staff.stream(f"/v1/runs/{campaign['run_id']}/events") as parts:
        await until(parts, b"event: progress")
        await staff.delete("/v1/sessions/current")
        while await asyncio.wait_for(parts.get(), timeout=5) is not None:
            pass
