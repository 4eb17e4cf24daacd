"""The simulated REST API: what is taken, refused, listed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.simulators.twilio_site import ACCOUNT, FROM, TO, Api, api, until

from simulators.shared import running
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.segments import count_segments


@pytest.fixture
def simulator(tmp_path: Path) -> TwilioSimulator:
    simulator = TwilioSimulator(state=tmp_path, accounts={ACCOUNT: "token"})
    simulator.settings.sent_after_ms = simulator.settings.final_after_ms = 5
    return simulator


@pytest.fixture
async def twilio(simulator: TwilioSimulator) -> AsyncIterator[Api]:
    async with running(simulator) as url, api(url) as twilio:
        yield twilio


async def test_an_accepted_text_looks_like_twilios(twilio: Api) -> None:
    answer = await twilio.send(body="x" * 161)
    assert answer.status == 201
    assert answer.body["num_segments"] == "2"
    assert answer.body["status"] == "queued"
    assert answer.body["price"] is None
    assert answer.body["date_sent"] is None
    assert answer.body["date_created"].endswith(" +0000")
    assert "status_callback" not in answer.body
    assert answer.body["uri"].endswith(f"/Messages/{answer.body['sid']}.json")


@pytest.mark.parametrize(
    ("to", "sender", "body", "code"),
    [
        ("", FROM, "hi", 21604),
        (TO, "", "hi", 21603),
        (TO, FROM, "", 21602),
        (TO, FROM, "x" * 1601, 21617),
        ("12025550123", FROM, "hi", 21211),
        (TO, "5550100", "hi", 21212),
        (TO, "+15005550001", "hi", 21212),
        (TO, "+15005550007", "hi", 21606),
        (TO, "+15005550008", "hi", 21611),
        (TO, "+15005550002", "hi", 21606),
        ("+15005550001", "+15005550006", "hi", 21211),
        ("+15005550002", "+15005550006", "hi", 21612),
        ("+15005550003", "+15005550006", "hi", 21408),
        ("+15005550004", "+15005550006", "hi", 21610),
        ("+15005550009", "+15005550006", "hi", 21614),
        ("+12025550014", FROM, "hi", 21614),
        ("+12025550016", FROM, "hi", 21610),
    ],
)
async def test_refused_at_once(twilio: Api, to: str, sender: str, body: str, code: int) -> None:
    answer = await twilio.send(to, body, sender)
    assert answer.body["code"] == code
    assert answer.body["status"] == answer.status
    assert answer.body["more_info"].endswith(str(code))
    assert (await twilio.get("/_sim/stats")).body["accepted"] == 0


async def test_the_magic_sender_is_taken_and_stays_queued(
    simulator: TwilioSimulator, twilio: Api
) -> None:
    magic = await twilio.send(sender="+15005550006", callback="http://127.0.0.1:9/")
    real = await twilio.send()
    await until(lambda: simulator.store.by_sid[real.body["sid"]].status == "delivered")
    assert simulator.store.by_sid[magic.body["sid"]].status == "queued"


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("0004", "undelivered", 30004),
        ("0006", "undelivered", 30007),
        ("0007", "undelivered", 30003),
        ("0008", "failed", 30005),
        ("0013", "undelivered", 30008),
        ("0010", "delivered", None),
        ("0099", "delivered", None),
    ],
)
async def test_endings_decide(
    simulator: TwilioSimulator, twilio: Api, ending: str, status: str, error: int | None
) -> None:
    sid = (await twilio.send(f"+1202555{ending}")).body["sid"]
    await until(lambda: simulator.store.by_sid[sid].status == status)
    shown = (await twilio.get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json")).body
    assert (shown["status"], shown["error_code"]) == (status, error)


async def test_endings_can_be_turned_off(simulator: TwilioSimulator, twilio: Api) -> None:
    await twilio.control("settings", special_endings=False)
    assert (await twilio.send("+12025550014")).status == 201


async def test_the_list_filters_and_pages(twilio: Api) -> None:
    sids = [(await twilio.send()).body["sid"] for _ in range(5)]
    await twilio.send("+12025550177")
    await twilio.send(sender="+12025550101")
    first = await twilio.messages(To=TO, From=FROM, PageSize="2")
    assert [m["sid"] for m in first["messages"]] == sids[:2:-1]
    await twilio.send()  # What arrives meanwhile doesn't shift the next pages.
    second = (await twilio.get(first["next_page_uri"])).body
    third = (await twilio.get(second["next_page_uri"])).body
    assert [m["sid"] for m in second["messages"] + third["messages"]] == sids[2::-1]
    assert third["next_page_uri"] is None


async def test_the_list_lags_as_told(twilio: Api) -> None:
    await twilio.control("settings", list_lag_seconds=60)
    sid = (await twilio.send()).body["sid"]
    assert (await twilio.messages(To=TO))["messages"] == []
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"
    assert (await twilio.get(path)).status == 200
    await twilio.control("settings", list_lag_seconds=0)
    assert len((await twilio.messages(To=TO))["messages"]) == 1


async def test_a_date_filter_leaves_out_the_unsent(simulator: TwilioSimulator, twilio: Api) -> None:
    sid = (await twilio.send()).body["sid"]
    await until(lambda: simulator.store.by_sid[sid].status == "delivered")
    await twilio.control("settings", sent_after_ms=60_000)
    await twilio.send()
    today, day = datetime.now(UTC).date(), timedelta(days=1)
    for name, date, found in [
        ("DateSent>", today - day, 1),
        ("DateSent<", today + day, 1),
        ("DateSent>", today + day, 0),
        ("DateSent<", today - day, 0),
    ]:
        listed = await twilio.messages(**{name: date.isoformat()})
        assert len(listed["messages"]) == found, (name, date)
    assert (await twilio.messages(DateSent="someday"))["code"] == 20001


async def test_faults_are_set_shown_counted_and_cleared(twilio: Api) -> None:
    assert "error" in await twilio.control("faults", name="no such fault")
    await twilio.control("faults", name="429", times=1, match={"to": "+1202555*"})
    assert (await twilio.send("+13035550123")).status == 201
    assert (await twilio.send()).body["code"] == 20429
    assert (await twilio.send()).status == 201
    rule = (await twilio.get("/_sim/faults")).body["rules"][0]
    assert (rule["times"], rule["fired"]) == (0, 1)
    assert (await twilio.clear("faults"))["rules"] == []


async def test_chance_is_seeded(twilio: Api) -> None:
    async def run() -> list[int]:
        await twilio.clear("faults")
        rules = [{"name": "500_before", "chance": 0.5}]
        await twilio.control("faults", seed=7, rules=rules)
        return [(await twilio.send()).status for _ in range(20)]

    first = await run()
    assert first == await run()
    assert set(first) == {201, 500}


async def test_a_redirect_leads_to_a_second_chance_to_send_twice(twilio: Api) -> None:
    await twilio.control("faults", name="redirect_307", times=1)
    assert (await twilio.send()).status == 307
    assert (await twilio.get("/_sim/stats")).body["accepted"] == 0


async def test_stats_and_messages_tell_what_was_taken(twilio: Api) -> None:
    for number in range(3):
        await twilio.send(body="x" * 161 if number else "x")
    stats = (await twilio.get("/_sim/stats")).body
    assert (stats["accepted"], stats["max_segments_per_second"]) == (3, 5)
    assert stats["max_segments_per_second_by_sender"] == {FROM: 5}
    assert stats["first_accepted_at"] <= stats["last_accepted_at"]
    everything = (await twilio.get("/_sim/messages")).body
    assert [m["n"] for m in everything] == [1, 2, 3]
    [third] = (await twilio.get("/_sim/messages", since="2")).body
    # Its status goes on changing between two looks; what was taken doesn't.
    assert third["sid"] == everything[2]["sid"]
    assert (await twilio.get("/_sim/messages", since="3")).body == []


@pytest.mark.parametrize(
    ("body", "toll_free", "parts"),
    [
        ("", False, 1),
        ("x" * 160, False, 1),
        ("x" * 161, False, 2),
        ("x" * 306, False, 2),
        ("x" * 307, False, 3),
        ("x" * 305, True, 3),
        ("€" * 80, False, 1),
        ("€" * 81, False, 2),
        ("x" * 152 + "€" * 77, False, 3),  # An escape pair never straddles two parts.
        ("я" * 70, False, 1),
        ("я" * 71, False, 2),
        ("я" * 133, True, 3),
        ("😀" * 35, False, 1),
        ("😀" * 36, False, 2),
        ("`" * 71, False, 2),
    ],
)
def test_segments(body: str, toll_free: bool, parts: int) -> None:
    assert count_segments(body, toll_free=toll_free) == parts
