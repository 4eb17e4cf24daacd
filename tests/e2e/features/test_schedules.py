"""TM-9, TM-13, X-5: when campaigns run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.features.organization import Organization, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def in_a_moment(seconds: float = 8) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def occurrences(org: Organization, rule: str, starts: str, zone: str = "UTC") -> list[str]:
    wanted = {"rule": rule, "starts": starts, "time_zone": zone, "count": 3}
    told = org.post("recurrences/preview", wanted)
    return [each["at"].replace("+00:00", "Z") for each in told["items"]]


def recurring(org: Organization, path: str, **recurrence: Any) -> str:
    wanted = {"rule": "FREQ=DAILY", "starts": in_a_moment(), **recurrence}
    campaign = org.campaign(path, kind="recurring", recurrence=wanted)
    org.post(f"campaigns/{campaign}/schedule")
    return campaign


def test_tm9_once_in_the_future(org: Organization) -> None:
    campaign = org.campaign(org.query(org.members(2)))
    at = (datetime.now(UTC) + timedelta(seconds=7)).isoformat()
    run = org.post(f"campaigns/{campaign}/schedule", {"at": at})["run_id"]
    assert org.get(f"campaigns/{campaign}")["status"] == "scheduled"
    assert org.over(run)["by_status"] == {"delivered": 2}
    assert (
        min(each["accepted_at"] for each in org.texts()) >= datetime.fromisoformat(at).timestamp()
    )


def test_x5_the_31st_the_last_day_and_a_clock_that_changes(org: Organization) -> None:
    assert occurrences(org, "FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-01T08:10:00") == [
        "2027-01-31T08:10:00Z",
        "2027-03-31T08:10:00Z",
        "2027-05-31T08:10:00Z",
    ]
    assert occurrences(org, "FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-01T08:10:00") == [
        "2027-01-31T08:10:00Z",
        "2027-02-28T08:10:00Z",
        "2027-03-31T08:10:00Z",
    ]
    new_york = "America/New_York"
    assert occurrences(org, "FREQ=DAILY", "2027-03-14T02:30:00", new_york)[0] == (
        "2027-03-14T07:30:00Z"
    )
    assert occurrences(org, "FREQ=DAILY", "2027-11-07T01:30:00", new_york)[:2] == [
        "2027-11-07T05:30:00Z",
        "2027-11-08T06:30:00Z",
    ]


def test_tm13_a_job_runs_shows_its_runs_and_is_scheduled_on(org: Organization) -> None:
    campaign = recurring(org, org.query(org.members(2)), rule="FREQ=DAILY;COUNT=2")
    shown = org.get(f"campaigns/{campaign}/occurrences")
    assert len(shown["items"]) == 2
    [run] = until(lambda: _ended(org, campaign), seconds=40)
    assert run["by_status"] == {"delivered": 2}
    until(lambda: org.get(f"campaigns/{campaign}")["status"] == "scheduled")
    assert len(org.get(f"campaigns/{campaign}/occurrences")["items"]) == 1
    assert org.call("DELETE", f"campaigns/{campaign}").status == 204


def test_tm13_a_job_that_ends_is_completed_and_an_edit_counts_from_the_next_run(
    org: Organization,
) -> None:
    campaign = recurring(org, org.query(org.members(1)), rule="FREQ=DAILY;COUNT=1")
    org.patch(f"campaigns/{campaign}", {"template": "Edited ${FullName}"})
    until(lambda: _ended(org, campaign), seconds=40)
    until(lambda: org.get(f"campaigns/{campaign}")["status"] == "completed")
    assert [each["body"] for each in org.texts()] == ["Edited Member 0"]


def test_tm13_deleting_under_way_asks_what_becomes_of_the_run(org: Organization) -> None:
    org.patch("settings", {"numbers": [{"number": org.number, "segments_per_second": 5}]})
    campaign = recurring(org, org.query(org.members(60)))
    until(org.texts, seconds=40)
    refused = org.call("DELETE", f"campaigns/{campaign}")
    assert refused.status == 409
    assert "finish" in refused.text and "cancel" in refused.text
    [run] = org.get(f"campaigns/{campaign}/runs")["items"]
    assert org.call("DELETE", f"campaigns/{campaign}?run=cancel").status == 204
    assert org.over(run["run_id"])["by_reason"]["cancelled"] > 0


def _ended(org: Organization, campaign: str) -> list[Any]:
    runs = org.get(f"campaigns/{campaign}/runs")["items"]
    return [
        each
        for each in runs
        if each["state"] == "completed"
        and not {"sent", "preparing"} & {s for s, n in each["by_status"].items() if n}
    ]
