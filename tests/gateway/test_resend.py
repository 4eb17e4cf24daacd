"""X-2: what a run missed can be sent after all, by one press or by two."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.rig import Rig
from tests.gateway.test_runs import DEMO, projected, scheduled

from contracts.events.run import RunResendRequested
from gateway.domain.views import Run

KEY = {"idempotency-key": "press-1"}


async def a_run(rig: Rig, staff: Client, **changes: Any) -> Run:
    over: dict[str, Any] = {"state": "completed", "by_status": {"failed": 2}, "missed": 2}
    run = projected(await scheduled(staff), **over | changes)
    rig.models.runs[DEMO, run.run_id] = run
    return run


async def requests(rig: Rig) -> list[RunResendRequested]:
    events = [each.event for each in await rig.published()]
    return [each for each in events if isinstance(each, RunResendRequested)]


async def test_the_missed_are_sent_again_by_the_senders_decision(rig: Rig, staff: Client) -> None:
    run = await a_run(rig, staff)
    got = await staff.post(f"/v1/runs/{run.run_id}/resend")
    assert (got.status, got.json()) == (202, {"run_id": str(run.run_id), "missed": 2})
    assert got.headers["location"] == f"/v1/runs/{run.run_id}"
    [asked] = await requests(rig)
    assert (asked.run_id, asked.campaign_id) == (run.run_id, run.campaign_id)
    assert (asked.organization_id, asked.by, asked.sequence) == (DEMO, "staff", 1)


async def test_a_repeat_under_one_key_is_one_command_and_a_second_press_is_another(
    rig: Rig, staff: Client
) -> None:
    run = await a_run(rig, staff)
    path = f"/v1/runs/{run.run_id}/resend"
    first = await staff.post(path, headers=KEY)
    # The figures have moved on since; a repeat is told what the first one was.
    rig.models.runs[DEMO, run.run_id] = replace(run, missed=0)
    again = await staff.post(path, headers=KEY)
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["location"] == first.headers["location"]
    assert len(await requests(rig)) == 1
    rig.models.runs[DEMO, run.run_id] = replace(run, missed=1)
    assert (await staff.post(path)).json()["missed"] == 1
    assert [each.sequence for each in await requests(rig)] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "sending"}, "isn't over yet"),
        ({"state": "preparing", "missed": 0}, "isn't over yet"),
        ({"missed": 0}, "missed nobody"),
        ({"state": "failed", "missed": 0}, "missed nobody"),
    ],
)
async def test_what_is_not_over_or_missed_nobody_is_refused(
    rig: Rig, staff: Client, changes: dict[str, Any], said: str
) -> None:
    run = await a_run(rig, staff, **changes)
    got = await staff.post(f"/v1/runs/{run.run_id}/resend")
    assert got.status == 409
    assert said in got.json()["detail"]
    assert await requests(rig) == []


async def test_a_run_that_is_only_awaited_is_not_over(rig: Rig, staff: Client) -> None:
    campaign = await scheduled(staff)
    assert (await staff.post(f"/v1/runs/{campaign['run_id']}/resend")).status == 409


async def test_a_run_names_its_relatives_and_its_alarm(rig: Rig, staff: Client) -> None:
    earlier, later = uuid4(), (uuid4(), uuid4())
    run = await a_run(rig, staff, earlier_run=earlier, later_runs=later, alarm="stalled: 1 of 2")
    shown = (await staff.get(f"/v1/runs/{run.run_id}")).json()
    assert shown["earlier_run"] == str(earlier)
    assert shown["later_runs"] == [str(each) for each in later]
    assert (shown["alarm"], shown["missed"]) == ("stalled: 1 of 2", 2)
