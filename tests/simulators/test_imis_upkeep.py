"""What a test can change of a simulated iMIS: members, activity types, and faults of writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyreqwest.exceptions import PyreqwestError
from tests.simulators.imis_site import Caller, activity, signed_in

from simulators.imis import ImisSimulator, Settings
from simulators.shared import running


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    simulator = ImisSimulator(Settings(recipients=1200), state=tmp_path)
    async with running(simulator) as url, signed_in(url) as found:
        yield found


async def change(caller: Caller, **settings: object) -> None:
    assert (await caller.ask("POST", "/_sim/settings", settings))[0] == 200


async def test_a_member_who_was_merged_away_is_no_party_until_he_is_back(caller: Caller) -> None:
    assert (await caller.ask("POST", "/api/Activity", activity()))[0] == 201
    await change(caller, merged_away=["100001"])
    status, body = await caller.ask("POST", "/api/Activity", activity())
    assert (status, body["Message"]) == (400, "The party does not exist.")
    await change(caller, merged_away=[])
    assert (await caller.ask("POST", "/api/Activity", activity()))[0] == 201


async def test_whom_a_query_of_a_test_s_own_names_is_a_member(caller: Caller) -> None:
    assert (await caller.ask("POST", "/api/Activity", activity("M-7")))[0] == 400
    columns, rows = ["iMIS Id", "Mobile"], [["M-7", "+12025550143"]]
    query = {"path": "$/Own", "columns": columns, "rows": rows}
    assert (await caller.ask("PUT", "/_sim/queries", query))[0] == 200
    assert (await caller.ask("POST", "/api/Activity", activity("M-7")))[0] == 201


async def test_an_activity_type_is_taken_away_and_set_up(caller: Caller) -> None:
    path = "/api/LegacyActivityType/TEXTUNSUB"
    types = (await caller.ask("GET", "/_sim/settings"))[1]["activity_types"]
    assert (await caller.ask("GET", path))[0] == 200
    await change(caller, activity_types=[each for each in types if each != "TEXTUNSUB"])
    assert (await caller.ask("GET", path))[0] == 404
    assert (await caller.ask("POST", "/api/Activity", activity(kind="TEXTUNSUB")))[0] == 400
    await change(caller, activity_types=types)
    assert (await caller.ask("POST", "/api/Activity", activity(kind="TEXTUNSUB")))[0] == 201
    await change(caller, tells_activity_types=False)
    assert "No HTTP resource" in (await caller.ask("GET", path))[1]["Message"]


async def test_entries_of_the_log_and_their_recipients_are_listed(caller: Caller) -> None:
    for subject in ("One", "Two", "Two"):
        await caller.ask("POST", "/api/CommunicationLog", {"Subject": subject, "Html": "x"})
    recipient = {"CommunicationLogId": "2", "PartyId": "100001", "MessageType": 1}
    assert (await caller.ask("POST", "/api/CommunicationLogRecipient", recipient))[0] == 201
    for wrong in ({"CommunicationLogId": "4"}, {"CommunicationLogId": "9"}, {"PartyId": "1"}):
        refused = await caller.ask("POST", "/api/CommunicationLogRecipient", recipient | wrong)
        assert refused[0] == 400
    _, found = await caller.ask("GET", "/api/CommunicationLog?Subject=Two&limit=1&offset=1")
    assert (found["TotalCount"], found["Count"]) == (2, 1)
    assert found["Items"]["$values"][0]["CommunicationLogId"] == "3"
    _, records = await caller.ask("GET", "/api/CommunicationLogRecipient?PartyId=100001")
    assert [each["CommunicationLogId"] for each in records["Items"]["$values"]] == ["2"]
    assert (await caller.ask("DELETE", "/api/CommunicationLog"))[0] == 405
    held = (await caller.ask("GET", "/_sim/communications"))[1]["communications"]
    assert [each["id"] for each in held] == [1, 2, 3, 4]


async def test_the_answer_to_a_deletion_is_lost_after_it_was_done(caller: Caller) -> None:
    await caller.ask("POST", "/api/Activity", activity())
    rule = {"name": "drop_after_commit", "times": 1, "match": {"method": "DELETE"}}
    await caller.ask("POST", "/_sim/faults", rule)
    with pytest.raises(PyreqwestError):
        await caller.ask("DELETE", "/api/Activity/1")
    assert (await caller.ask("GET", "/_sim/activities"))[1]["deleted"] == [1]
    assert (await caller.ask("DELETE", "/api/Activity/1"))[0] == 404
