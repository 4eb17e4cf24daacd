"""TM-5: the queries of campaigns, browsed and asked as the staff member."""

from tests.gateway.client import Client
from tests.gateway.fakes import BARE, MEMBERS, PROMPTED
from tests.gateway.rig import AUDIENCE, Rig, field_names
from tests.gateway.test_campaigns import LATER, drafted


async def test_iqas_are_browsed_as_the_staff_member(rig: Rig, staff: Client) -> None:
    folder = (await staff.get("/v1/iqas")).json()
    assert folder["path"] == "$"
    assert folder["entries"][0]["path"] == MEMBERS
    assert rig.imis.asked[-1] == "browse $ as imis-token-of-staff"
    columns = (await staff.get(f"/v1/iqas/columns?path={MEMBERS}")).json()
    assert [each["alias"] for each in columns["columns"]] == ["ID", "Full Name", "Mobile Phone"]
    bare = (await staff.get(f"/v1/iqas/columns?path={BARE}")).json()
    assert bare["problems"]
    assert bare["columns"][0]["alias"] == ""
    assert (await staff.get("/v1/iqas?path=$/No")).status == 404
    assert (await staff.get("/v1/iqas/columns")).status == 422


ASKING = AUDIENCE | {"iqa_path": PROMPTED}
UNMERGED = {"template": "Hello", "audience": ASKING}


async def test_a_query_that_asks_for_a_value_is_not_run_without_one(
    rig: Rig, staff: Client
) -> None:
    campaign = await drafted(staff, **UNMERGED)
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    for step in ("schedule", "summary?wait_seconds=0"):
        got = await staff.post(f"{path}/{step}", {})
        assert got.status == 422
        [fault] = got.json()["errors"]
        assert (fault["field"], "City" in fault["detail"]) == ("audience.prompts", True)
    answered = {"audience": {"prompts": ["Boston"]}}
    assert (await staff.patch(path, answered)).status == 200
    assert (await staff.post(f"{path}/schedule", {"at": LATER})).status == 200
    # It is kept by the prompt's name, so that a rename is noticed.
    shown = (await staff.get(path)).json()["audience"]
    assert (shown["answers"], shown["prompts"]) == ({"City": "Boston"}, [])
    # A scheduled campaign can't lose it again.
    refused = await staff.patch(path, {"audience": {"prompts": []}})
    assert field_names(refused.body) == {"audience.prompts"}


async def test_a_prompt_that_has_a_default_needs_no_value(rig: Rig, staff: Client) -> None:
    rig.imis.defaults["City"] = "Boston"
    campaign = await drafted(staff, **UNMERGED)
    got = await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/schedule", {})
    assert got.status == 200
