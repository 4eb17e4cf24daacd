"""The simulated webhooks: their signature, order, faults and retries; opting out by text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.simulators.twilio_site import (
    ACCOUNT,
    FROM,
    TO,
    TOKEN,
    Api,
    Customer,
    api,
    customer,
    until,
)
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from simulators.shared import running
from simulators.twilio.app import TwilioSimulator

TOLL_FREE = "+18885550100"


@pytest.fixture
async def site() -> AsyncIterator[Customer]:
    async with customer() as site:
        yield site


@pytest.fixture
def simulator(tmp_path: Path) -> TwilioSimulator:
    simulator = TwilioSimulator(state=tmp_path, accounts={ACCOUNT: TOKEN})
    settings = simulator.settings
    settings.sent_after_ms = settings.retry_delay_ms = 5
    settings.final_after_ms = 60
    return simulator


@pytest.fixture
async def twilio(simulator: TwilioSimulator, site: Customer) -> AsyncIterator[Api]:
    simulator.settings.inbound_url = f"{site.url}/inbound"
    async with running(simulator) as url, api(url) as twilio:
        yield twilio


async def test_callbacks_are_signed_in_order_and_complete(twilio: Api, site: Customer) -> None:
    url = f"{site.url}/status?m=0190%2Fx&b="
    sid = (await twilio.send(callback=f"{url}#rc=2&rp=all")).body["sid"]
    await until(lambda: len(site.received) == 2)
    assert site.statuses() == ["sent", "delivered"]
    for webhook in site.received:
        form = webhook.form
        assert webhook.url == url
        assert RequestValidator(TOKEN).validate(url, form, webhook.signature)
        assert form["MessageSid"] == form["SmsSid"] == sid
        assert form["MessageStatus"] == form["SmsStatus"]
        assert (form["To"], form["From"], form["AccountSid"]) == (TO, FROM, ACCOUNT)
        assert form["ApiVersion"] == "2010-04-01"
        assert "ErrorCode" not in form


async def test_an_undelivered_text_has_its_error_code(twilio: Api, site: Customer) -> None:
    await twilio.send("+12025550007", callback=site.url + "/")
    await until(lambda: len(site.received) == 2)
    assert site.statuses() == ["sent", "undelivered"]
    assert site.received[1].form["ErrorCode"] == "30003"


async def test_a_failed_text_was_never_sent(twilio: Api, site: Customer) -> None:
    await twilio.send("+12025550008", callback=site.url + "/")
    await until(lambda: len(site.received) == 1)
    assert site.statuses() == ["failed"]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("callback_repeated", ["sent", "sent", "delivered", "delivered"]),
        ("callback_reordered", ["delivered", "sent"]),
    ],
)
async def test_callbacks_go_wrong_on_demand(
    twilio: Api, site: Customer, fault: str, statuses: list[str]
) -> None:
    await twilio.control("faults", name=fault)
    await twilio.send(callback=site.url + "/")
    await until(lambda: len(site.received) == len(statuses))
    assert site.statuses() == statuses


async def test_callbacks_are_lost_on_demand(
    simulator: TwilioSimulator, twilio: Api, site: Customer
) -> None:
    await twilio.control("faults", name="callback_lost", times=1)
    lost = (await twilio.send(callback=site.url + "/")).body["sid"]
    await until(lambda: simulator.store.by_sid[lost].status == "delivered")
    kept = (await twilio.send(callback=site.url + "/")).body["sid"]
    await until(lambda: len(site.received) == 2)
    assert {webhook.form["MessageSid"] for webhook in site.received} == {kept}


async def test_a_callback_can_come_before_the_201(twilio: Api, site: Customer) -> None:
    await twilio.control("faults", name="callback_before_201")
    answer = await twilio.send(callback=site.url + "/")
    assert site.statuses()[0] == "sent"
    assert site.received[0].form["MessageSid"] == answer.body["sid"]
    assert answer.body["status"] == "queued"


async def test_overrides_widen_the_retries(twilio: Api, site: Customer) -> None:
    site.answers = [(503, b""), (404, b""), (204, b"")]
    await twilio.send("+12025550008", callback=f"{site.url}/#rc=5&rp=all")
    await until(lambda: len(site.received) == 3)
    assert len({webhook.idempotency for webhook in site.received}) == 1


async def test_an_error_is_not_retried_by_default(
    simulator: TwilioSimulator, twilio: Api, site: Customer
) -> None:
    site.answers = [(503, b"")]
    await twilio.send(callback=site.url + "/")
    await until(lambda: len(site.received) == 2)
    assert site.statuses() == ["sent", "delivered"]
    callbacks = (await twilio.get("/_sim/stats")).body["callbacks"]
    assert callbacks["given_up"] == 1


@pytest.mark.parametrize("word", ["STOP", " stop ", "Revoke", "OPTOUT"])
async def test_stop_and_start(twilio: Api, site: Customer, word: str) -> None:
    said = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": word})
    assert said["opted_out"]
    assert "unsubscribed" in said["reply"]
    webhook = site.received[0]
    assert webhook.form["Body"] == word
    assert RequestValidator(TOKEN).validate(webhook.url, webhook.form, webhook.signature)
    assert (await twilio.send()).body["code"] == 21610
    assert (await twilio.send(sender="+12025550101")).status == 201
    said = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "YES"})
    assert not said["opted_out"]
    assert (await twilio.send()).status == 201


async def test_only_the_word_alone_counts(twilio: Api) -> None:
    said = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "Stop by our booth"})
    assert (said["opted_out"], said["reply"]) == (False, None)


async def test_yes_does_not_undo_a_toll_free_stop(twilio: Api) -> None:
    people = {"from": TO, "to": TOLL_FREE}
    assert (await twilio.control("inbound", **people, body="STOP"))["opted_out"]
    assert (await twilio.control("inbound", **people, body="YES"))["opted_out"]
    assert (await twilio.send(sender=TOLL_FREE)).body["code"] == 21610
    assert not (await twilio.control("inbound", **people, body="UNSTOP"))["opted_out"]


async def test_the_webhooks_own_reply_is_told(twilio: Api, site: Customer) -> None:
    site.answers = [(200, b"<Response><Message>Thanks</Message></Response>")]
    said = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "hi"})
    assert (said["webhook"], said["webhook_reply"]) == ("answered", "Thanks")


async def test_only_the_end_is_lost_on_demand(
    simulator: TwilioSimulator, twilio: Api, site: Customer
) -> None:
    await twilio.control("faults", name="callback_final_lost", times=1)
    sid = (await twilio.send(callback=site.url + "/")).body["sid"]
    await until(lambda: simulator.store.by_sid[sid].status == "delivered")
    await twilio.send(callback=site.url + "/")
    await until(lambda: len(site.received) == 3)
    assert sorted(site.statuses()) == ["delivered", "sent", "sent"]
    lost = (await twilio.get("/_sim/stats")).body["callbacks"]["lost_on_purpose"]
    assert lost == 1


async def test_an_opt_out_is_found_late_on_demand_and_lasts_until_start(
    twilio: Api, site: Customer
) -> None:
    await twilio.control("faults", name="21610_by_callback", times=1)
    assert (await twilio.send(callback=site.url + "/")).status == 201
    await until(lambda: len(site.received) == 1)
    assert site.statuses() == ["failed"]
    assert site.received[0].form["ErrorCode"] == "21610"
    assert (await twilio.send()).body["code"] == 21610
    [held] = (await twilio.get("/_sim/opted-out")).body
    assert (held["account"], held["number"], held["person"]) == (ACCOUNT, FROM, TO)
    # It may be found late again, of somebody who is known to have opted out.
    await twilio.control("faults", name="21610_by_callback", times=1)
    assert (await twilio.send()).status == 201
    assert (await twilio.send()).body["code"] == 21610
    await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "START"})
    assert (await twilio.send()).status == 201
    assert (await twilio.get("/_sim/opted-out")).body == []


async def test_an_inbound_webhook_is_lost_or_repeated_on_demand(
    twilio: Api, site: Customer
) -> None:
    rules = [{"name": "inbound_lost", "times": 1}, {"name": "inbound_repeated", "times": 1}]
    await twilio.control("faults", seed=1, rules=rules)
    stop = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "STOP"})
    assert (stop["opted_out"], stop["webhook"]) == (True, "lost on purpose")
    assert site.received == []
    assert (await twilio.send()).body["code"] == 21610
    said = await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "hello"})
    assert [each.form["MessageSid"] for each in site.received] == [said["sid"]] * 2
    taken = (await twilio.get("/_sim/inbound")).body
    assert [(each["sid"], each["body"]) for each in taken] == [
        (stop["sid"], "STOP"),
        (said["sid"], "hello"),
    ]
