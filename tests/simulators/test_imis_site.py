"""The simulated iMIS over HTTP: its record, its faults, its pages, its control side."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pyreqwest.exceptions import PyreqwestError
from tests.simulators.imis_site import Caller, activity, signed_in

from simulators.imis import ImisSimulator, Profile, Settings, catalogue
from simulators.shared import running


@pytest.fixture(params=["ems", "2017"])
def profile(request: pytest.FixtureRequest) -> Profile:
    found: Profile = request.param
    return found


@pytest.fixture
async def caller(tmp_path: Path, profile: Profile) -> AsyncIterator[Caller]:
    simulator = ImisSimulator(Settings(profile=profile, recipients=1200), state=tmp_path)
    async with running(simulator) as url, signed_in(url) as found:
        yield found


def run_route(profile: Profile) -> str:
    return "/api/query" if profile == "ems" else "/api/iqa"


def query(profile: Profile, path: str = catalogue.MEMBERS, **more: int) -> str:
    from urllib.parse import urlencode

    return f"{run_route(profile)}?{urlencode({'QueryName': path, **more})}"


async def test_pages_are_a_hundred_unless_asked_and_five_hundred_at_most(
    caller: Caller, profile: Profile
) -> None:
    _, page = await caller.ask("GET", query(profile))
    assert (page["Count"], page["TotalCount"], page["NextOffset"]) == (100, 1200, 100)
    _, page = await caller.ask("GET", query(profile, limit=9999, offset=1000))
    assert (page["Count"], page["HasNext"]) == (200, False)


async def test_rows_have_the_shape_of_their_version(caller: Caller, profile: Profile) -> None:
    _, page = await caller.ask("GET", query(profile, limit=1, offset=67))
    [row] = page["Items"]["$values"]
    if profile == "ems":
        assert row["First Name"] is None
        assert row["Member Since"]["$type"] == "System.DateTime"
    else:
        held = {p["Name"]: p for p in row["Properties"]["$values"]}
        assert "Value" not in held["First Name"]
        assert held["ResultRow"]["Value"] == "68"


async def test_query_is_ems_only_and_iqa_answers_on_both(caller: Caller, profile: Profile) -> None:
    status, _ = await caller.ask("GET", query("ems", limit=1))
    assert status == (200 if profile == "ems" else 404)
    status, page = await caller.ask("GET", query("2017", limit=1))
    assert status == 200
    assert "Properties" in page["Items"]["$values"][0]


async def test_communications_are_ems_only(caller: Caller, profile: Profile) -> None:
    status, log = await caller.ask("POST", "/api/CommunicationLog", {"Subject": "A text"})
    assert status == (201 if profile == "ems" else 404)
    if profile == "ems":
        recipient = {"CommunicationLogId": log["CommunicationLogId"], "PartyId": "100001"}
        status, _ = await caller.ask("POST", "/api/CommunicationLogRecipient", recipient)
        assert status == 201


async def test_nothing_without_a_token(caller: Caller, profile: Profile) -> None:
    caller.token = "nobody's"
    status, body = await caller.ask("GET", query(profile))
    assert status == 401
    assert body["Message"] == "Authorization has been denied for this request."


async def test_a_token_ends_when_it_says(caller: Caller, profile: Profile) -> None:
    await caller.ask("POST", "/_sim/settings", {"token_ttl_seconds": 0})
    await caller.log_in()
    assert (await caller.ask("GET", query(profile)))[0] == 401


async def test_a_password_expires_while_the_site_runs(caller: Caller, profile: Profile) -> None:
    status, told = await caller.ask("POST", "/_sim/settings", {"users": {"staff": "new-pass"}})
    assert status == 200
    assert "new-pass" not in str(told)
    form = {"grant_type": "password", "username": "staff", "password": "staff-pass"}
    refused = await caller.client.post(caller.url + "/token").form(form).build().send()
    assert refused.status == 400
    # Others sign in as before, and a token that was given stays good.
    assert (await caller.ask("GET", query(profile)))[0] == 200
    form |= {"password": "new-pass"}
    taken = await caller.client.post(caller.url + "/token").form(form).build().send()
    assert taken.status == 200


async def test_the_judge_sees_what_a_reader_should_get(caller: Caller, profile: Profile) -> None:
    from urllib.parse import quote

    _, seen = await caller.ask("GET", "/_sim/audience?path=" + quote(catalogue.MEMBERS))
    assert len(seen["rows"]) == 1200
    assert seen["rows"][67]["FullName"] == ""
    assert (await caller.ask("GET", "/_sim/audience?path=x"))[0] == 404


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("401_live_token", 401),
        ("403", 403),
        ("404_rest_disabled", 404),
        ("400_missing_prompt", 400),
    ],
)
async def test_faults_befall_a_query(
    caller: Caller, profile: Profile, name: str, status: int
) -> None:
    await caller.ask("POST", "/_sim/faults", {"name": name, "times": 1})
    assert (await caller.ask("GET", query(profile)))[0] == status
    assert (await caller.ask("GET", query(profile)))[0] == 200


async def test_rows_move_between_pages(caller: Caller, profile: Profile) -> None:
    await caller.ask("POST", "/_sim/faults", {"name": "rows_move", "params": {"by": -3}})
    first = (await caller.ask("GET", query(profile, limit=10)))[1]["Items"]["$values"]
    second = (await caller.ask("GET", query(profile, limit=10, offset=10)))[1]["Items"]["$values"]
    assert len(second) == 10
    assert [member(row) for row in second[:3]] == [member(row) for row in first[7:]]


async def test_rows_that_change_between_pages_show_in_the_total(
    caller: Caller, profile: Profile
) -> None:
    truth = (await caller.ask("GET", query(profile, limit=10, offset=10)))[1]
    rule = {"name": "rows_change", "times": 1, "params": {"by": 3}}
    await caller.ask("POST", "/_sim/faults", rule)
    first = (await caller.ask("GET", query(profile, limit=10)))[1]
    changed = (await caller.ask("GET", query(profile, limit=10, offset=10)))[1]
    assert (first["TotalCount"], changed["TotalCount"]) == (1200, 1197)
    shifted = [member(row) for row in changed["Items"]["$values"]]
    assert shifted[:7] == [member(row) for row in truth["Items"]["$values"]][3:]
    again = (await caller.ask("GET", query(profile, limit=10, offset=10)))[1]
    assert again == truth


async def test_an_answer_is_late_on_demand(caller: Caller, profile: Profile) -> None:
    rule = {"name": "slow", "params": {"seconds": 0.05}}
    await caller.ask("POST", "/_sim/faults", rule)
    before = asyncio.get_running_loop().time()
    assert (await caller.ask("GET", query(profile)))[0] == 200
    await caller.log_in()
    assert asyncio.get_running_loop().time() - before >= 0.1
    await caller.client.delete(caller.url + "/_sim/faults?name=slow").build().send()
    assert (await caller.ask("GET", "/_sim/faults"))[1]["rules"] == []


@pytest.mark.parametrize(
    "name", ["500_before", "html_page", "hang", "500_after", "drop_after_commit"]
)
async def test_each_fault_is_switched_on_and_off_while_it_runs(
    caller: Caller, profile: Profile, name: str
) -> None:
    """A write under a fault; what was committed before it is there, and once."""
    rule = {"name": name, "times": 1, "match": {"user": "staff", "path": "/api/Activity"}}
    await caller.ask("POST", "/_sim/faults", rule)
    if name == "hang":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await caller.ask("POST", "/api/Activity", activity())
    elif name == "html_page":
        body = (
            await caller.client.post(caller.url + "/api/Activity")
            .bearer_auth(caller.token)
            .body_json(activity())
            .build()
            .send()
        )
        assert (body.status, "html" in await body.text()) == (200, True)
    elif name == "drop_after_commit":
        with pytest.raises(PyreqwestError):
            await caller.ask("POST", "/api/Activity", activity())
    else:
        seen, _ = await caller.ask("POST", "/api/Activity", activity())
        assert seen == 500
    held = (await caller.ask("GET", "/_sim/activities"))[1]["activities"]
    assert len(held) == int(name in {"500_after", "drop_after_commit"})
    assert (await caller.ask("POST", "/api/Activity", activity()))[0] == 201


def member(row: dict[str, Any]) -> object:
    if "Properties" not in row:
        return row["iMIS Id"]
    return row["Properties"]["$values"][0]["Value"]


async def test_a_hang_is_for_one_user_only(caller: Caller, profile: Profile) -> None:
    await caller.ask("POST", "/_sim/faults", {"name": "hang", "match": {"user": "textmanager"}})
    assert (await caller.ask("GET", query(profile)))[0] == 200


async def test_an_account_locks_after_many_bad_logins(caller: Caller) -> None:
    form = {"grant_type": "password", "username": "staff", "password": "wrong"}
    for _ in range(10):
        await caller.client.post(caller.url + "/token").form(form).build().send()
    form["password"] = "staff-pass"
    locked = await caller.client.post(caller.url + "/token").form(form).build().send()
    assert locked.status == 400
    await caller.ask("POST", "/_sim/settings", {"unlock": True})
    await caller.log_in()


async def test_settings_refuse_what_cannot_be_set(caller: Caller) -> None:
    status, _ = await caller.ask("POST", "/_sim/settings", {"profile": "x"})
    assert status == 400
