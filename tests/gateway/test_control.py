"""X-6, TM-12: pausing, resuming, cancelling, stopping, putting away; and who did what."""

import asyncio
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import ORGANIZATION, Rig
from tests.gateway.test_campaigns import LATER, drafted
from tests.gateway.test_scheduling import JOB

from chassis.instants import now
from contracts.events.campaign import (
    CampaignCancelled,
    CampaignDeleted,
    CampaignPaused,
    CampaignResumed,
)
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import RunCancelRequested, RunStarted
from contracts.ids import organization_id, run_id
from gateway.adapters.stops import RedisStops
from gateway.domain.views import Run

DEMO = organization_id("DEMO")


async def waiting(staff: Client, **changes: Any) -> str:
    """Return the path of a campaign that is scheduled."""
    campaign = await drafted(staff, **changes)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    body = {} if changes.get("kind") == "recurring" else {"at": LATER}
    assert (await staff.post(f"{path}/schedule", body)).status == 200
    return path


async def begin(rig: Rig, campaign_id: str, run: UUID) -> None:
    started = RunStarted(
        organization_id=DEMO,
        occurred_at=NOON,
        sequence=1,
        run_id=run,
        campaign_id=UUID(campaign_id),
    )
    await rig.follow(started)


async def test_x6_a_pause_is_told_to_the_senders_once_it_is_committed(
    rig: Rig, staff: Client
) -> None:
    path = await waiting(staff)
    got = await staff.post(f"{path}/pause", {"reason": "Wrong date."})
    assert got.status == 200, got.body
    told = got.json()
    assert (told["status"], told["reason"], told["changed_by"]) == (
        "paused",
        "Wrong date.",
        "staff",
    )
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignPaused)
    assert rig.stops.told == [(DEMO, str(event.campaign_id), event.sequence)]
    resumed = await staff.post(f"{path}/resume")
    assert (resumed.status, resumed.json()["status"]) == (200, "scheduled")
    assert resumed.json()["due_at"] is not None
    later = (await rig.published())[-1].event
    assert isinstance(later, CampaignResumed)
    # Nothing is taken back there: the resume's own number is higher.
    assert later.sequence > event.sequence
    assert len(rig.stops.told) == 1


async def test_x6_a_cancel_is_for_good(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    got = await staff.post(f"{path}/cancel")
    assert (got.status, got.json()["status"]) == (200, "cancelled")
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignCancelled)
    assert rig.stops.told == [(DEMO, str(event.campaign_id), event.sequence)]
    for step in ("resume", "pause", "cancel", "schedule"):
        assert (await staff.post(f"{path}/{step}", {})).status == 409, step


