"""TM-20, X-3: a STOP counts, whatever was away when it was said: real services, real Kafka."""

from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus

import pytest
from pyreqwest.client import ClientBuilder
from tests.consent.facts import MEMBER, NOON, OFFICE, refusal, settings, text
from tests.harness import Log, eventually, running
from tests.ingress.kafka_proxy import proxied
from tests.ingress.twilio_list import TwilioLists, twilio_lists
from tests.integration.test_ingress import Twilio, acme, own, port
from tests.integration.test_ingress import settings as ingress_settings

from chassis.settings import ServiceSettings
from consent.app import make
from consent.settings import ConsentSettings
from contracts.events.consent import Consent, ConsentChanged
from contracts.events.provider import TwilioMessageReceived
from ingress.app import make as make_ingress

# Fixtures of the ingress's own tests: a port, and settings that name it.
__all__ = ["ingress_settings", "port"]

ASIDE = ConsentSettings(aside_seconds=0.2)
PATH = "/twilio/inbound"


@pytest.fixture
async def lists() -> AsyncIterator[TwilioLists]:
    async with twilio_lists(acme="token-acme") as serving:
        yield serving


@pytest.fixture
async def twilio(port: int) -> AsyncIterator[Twilio]:
    async with ClientBuilder().timeout(timedelta(seconds=15)).no_proxy().build() as client:
        yield Twilio(client, port)


def said(sid: str, body: str) -> dict[str, str]:
    return {
        "AccountSid": "AC-acme",
        "MessageSid": sid,
        "From": MEMBER,
        "To": OFFICE,
        "Body": body,
    }


async def changes(log: Log, count: int) -> list[ConsentChanged]:
    found = await log.wait_for(ConsentChanged, count=count)
    return sorted(found, key=lambda each: each.sequence)


async def test_a_stop_a_start_and_a_refusal_each_change_the_pair_once(
    service_settings: ServiceSettings, log: Log
) -> None:
    stop, start = text("Stop!", seconds=1), text("START", seconds=2)
    refused = refusal(seconds=3)
    async with running(make(service_settings, ASIDE)):
        await log.publish(settings())
        await log.publish_sealed(stop)
        await changes(log, 1)
        await log.publish_sealed(start, stop, stop)
        await changes(log, 2)
        await log.publish_sealed(start, refused)
        await changes(log, 3)
        # Older than what is known: nothing comes of it, as what follows shows.
        await log.publish_sealed(start, text("UNSTOP", seconds=2.5), refused)
        last = text("START", seconds=9)
        await log.publish_sealed(last)
        told = await changes(log, 4)
    assert [each.consent for each in told] == [
        Consent.OPTED_OUT,
        Consent.OPTED_IN,
        Consent.OPTED_OUT,
        Consent.OPTED_IN,
    ]
    assert [each.sequence for each in told] == [1, 2, 3, 4]
    assert len({each.consent_id for each in told}) == 1
    assert not log.dead


async def test_it_goes_on_where_it_was_killed_and_waits_for_settings(
    service_settings: ServiceSettings, log: Log
) -> None:
    await log.publish_sealed(text("STOP"))
    async with running(make(service_settings, ASIDE)):
        await log.publish(settings())
        await changes(log, 1)
    async with running(make(service_settings, ASIDE)):
        await log.publish_sealed(text("START", seconds=1))
        [_, back] = await changes(log, 2)
    assert (back.sequence, back.consent) == (2, Consent.OPTED_IN)
    assert not log.dead


# A producer whose broker is cut off may be left unclosed by FastStream.
@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
async def test_a_stop_that_came_while_kafka_was_away_counts(
    ingress_settings: ServiceSettings, log: Log, twilio: Twilio, lists: TwilioLists
) -> None:
    async with proxied(ingress_settings.kafka_url) as proxy:
        behind = ingress_settings.model_copy(update={"kafka_url": proxy.url})
        away = behind.model_copy(update={"http_port": 0})
        pictures = ("🌞👩‍👩‍👧‍👦é" * 200)[:1_600]
        async with (
            running(make_ingress(behind, own(twilio_url=lists.url))),
            running(make(away, ASIDE)),
        ):
            await log.publish(acme(behind))
            await twilio.until_known()
            await proxy.cut()
            lists.say("SM" + "a" * 32, "STOP")
            assert await twilio.post(PATH, said("SM" + "a" * 32, "STOP")) == HTTPStatus.OK
            assert await twilio.post(PATH, said("SM-pictures", pictures)) == HTTPStatus.OK
            assert not log.of(TwilioMessageReceived)
            await proxy.open()
            [stop] = await changes(log, 1)
            await log.wait_for(TwilioMessageReceived, count=2)
            # What was listed too, after the gap, is the same text.
            await eventually(lambda: lists.asked)
            assert await twilio.post(PATH, said("SM-start", "START")) == HTTPStatus.OK
            [_, back] = await changes(log, 2)
    assert (stop.consent, stop.by, stop.sequence) == (Consent.OPTED_OUT, "SM" + "a" * 32, 1)
    assert (back.consent, back.sequence) == (Consent.OPTED_IN, 2)
    [kept] = [
        each.event
        for each in log.of(TwilioMessageReceived)
        if each.event.message_sid == "SM-pictures"
    ]
    assert kept.form["Body"] == pictures


async def test_a_stop_that_nobody_heard_is_found_at_twilio(
    ingress_settings: ServiceSettings, log: Log, twilio: Twilio, lists: TwilioLists
) -> None:
    quick = own(twilio_url=lists.url, catch_up_pause_seconds=0.2, catch_up_seconds=0.5)
    away = ingress_settings.model_copy(update={"http_port": 0})
    missed, heard = "SM" + "a" * 32, "SM" + "b" * 32
    async with running(make(away, ASIDE)):
        async with running(make_ingress(ingress_settings, quick)):
            await log.publish(acme(ingress_settings))
            await twilio.until_known()
            assert await twilio.post(PATH, said(heard, "hello")) == HTTPStatus.OK
            lists.say(heard, "hello")
            await eventually(lambda: len(lists.asked) >= 2)
        # The process is down: nobody takes the webhook.
        lists.say(missed, "STOP")
        async with (
            running(make_ingress(ingress_settings, quick)),
            running(
                make_ingress(
                    ingress_settings.model_copy(
                        update={"http_port": 0, "instance": "under-test-2"}
                    ),
                    quick,
                )
            ),
        ):
            [stop] = await changes(log, 1)
            asked = len(lists.asked)
            await eventually(lambda: len(lists.asked) >= asked + 3)
    assert (stop.consent, stop.by) == (Consent.OPTED_OUT, missed)
    sids = [each.event.message_sid for each in log.of(TwilioMessageReceived)]
    assert sorted(sids) == [missed, heard]


async def test_what_can_t_be_an_event_stops_nothing(
    service_settings: ServiceSettings, log: Log
) -> None:
    async with running(make(service_settings, ASIDE)):
        await log.publish(settings())
        for value in (b"not JSON", b"x" * 900_000, b""):
            await log.publish_raw(
                "twilio.inbound",
                value,
                [("ce_type", b"twilio.message-received.v1"), ("ce_id", b"%032x" % 1)],
            )
        odd = text("STOP", sender="\x00", to="\x00")
        await log.publish_sealed(odd, text("STOP", seconds=-(10**9)))
        [told] = await changes(log, 1)
        await eventually(lambda: len(log.dead) >= 3)
    assert told.occurred_at < NOON
