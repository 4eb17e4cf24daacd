"""Campaigns over the API: when they may be scheduled, and what holds for them then."""

from typing import Any
from uuid import UUID

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import MEMBERS, NOON
from tests.gateway.rig import NUMBER, Rig, field_names
from tests.gateway.test_campaigns import LATER, drafted

from contracts.events.campaign import (
    CampaignScheduled,
)
from contracts.ids import run_id


async def test_a_campaign_is_scheduled_now(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    campaign_id = UUID(campaign["campaign_id"])
    got = await staff.post(f"/v1/campaigns/{campaign_id}/schedule", {"at": None})
    assert got.status == 200, got.body
    assert got.json()["status"] == "scheduled"
    assert got.json()["run_id"] == str(run_id(campaign_id, "launch:1"))
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignScheduled)
    assert (event.launch, event.due_at) == (1, NOON)


async def test_a_later_schedule_of_the_same_launch_replaces_it(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}/schedule"
    first = (await staff.post(path, {"at": LATER})).json()
    second = (await staff.post(path, {"at": "2026-03-06T08:00:00Z"})).json()
    assert first["run_id"] == second["run_id"]
    assert first["due_at"] == LATER
    assert second["due_at"] == "2026-03-06T08:00:00Z"


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-03-02T11:59:00Z", 200),
        ("2026-03-02T11:58:59Z", 422),
        ("2026-03-09T12:00:00", 422),
        ("soon", 422),
        (1_900_000_000, 422),
        ("9999-12-31T23:59:59-23:59", 422),
        ("0001-01-01T00:00:00+23:59", 422),
        (True, 422),
    ],
)
async def test_only_a_time_that_is_clear_and_not_past_is_taken(
    staff: Client, at: Any, status: int
) -> None:
    campaign = await drafted(staff)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/schedule", {"at": at})
    assert got.status == status
    assert status == 200 or field_names(got.body) == {"at"}


async def test_everything_that_is_missing_is_named_at_once(rig: Rig) -> None:
    await rig.organization(numbers=[])
    staff = await rig.staff()
    campaign = (await staff.post("/v1/campaigns", {"name": "Empty"})).json()
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    for sub, body in (("/schedule", {}), ("/summary", None)):
        got = await staff.post(path + sub, body)
        assert got.status == 422
        assert field_names(got.body) == {"audience", "template", "from_number"}
    got = await staff.post(f"{path}/schedule", {"at": "2020-01-01T00:00:00Z"})
    assert field_names(got.body) == {"audience", "template", "from_number", "at"}
    await staff.patch(path, {"audience": {"iqa_path": MEMBERS}})
    got = await staff.post(f"{path}/schedule", {})
    assert {"audience.phone_column", "audience.id_column"} < field_names(got.body)


async def test_a_number_that_is_not_verified_sends_only_tests(rig: Rig) -> None:
    await rig.organization(numbers=[{"number": NUMBER, "verification": "pending"}])
    staff = await rig.staff()
    live, test = await drafted(staff), await drafted(staff, mode="TEST")
    got = await staff.post(f"/v1/campaigns/{live['campaign_id']}/schedule", {})
    assert (got.status, field_names(got.body)) == (422, {"from_number"})
    assert (await staff.post(f"/v1/campaigns/{test['campaign_id']}/schedule", {})).status == 200


async def test_a_scheduled_campaign_keeps_its_schedule_and_stays_complete(staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    await staff.post(f"{path}/schedule", {"at": LATER})
    edited = await staff.patch(path, {"template": "Dear ${Full Name}"})
    assert edited.json()["status"] == "scheduled"
    assert edited.json()["due_at"] is not None
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"template": " "}, "template"),
        ({"audience": None}, "audience"),
        ({"audience": {"iqa_path": None}}, "audience"),
    ]
    for patch, field in wrong:
        got = await staff.patch(path, patch)
        assert got.status == 422
        assert field in field_names(got.body)


async def test_a_campaign_whose_time_has_come_is_left_alone(staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    await staff.post(f"{path}/schedule", {})
    for method, sub, body in (
        ("PATCH", "", {"name": "Late"}),
        ("DELETE", "", None),
        ("POST", "/schedule", {"at": LATER}),
    ):
        got = await staff.request(method, path + sub, json=body)
        assert got.status == 409
        assert "its run is being started" in got.json()["detail"]