async def test_a_refused_step_tells_nobody_anything(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    before = len(await rig.published())
    for step in ("pause", "resume", "cancel", "restore"):
        got = await staff.post(f"{path}/{step}")
        assert got.status == 409, step
        assert got.json()["detail"].endswith(".")
    stale = await staff.post(f"{path}/archive", headers={"if-match": '"9"'})
    assert stale.status == 412
    assert len(await rig.published()) == before
    assert rig.stops.told == []


async def test_a_repeated_pause_is_answered_as_the_first_time(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    headers = {"idempotency-key": "once"}
    first = await staff.post(f"{path}/pause", headers=headers)
    again = await staff.post(f"{path}/pause", headers=headers)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("step", ["pause", "cancel"])
async def test_x6_whoever_asks_again_has_the_senders_told_again(
    rig: Rig, staff: Client, step: str
) -> None:
    """The first request's process may have died between its commit and telling them."""
    path = await waiting(staff)
    headers = {"idempotency-key": "once"}
    assert (await staff.post(f"{path}/{step}", headers=headers)).status == 200
    told = rig.stops.told.copy()
    rig.stops.told.clear()
    repeated = await staff.post(f"{path}/{step}", headers=headers)
    assert (repeated.status, rig.stops.told) == (200, told)
    assert (await staff.post(f"{path}/{step}")).status == 409
    assert rig.stops.told == told * 2


async def test_x6_a_repeated_cancel_of_a_run_tells_the_senders_again(
    rig: Rig, staff: Client
) -> None:
    run, campaign = uuid4(), uuid4()
    rig.models.runs[DEMO, run] = Run(run_id=run, campaign_id=campaign, state="sending")
    headers = {"idempotency-key": "once"}
    first = await staff.post(f"/v1/runs/{run}/cancel", headers=headers)
    again = await staff.post(f"/v1/runs/{run}/cancel", headers=headers)
    assert (again.status, again.body) == (202, first.body)
    assert [what for _, what, _ in rig.stops.told] == [str(run)] * 2
    rig.models.runs[DEMO, run] = Run(run_id=run, campaign_id=campaign, state="completed")
    late = await staff.post(f"/v1/runs/{run}/cancel", headers=headers)
    assert (late.status, late.body) == (202, first.body)


async def test_tm13_a_job_with_a_run_under_way_is_deleted_only_as_told(
    rig: Rig, staff: Client
) -> None:
    for run, cancels in (("finish", False), ("cancel", True)):
        path = await waiting(staff, **JOB)
        campaign_id = path.rpartition("/")[2]
        await begin(rig, campaign_id, run_id(UUID(campaign_id), "2026-03-03T08:10:00"))
        assert (await staff.get(path)).json()["status"] == "sending"
        refused = await staff.delete(path)
        assert (refused.status, "run=finish" in refused.json()["detail"]) == (409, True)
        assert (await staff.delete(f"{path}?run=perhaps")).status == 422
        told = len(rig.stops.told)
        assert (await staff.delete(f"{path}?run={run}")).status == 204
        event = (await rig.published())[-1].event
        assert isinstance(event, CampaignDeleted)
        assert event.cancels_runs is cancels
        assert len(rig.stops.told) == told + cancels
        assert (await staff.get(path)).status == 404


async def test_tm13_a_job_is_edited_while_it_sends_and_keeps_its_run(
    rig: Rig, staff: Client
) -> None:
    path = await waiting(staff, **JOB)
    campaign_id = path.rpartition("/")[2]
    run = run_id(UUID(campaign_id), "2026-03-03T08:10:00")
    await begin(rig, campaign_id, run)
    edited = await staff.patch(path, {"template": "Dear ${Full Name}"})
    assert edited.status == 200, edited.body
    assert (edited.json()["status"], edited.json()["under_way"]) == ("sending", [str(run)])
    incomplete = await staff.patch(path, {"recurrence": None})
    assert incomplete.status == 422
    once = await waiting(staff)
    await begin(rig, once.rpartition("/")[2], run_id(UUID(once.rpartition("/")[2]), "launch:1"))
    refused = await staff.patch(once, {"template": "Dear ${Full Name}"})
    assert (refused.status, "sending" in refused.json()["detail"]) == (409, True)


async def test_x6_a_run_is_cancelled_and_its_campaign_goes_on(rig: Rig, staff: Client) -> None:
    run, campaign = uuid4(), uuid4()
    rig.models.runs[DEMO, run] = Run(run_id=run, campaign_id=campaign, state="sending")
    got = await staff.post(f"/v1/runs/{run}/cancel")
    assert (got.status, got.json()["run_id"]) == (202, str(run))
    event = (await rig.published())[-1].event
    assert isinstance(event, RunCancelRequested)
    assert (event.run_id, event.campaign_id, event.by) == (run, campaign, "staff")
    assert rig.stops.told == [(DEMO, str(run), event.sequence)]
    rig.models.runs[DEMO, run] = Run(run_id=run, campaign_id=campaign, state="completed")
    assert (await staff.post(f"/v1/runs/{run}/cancel")).status == 409
    assert (await staff.post(f"/v1/runs/{uuid4()}/cancel")).status == 404


async def test_x6_everything_is_stopped_and_let_go_on(rig: Rig, staff: Client) -> None:
    assert (await staff.get("/v1/stop")).json()["stopped"] is False
    got = await staff.post("/v1/stop", {"reason": "Wrong list."})
    assert got.status == 200
    assert got.json() == {
        "stopped": True,
        "since": "2026-03-02T12:00:00Z",
        "by": "staff",
        "reason": "Wrong list.",
    }
    event = (await rig.published())[-1].event
    assert isinstance(event, OrganizationSettingsChanged)
    assert event.settings.stopped is not None
    assert rig.stops.told == [(DEMO, "*", event.sequence)]
    rig.clock.forward(minutes=1)
    again = await staff.post("/v1/stop")
    assert again.json() == got.json()
    assert rig.stops.told[1:] == rig.stops.told[:1]
    # What operators write replaces all settings, but not the stop.
    await rig.organization(name="Renamed")
    assert (await staff.get("/v1/stop")).json()["stopped"] is True
    lifted = await staff.delete("/v1/stop")
    assert (lifted.status, lifted.json()["stopped"]) == (200, False)
    last = (await rig.published())[-1].event
    assert isinstance(last, OrganizationSettingsChanged)
    assert last.settings.stopped is None
    assert last.sequence > event.sequence
    assert last.settings.name == "Renamed" != ORGANIZATION["name"]


async def test_x6_one_organisation_s_stop_is_not_another_s(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    await staff.post("/v1/stop")
    assert (await stranger.get("/v1/stop")).json()["stopped"] is False
    path = await waiting(staff)
    for step in ("pause", "resume", "cancel", "archive", "restore", "copy"):
        assert (await stranger.post(f"{path}/{step}")).status == 404, step
    for sub in ("history", "occurrences"):
        assert (await stranger.get(f"{path}/{sub}")).status == 404, sub


async def test_x6_without_redis_a_stop_counts_all_the_same(rig: Rig, staff: Client) -> None:
    nowhere = RedisStops.at("redis://127.0.0.1:1/0")
    object.__setattr__(rig.gateway, "stops", nowhere)
    path = await waiting(staff)
    began = now()
    assert (await staff.post(f"{path}/pause")).json()["status"] == "paused"
    assert (now() - began).total_seconds() < 2
    await nowhere.close()
    assert isinstance((await rig.published())[-1].event, CampaignPaused)


class ReturningRedis:
    """A Redis that is away at first, and keeps what it is told once it is back."""

    def __init__(self, away: int) -> None:
        self._away = away
        self.told: list[tuple[str, int]] = []
        self.heard = asyncio.Event()

    def register_script(self, script: str) -> "ReturningRedis":
        return self

    async def __call__(self, keys: list[str], args: tuple[str, int]) -> None:
        if self._away > 0:
            self._away -= 1
            raise RedisError("away")
        what, sequence = args
        self.told.append((what, sequence))
        self.heard.set()

    async def aclose(self) -> None:
        pass


async def test_x6_a_stop_is_told_once_redis_is_back() -> None:
    """Senders go on as soon as Redis does, and the log may be behind."""
    redis = ReturningRedis(away=3)
    stops = RedisStops(cast(Redis, redis))
    await stops.tell(DEMO, "*", 7)
    assert redis.told == []
    await asyncio.wait_for(redis.heard.wait(), timeout=10)
    assert redis.told == [("*", 7)]
    await stops.close()


async def test_tm12_what_is_over_is_put_away_and_brought_back(staff: Client) -> None:
    path = await waiting(staff)
    assert (await staff.post(f"{path}/archive")).status == 409
    await staff.post(f"{path}/cancel")
    assert (await staff.post(f"{path}/archive")).json()["status"] == "archived"
    assert (await staff.patch(path, {"name": "New"})).status == 409
    assert (await staff.post(f"{path}/restore")).json()["status"] == "cancelled"


async def test_a_campaign_is_copied_whatever_became_of_it(rig: Rig, staff: Client) -> None:
    path = await waiting(staff, **JOB)
    await staff.post(f"{path}/cancel")
    original = (await staff.get(path)).json()
    got = await staff.post(f"{path}/copy", headers={"idempotency-key": "copy"})
    assert got.status == 201
    copied = got.json()
    assert got.headers["location"] == f"/v1/campaigns/{copied['campaign_id']}"
    assert (copied["name"], copied["status"]) == ("Copy of Renewal", "draft")
    for field in ("audience", "template", "recurrence", "kind", "columns"):
        assert copied[field] == original[field]
    again = await staff.post(f"{path}/copy", headers={"idempotency-key": "copy"})
    assert again.json()["campaign_id"] == copied["campaign_id"]


async def test_tm12_the_history_tells_who_did_what_and_when(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    rig.clock.forward(minutes=5)
    await staff.patch(path, {"template": "Dear ${Full Name}", "mode": "TEST"})
    await staff.post(f"{path}/pause", {"reason": "Wrong date."})
    steps = (await staff.get(f"{path}/history")).json()
    assert steps["next_after"] is None
    assert [(each["what"], each["status"]) for each in steps["items"]] == [
        ("drafted", "draft"),
        ("scheduled", "scheduled"),
        ("edited", "scheduled"),
        ("paused", "paused"),
    ]
    due = (await staff.get(path)).json()["due_at"]
    assert [each["due_at"] for each in steps["items"]] == [None, due, due, due]
    edited, paused = steps["items"][2:]
    assert sorted(edited["changed"]) == ["mode", "template"]
    assert (edited["by"], edited["at"]) == ("staff", "2026-03-02T12:05:00Z")
    assert (paused["reason"], paused["changed"]) == ("Wrong date.", [])
    await staff.patch(path, {"name": "Renewal once more"})
    assert (await staff.get(path)).json()["reason"] == "Wrong date."
    assert (await staff.get(f"{path}/history?after=4")).json()["items"][0]["reason"] == ""
    first = (await staff.get(f"{path}/history?limit=2")).json()
    assert (len(first["items"]), first["next_after"]) == (2, 2)
    rest = (await staff.get(f"{path}/history?after=2")).json()
    assert rest["items"][:-1] == steps["items"][2:]


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"reason": 1}, {"why": "x"}, []])
async def test_a_reason_that_is_none_is_refused(staff: Client, body: Any) -> None:
    path = await waiting(staff)
    assert (await staff.post(f"{path}/pause", body)).status == 422
    assert (await staff.post("/v1/stop", body)).status == 422
