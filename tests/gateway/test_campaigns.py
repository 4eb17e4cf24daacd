"""Campaigns over the API: written, changed, listed, dropped, and never another's."""

from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import BARE, MEMBERS, PROMPTED
from tests.gateway.rig import AUDIENCE, CAMPAIGN, NUMBER, Rig, field_names

from contracts.events.campaign import (
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
)
from imis_client import CredentialsRejected, Forbidden, TryAgain

LATER = "2026-03-05T09:30:00+01:00"


async def drafted(staff: Client, **changes: Any) -> Any:
    got = await staff.post("/v1/campaigns", CAMPAIGN | changes)
    assert got.status == 201, got.body
    return got.json()


async def test_a_draft_needs_a_name_and_nothing_else(rig: Rig, staff: Client) -> None:
    got = await staff.post("/v1/campaigns", {"name": "  Reminder "})
    assert got.status == 201
    campaign = got.json()
    assert campaign["name"] == "Reminder"
    assert campaign["status"] == "draft"
    assert got.headers["etag"] == '"1"'
    assert got.headers["location"] == f"/v1/campaigns/{campaign['campaign_id']}"
    assert [type(each.event) for each in (await rig.published())[1:]] == [CampaignDrafted]
    shown = await staff.get(got.headers["location"])
    assert (shown.status, shown.body, shown.headers["etag"]) == (200, got.body, '"1"')


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({"audience": {}}, {"audience"}),
        ({"audience": {"phone_column": "Mobile Phone"}}, {"audience"}),
        ({"audience": {"iqa_path": MEMBERS}}, {"audience.phone_column", "audience.id_column"}),
        ({"kind": "recurring"}, {"recurrence"}),
        ({"kind": "recurring", "recurrence": {}}, {"recurrence.rule", "recurrence.starts"}),
        ({"kind": "recurring", "recurrence": {"rule": "FREQ=DAILY"}}, {"recurrence.starts"}),
        (
            {"kind": "recurring", "recurrence": {"starts": "2027-01-31T08:10:00"}},
            {"recurrence.rule"},
        ),
    ],
)
async def test_tm11_a_draft_may_be_half_written_and_scheduling_says_what_is_missing(
    rig: Rig, staff: Client, given: dict[str, Any], lacking: set[str]
) -> None:
    got = await staff.post("/v1/campaigns", {"name": "Reminder"} | given)
    assert got.status == 201, got.body
    path = got.headers["location"]
    assert (await staff.get(path)).body == got.body
    assert (await staff.get("/v1/campaigns")).status == 200
    refused = await staff.post(f"{path}/schedule", {})
    assert refused.status == 422
    assert lacking | {"template"} <= field_names(refused.body)
    assert (await staff.get(f"{path}/occurrences")).status == 409


async def test_tm11_of_a_half_written_recurrence_what_is_there_is_checked(
    staff: Client,
) -> None:
    given = {"name": "Reminder", "kind": "recurring", "recurrence": {"rule": "FREQ=NEVER"}}
    got = await staff.post("/v1/campaigns", given)
    assert got.status == 422
    assert field_names(got.body) == {"recurrence"}


async def test_the_columns_are_read_as_the_staff_member_and_kept(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    assert campaign["columns"] == ["ID", "Full Name", "Mobile Phone"]
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignDrafted)
    assert event.definition.columns == ("ID", "Full Name", "Mobile Phone")
    assert event.by == "staff"


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": "  "}, "name", "must not be blank"),
        ({"name": "x" * 201}, "name", "at most 200"),
        ({"template": "Hello ${Nmae}"}, "template", "'Nmae'"),
        ({"template": "Hello ${Full Name"}, "template", "no closing"),
        ({"audience": AUDIENCE | {"phone_column": "Fax"}}, "audience.phone_column", "'Fax'"),
        ({"audience": AUDIENCE | {"id_column": "Nr"}}, "audience.id_column", "Full Name"),
        ({"audience": AUDIENCE | {"id_column": "Mobile Phone"}}, "audience.id_column", "both"),
        ({"audience": AUDIENCE | {"iqa_path": "$/No"}}, "audience.iqa_path", "no query"),
        ({"audience": {"iqa_path": BARE}}, "audience.iqa_path", "alias"),
        ({"audience": {"iqa_path": PROMPTED, "prompts": ["a", "b"]}}, "audience.prompts", "City"),
        ({"from_number": "+18885550199"}, "from_number", NUMBER),
        ({"from_number": "0800"}, "from_number", "E.164"),
        ({"email": "nobody"}, "email", "e-mail"),
        ({"mode": "REAL"}, "mode", "LIVE"),
        ({"write_to": "interactions"}, "write_to", "activity"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_saved(
    rig: Rig, staff: Client, change: dict[str, Any], field: str, said: str
) -> None:
    before = len(await rig.published())
    got = await staff.post("/v1/campaigns", CAMPAIGN | change)
    assert got.status == 422
    details = [each["detail"] for each in got.json()["errors"] if each["field"] == field]
    assert any(said in each for each in details), got.body
    assert len(await rig.published()) == before


async def test_an_unknown_field_is_refused_with_the_known_ones(staff: Client) -> None:
    got = await staff.post("/v1/campaigns", CAMPAIGN | {"template": "${Frist Name}"})
    (error,) = got.json()["errors"]
    assert error["field"] == "template"
    assert "Frist Name" in error["detail"]
    assert "ID, Full Name, Mobile Phone" in error["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TryAgain("iMIS can't be reached."), 503),
        (CredentialsRejected("The iMIS session has ended. Sign in again."), 401),
        (Forbidden("iMIS says no."), 403),
    ],
)
async def test_an_imis_that_fails_is_said_to(
    rig: Rig, staff: Client, error: Any, status: int
) -> None:
    rig.imis.fails_with = error
    got = await staff.post("/v1/campaigns", CAMPAIGN)
    assert got.status == status
    assert (await staff.get("/v1/iqas")).status == status


