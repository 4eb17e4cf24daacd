"""The simulated Twilio's reading side: inbound texts in the list, and faults of questions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyreqwest.exceptions import PyreqwestError
from tests.simulators.twilio_site import ACCOUNT, FROM, TO, Api, api

from simulators.shared import running
from simulators.twilio.app import TwilioSimulator

OTHER = "AC" + "2" * 32


@pytest.fixture
def simulator(tmp_path: Path) -> TwilioSimulator:
    return TwilioSimulator(state=tmp_path, accounts={ACCOUNT: "token", OTHER: "other"})


@pytest.fixture
async def twilio(simulator: TwilioSimulator) -> AsyncIterator[Api]:
    async with running(simulator) as url, api(url) as twilio:
        yield twilio


async def say(twilio: Api, body: str, person: str = TO, **more: str) -> str:
    said = await twilio.control("inbound", **{"from": person, "to": FROM, "body": body, **more})
    return str(said["sid"])


async def test_a_text_from_a_person_is_listed_and_fetched(twilio: Api) -> None:
    sid = await say(twilio, "STOP")
    await twilio.send("+12025550177")
    [listed] = (await twilio.messages(To=FROM))["messages"]
    assert (listed["sid"], listed["direction"], listed["status"]) == (sid, "inbound", "received")
    assert (listed["from"], listed["to"], listed["body"]) == (TO, FROM, "STOP")
    fetched = await twilio.get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json")
    assert fetched.body == listed
    assert (await twilio.messages(From=TO))["messages"] == [listed]
    assert (await twilio.messages(To=TO))["messages"] == []


async def test_both_directions_are_paged_newest_first(twilio: Api) -> None:
    sids = []
    for number in range(4):
        sids.append((await twilio.send(body=str(number))).body["sid"])
        sids.append(await say(twilio, str(number)))
    page = await twilio.messages(PageSize="3")
    found = [each["sid"] for each in page["messages"]]
    await say(twilio, "What arrives meanwhile doesn't shift the next pages.")
    while page["next_page_uri"]:
        page = (await twilio.get(page["next_page_uri"])).body
        found += [each["sid"] for each in page["messages"]]
    assert found == sids[::-1]


async def test_a_text_from_a_person_is_one_account_s(twilio: Api) -> None:
    sid = await say(twilio, "hello", account=OTHER)
    assert (await twilio.messages(To=FROM))["messages"] == []
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"
    assert (await twilio.get(path)).status == 404


async def test_texts_from_people_are_found_by_their_date_and_lag_as_all_do(twilio: Api) -> None:
    await say(twilio, "hello")
    today, day = datetime.now(UTC).date(), timedelta(days=1)
    for name, date, found in [
        ("DateSent>", today - day, 1),
        ("DateSent<", today + day, 1),
        ("DateSent>", today + day, 0),
        ("DateSent<", today - day, 0),
    ]:
        listed = await twilio.messages(**{"To": FROM, name: date.isoformat()})
        assert len(listed["messages"]) == found, (name, date)
    await twilio.control("settings", list_lag_seconds=60)
    assert (await twilio.messages(To=FROM))["messages"] == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("get_429", 429, 20429), ("get_500", 500, 20500), ("get_401", 401, 20003)],
)
@pytest.mark.parametrize("route", ["list", "fetch"])
async def test_a_question_is_refused_on_demand(
    twilio: Api, route: str, fault: str, status: int, code: int
) -> None:
    sid = (await twilio.send()).body["sid"]
    list_path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
    path = f"{list_path}.json" if route == "list" else f"{list_path}/{sid}.json"
    await twilio.control("faults", name=fault, times=1, match={"route": route})
    answer = await twilio.get(path)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert (await twilio.get(path)).status == 200
    assert (await twilio.get("/_sim/stats")).body["asked"] == {route: 2}


async def test_a_text_is_not_found_on_demand(twilio: Api) -> None:
    sid = (await twilio.send()).body["sid"]
    await twilio.control("faults", name="get_404", times=1, match={"sid": sid})
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"
    assert [(await twilio.get(path)).status for _ in range(2)] == [404, 200]


@pytest.mark.parametrize("fault", ["get_drop", "get_half_answer"])
async def test_an_answer_breaks_off_on_demand(twilio: Api, fault: str) -> None:
    await twilio.control("faults", name=fault, times=1)
    with pytest.raises(PyreqwestError):
        await twilio.messages(To=TO)
    assert (await twilio.messages(To=TO))["messages"] == []


async def test_a_late_answer_is_whole(twilio: Api) -> None:
    await twilio.control("faults", name="get_slow", times=1, params={"seconds": 0.01})
    assert (await twilio.messages(To=TO))["messages"] == []


async def test_faults_of_one_name_are_cleared_alone(twilio: Api) -> None:
    await twilio.control("faults", name="get_500")
    await twilio.control("faults", name="429")
    left = await twilio.clear("faults?name=get_500")
    assert [rule["name"] for rule in left["rules"]] == ["429"]


async def test_the_record_says_when_a_text_came_and_when_it_was_answered(
    simulator: TwilioSimulator, twilio: Api
) -> None:
    await twilio.control("settings", answer_ms=20)
    await twilio.send()
    await twilio.control("faults", name="500_after", times=1)
    await twilio.send()
    first, second = (await twilio.get("/_sim/messages")).body
    assert first["arrived_at"] <= first["accepted_at"] <= first["answered_at"] - 0.02
    assert second["answered_at"] is None
    assert len(list(simulator.store.messages.entries())) == 2
