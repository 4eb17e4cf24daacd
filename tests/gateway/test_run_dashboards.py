"""A run's own dashboard, its messages as CSV, and what was written to iMIS."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import Rig
from tests.gateway.test_runs import DEMO, projected, scheduled, text_to

from contracts.events.activity import ActivityRetryRequested
from contracts.events.run import HeldBy
from gateway.domain.views import Run
from readmodels.views import (
    ActivityState,
    ActivityView,
    ErrorCount,
    HeldView,
    HourCount,
    RowStatus,
    SkippedView,
)


@pytest.fixture
async def run(rig: Rig, staff: Client) -> Run:
    """A run that DEMO has."""
    found = projected(await scheduled(staff), state="completed")
    rig.models.runs[DEMO, found.run_id] = found
    return found


def activity(row: int, kind: str = "TEXTMSG", **changes: Any) -> ActivityView:
    whole: dict[str, Any] = {
        "message_id": uuid4(),
        "row": row,
        "imis_id": str(100 + row),
        "kind": kind,
        "state": ActivityState.REFUSED,
        "seqn": None,
        "reason": "There is no contact 101.",
        "at": NOON,
    }
    return ActivityView(**whole | changes)


async def test_tm12_a_runs_dashboard_tells_by_status_by_error_and_by_hour(
    rig: Rig, staff: Client, run: Run
) -> None:
    held = HeldView(
        held_by=HeldBy.CONFIGURATION,
        messages=900,
        segments=900,
        left_out=False,
        until=None,
        error_code=30034,
        at=NOON,
    )
    rig.models.runs[DEMO, run.run_id] = replace(
        run, alarm="error_spike: 20 of the last 100", alarm_code=30007, held=(held,)
    )
    rig.models.errors[run.run_id] = [
        ErrorCount(
            status=RowStatus.UNDELIVERED, error_code=30007, reason=None, messages=20, segments=20
        ),
        ErrorCount(
            status=RowStatus.ERROR, error_code=None, reason="no_number", messages=3, segments=0
        ),
        ErrorCount(status=RowStatus.FAILED, error_code=39999, reason=None, messages=1, segments=1),
    ]
    rig.models.hours[run.run_id] = [
        HourCount(hour=NOON, status=RowStatus.SENT, messages=7, segments=8)
    ]
    shown = (await staff.get(f"/v1/runs/{run.run_id}/dashboard")).json()
    assert shown["run"]["by_status"] == {"sent": 1, "preparing": 1}
    assert "filter" in shown["run"]["alarm_advice"]
    assert [each["messages"] for each in shown["errors"]] == [20, 3, 1]
    told = [each["meaning"] for each in shown["errors"]]
    assert told[:2] == [
        "The carrier filtered the text as unwanted.",
        "The row has no phone number.",
    ]
    assert "39999" in told[2]
    assert "filter" in shown["errors"][0]["advice"]
    assert shown["hours"] == [
        {"hour": "2026-03-02T12:00:00Z", "status": "sent", "messages": 7, "segments": 8}
    ]
    (kept_back,) = shown["run"]["held"]
    assert (kept_back["held_by"], kept_back["messages"]) == ("configuration", 900)
    assert "not registered" in kept_back["error_meaning"]


async def test_tm13_view_runs_shows_each_run_and_the_times_that_passed_unused(
    rig: Rig, staff: Client, run: Run
) -> None:
    later = replace(run, run_id=uuid4(), occurrence="2026-03-02T08:10:00", waiting="No log-in.")
    rig.models.runs[DEMO, later.run_id] = later
    rig.models.skips[DEMO, run.campaign_id] = [
        SkippedView(first=NOON - timedelta(days=3), last=NOON, occurrences=4, at=NOON)
    ]
    shown = (await staff.get(f"/v1/campaigns/{run.campaign_id}/runs")).json()
    assert {each["run_id"] for each in shown["items"]} == {str(run.run_id), str(later.run_id)}
    by_id = {each["run_id"]: each for each in shown["items"]}
    assert by_id[str(later.run_id)]["occurrence"] == "2026-03-02T08:10:00"
    assert by_id[str(later.run_id)]["waiting"] == "No log-in."
    assert all(each["by_status"] == {"sent": 1, "preparing": 1} for each in shown["items"])
    assert [each["occurrences"] for each in shown["skipped"]] == [4]


async def test_x2_a_runs_messages_leave_as_csv_whole_and_without_a_formula(
    rig: Rig, staff: Client, run: Run
) -> None:
    mine = [text_to(run, row, text="=HYPERLINK(1)") for row in range(1, 1203)]
    mine[1] = text_to(run, 2, status="error", error_code=21211, to="12", text="", imis_id="@x")
    rig.models.found[DEMO] = mine
    got = await staff.get(f"/v1/runs/{run.run_id}/messages.csv")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"messages-{run.run_id}.csv" in got.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(got.body.decode("utf-8-sig"))))
    assert [each["row"] for each in rows] == [str(row) for row in range(1, 1203)]
    assert (rows[0]["to"], rows[0]["text"]) == ("'+12025550143", "'=HYPERLINK(1)")
    assert (rows[1]["imis_id"], rows[1]["error_meaning"]) == ("'@x", "The number is not valid.")
    some = await staff.get(f"/v1/runs/{run.run_id}/messages.csv?status=error")
    assert some.body.count(b"\r\n") == 2


async def test_tm8_what_imis_refused_is_listed_with_its_reason(
    rig: Rig, staff: Client, run: Run
) -> None:
    both = [activity(1), activity(1, "TEXTUNSUB"), activity(2), activity(3)]
    written = activity(4, state=ActivityState.WRITTEN, seqn="77", reason=None)
    rig.models.written[run.run_id] = [*both, written]
    path = f"/v1/runs/{run.run_id}/activities"
    page = (await staff.get(f"{path}?state=refused&limit=2")).json()
    assert [(each["row"], each["kind"]) for each in page["items"]] == [
        (1, "TEXTMSG"),
        (1, "TEXTUNSUB"),
        (2, "TEXTMSG"),
    ]
    assert page["items"][0]["reason"] == "There is no contact 101."
    rest = (await staff.get(f"{path}?state=refused&limit=2&cursor={page['next_cursor']}")).json()
    assert ([each["row"] for each in rest["items"]], rest["next_cursor"]) == ([3], None)
    everything = (await staff.get(path)).json()["items"]
    assert (len(everything), everything[-1]["seqn"]) == (5, "77")


async def test_tm8_what_imis_refused_can_be_tried_again(rig: Rig, staff: Client, run: Run) -> None:
    path = f"/v1/runs/{run.run_id}/activities/retry"
    nothing = await staff.post(path)
    assert (nothing.status, "nothing to try" in nothing.json()["detail"]) == (409, True)
    rig.models.written[run.run_id] = [activity(1)]
    message = text_to(run, 1)
    rig.models.found[DEMO] = [message]
    keyed = {"idempotency-key": "again"}
    assert (await staff.post(path, {}, headers=keyed)).status == 202
    assert (await staff.post(path, {}, headers=keyed)).status == 202
    one = await staff.post(path, {"message_id": str(message.message_id)})
    assert one.json() == {"run_id": str(run.run_id), "message_id": str(message.message_id)}
    asked = [
        each.event
        for each in await rig.published()
        if isinstance(each.event, ActivityRetryRequested)
    ]
    assert [(each.sequence, each.message_id, each.by) for each in asked] == [
        (1, None, "staff"),
        (2, message.message_id, "staff"),
    ]
    assert (await staff.post(path, {"message_id": str(UUID(int=1))})).status == 404


async def test_tm8_another_runs_message_is_not_tried_again_by_this_one(
    rig: Rig, staff: Client, run: Run
) -> None:
    elsewhere = replace(run, run_id=uuid4())
    message = text_to(elsewhere, 1)
    rig.models.found[DEMO] = [message]
    path = f"/v1/runs/{run.run_id}/activities/retry"
    assert (await staff.post(path, {"message_id": str(message.message_id)})).status == 404