async def test_a_patch_merges_and_keeps_what_it_leaves_out(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff, email="a@example.org")
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    got = await staff.patch(
        path,
        {"name": "New", "email": None, "audience": {"phone_column": "Full Name"}},
        headers={"content-type": "application/merge-patch+json", "if-match": '"1"'},
    )
    assert got.status == 200, got.body
    assert got.headers["etag"] == '"2"'
    edited = got.json()
    assert edited["email"] is None
    assert edited["audience"] == AUDIENCE | {
        "phone_column": "Full Name",
        "prompts": [],
        "answers": {},
        "upload_id": None,
        "zone_column": "",
    }
    assert edited["template"] == campaign["template"]
    assert isinstance((await rig.published())[-1].event, CampaignEdited)
    assert (await rig.published())[-1].causation_id == (await rig.published())[-2].id


async def test_a_patch_of_the_text_alone_needs_no_imis(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    rig.imis.fails_with = TryAgain("away")
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.patch(path, {"template": "Dear ${Full Name}"})).status == 200
    # A field that isn't known might be new in iMIS, which has to be asked.
    assert (await staff.patch(path, {"template": "Dear ${City}"})).status == 503
    rig.imis.fails_with = None
    rig.imis.columns_of[MEMBERS].append("City")
    got = await staff.patch(path, {"template": "Dear ${City}"})
    assert got.status == 200
    assert "City" in got.json()["columns"]


async def test_a_patch_that_changes_nothing_makes_no_event(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    before = len(await rig.published())
    got = await staff.patch(f"/v1/campaigns/{campaign['campaign_id']}", {"name": "Renewal"})
    assert (got.status, got.headers["etag"]) == (200, '"1"')
    assert len(await rig.published()) == before


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"name": None}, "name"),
        ({"status": "completed"}, "status"),
    ],
)
async def test_a_patch_can_not_break_a_campaign(
    staff: Client, patch: dict[str, Any], field: str
) -> None:
    campaign = await drafted(staff)
    got = await staff.patch(f"/v1/campaigns/{campaign['campaign_id']}", patch)
    assert got.status == 422
    assert field in field_names(got.body)


async def test_a_change_of_an_older_version_is_refused(staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.patch(path, {"name": "B"}, headers={"if-match": '"1"'})).status == 200
    for stale in ('"1"', 'W/"2"', '"x"', "2", ""):
        got = await staff.patch(path, {"name": "C"}, headers={"if-match": stale})
        assert got.status == 412, stale
    at = {"at": LATER}
    for method, sub in (("DELETE", ""), ("POST", "/schedule")):
        got = await staff.request(method, path + sub, json=at, headers={"if-match": '"1"'})
        assert got.status == 412
    fresh = await staff.patch(path, {"name": "C"}, headers={"if-match": '"7", "2"'})
    assert fresh.status == 200
    assert (await staff.patch(path, {"name": "D"}, headers={"if-match": "*"})).status == 200


async def test_a_deleted_campaign_is_gone(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.delete(path)).status == 204
    assert isinstance((await rig.published())[-1].event, CampaignDeleted)
    assert (await staff.get(path)).status == 404
    assert (await staff.delete(path)).status == 404
    assert (await staff.get("/v1/campaigns")).json()["items"] == []


async def test_campaigns_are_listed_page_by_page_and_by_status(staff: Client) -> None:
    made = [(await drafted(staff, name=f"C{n}"))["campaign_id"] for n in range(5)]
    await staff.post(f"/v1/campaigns/{made[1]}/schedule", {"at": LATER})
    seen: list[str] = []
    path = "/v1/campaigns?limit=2"
    while True:
        page = (await staff.get(path)).json()
        seen += [each["campaign_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/v1/campaigns?limit=2&cursor={page['next_cursor']}"
    assert seen == sorted(made, reverse=True)
    scheduled = (await staff.get("/v1/campaigns?status=scheduled")).json()
    assert [each["campaign_id"] for each in scheduled["items"]] == [made[1]]
    for wrong in ("limit=0", "limit=501", "cursor=!", "cursor=AAAA", "status=odd", "limit=1e9"):
        assert (await staff.get(f"/v1/campaigns?{wrong}")).status == 422, wrong


async def test_another_organisation_sees_and_changes_nothing(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    campaign = await drafted(staff)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    unknown = f"/v1/campaigns/{uuid4()}"
    before = len(await rig.published())
    for method, sub, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/schedule", {}),
        ("POST", "/summary", None),
        ("GET", f"/summaries/{uuid4()}", None),
        ("GET", "/runs", None),
    ):
        theirs = await stranger.request(method, path + sub, json=body)
        nobodys = await stranger.request(method, unknown + sub, json=body)
        assert theirs.status == nobodys.status == 404, (method, sub)
        assert theirs.body == nobodys.body
        assert (await rig.anybody.request(method, path + sub, json=body)).status == 401
    assert (await stranger.get("/v1/campaigns")).json()["items"] == []
    assert len(await rig.published()) == before
