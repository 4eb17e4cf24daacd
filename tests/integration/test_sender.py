"""X-1, X-10: each message is sent once, or says why not; a doubt is settled, never guessed."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from tests.harness import Log, eventually, running

from chassis.secrets import SecretBox
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageSubmitted,
    Refused,
    Simulated,
    Unresolved,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from contracts.events.provider import TwilioCallbackReceived
from sender.app import make
from sender.settings import SenderSettings
from simulators.shared import running as serving
from simulators.twilio.app import TwilioSimulator

ACCOUNT, TOKEN, SENDER = "AC" + "1" * 32, "token", "+18885550100"
ORGANIZATION = ids.organization_id("demo")


@asynccontextmanager
async def twilio(tmp_path: Path) -> AsyncIterator[tuple[TwilioSimulator, str]]:
    simulator = TwilioSimulator(state=tmp_path / "twilio", accounts={ACCOUNT: TOKEN})
    async with serving(simulator) as url:
        yield simulator, url


def own(url: str, redis_url: str, **more: Any) -> SenderSettings:
    given = {"grace": 0.5, "second_look": 0.5, "sweep": 0.1, "request_timeout": 1.0, **more}
    return SenderSettings(
        redis_url=SecretStr(redis_url), twilio_url=url, public_url="http://127.0.0.1:9", **given
    )


def organization(
    settings: ServiceSettings, *, rate: float = 1000, sequence: int = 1, **limits: Any
) -> OrganizationSettingsChanged:
    sealed = SecretBox(settings.secret_key).seal(SecretStr(TOKEN))
    return OrganizationSettingsChanged(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=sequence,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            **limits,
            numbers=(SendingNumber(number=SENDER, segments_per_second=rate),),
            imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
            twilio=TwilioAccess(account_sid=ACCOUNT, auth_token_encrypted=sealed),
        ),
    )


def page(
    numbers: list[str], *, mode: Mode = Mode.LIVE, text: str = "Hi", segments: int = 1
) -> RecipientsResolved:
    campaign = uuid4()
    run = ids.run_id(campaign, "launch:1")
    recipients = []
    for row, number in enumerate(numbers, 1):
        recipient = ids.recipient_id(run, row)
        recipients.append(
            Recipient(
                recipient_id=recipient,
                message_id=ids.message_id(recipient),
                row=row,
                imis_id=str(row),
                to=number,
                text=text,
                segments=segments,
            )
        )
    return RecipientsResolved(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=run,
        campaign_id=campaign,
        mode=mode,
        write_to=WriteTo.ACTIVITY,
        from_number=SENDER,
        recipients=tuple(recipients),
    )


def numbers(count: int) -> list[str]:
    return [f"+1202555{1000 + n}" for n in range(count)]


def sent_to(simulator: TwilioSimulator) -> Counter[str]:
    return Counter(entry["to"] for _, entry in simulator.store.messages.entries_from(0))


async def test_each_recipient_is_sent_once_however_often_the_page_comes(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        async with running(make(service_settings, own(url, redis_url))):
            # Two members share a phone: two texts, one after the other.
            wanted = [*numbers(40), numbers(1)[0]]
            sealed = await log.publish(organization(service_settings), page(wanted))
            await log.wait_for(MessageSubmitted, count=41)
            await log.publish_sealed(sealed[1])
            marker = page([numbers(50)[-1]])
            await log.publish(marker)
            await log.wait_for(MessageSubmitted, where=lambda e: e.run_id == marker.run_id)
        assert sent_to(simulator) == Counter([*wanted, numbers(50)[-1]])
    queued = log.of(MessageQueued)
    assert len(queued) == 42
    assert queued[0].causation_id == sealed[1].id
    submitted = {each.event.message_id: each for each in log.of(MessageSubmitted)}
    for each in queued:
        assert submitted[each.event.message_id].causation_id == each.id
        assert isinstance(submitted[each.event.message_id].event.outcome, Accepted)


async def test_tm_6_a_test_campaign_sends_nothing(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        async with running(make(service_settings, own(url, redis_url))):
            await log.publish(organization(service_settings), page(numbers(3), mode=Mode.TEST))
            submitted = await log.wait_for(MessageSubmitted, count=3)
        assert sent_to(simulator) == {}
    assert all(isinstance(each.outcome, Simulated) for each in submitted)


async def test_what_twilio_refuses_says_why(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with (
        twilio(tmp_path) as (_, url),
        running(make(service_settings, own(url, redis_url))),
    ):
        await log.publish(organization(service_settings), page(["+15005550001", "+15005550004"]))
        submitted = await log.wait_for(MessageSubmitted, count=2)
    outcomes = {each.outcome for each in submitted}
    assert outcomes == {Refused(code=21211, invalid_number=True), Refused(code=21610)}


@pytest.mark.parametrize("fault", ["429", "21611", "drop_before", "500_before"])
async def test_what_was_certainly_or_probably_not_accepted_is_sent_once(
    fault: str, service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        simulator.faults.add(fault, times=3)
        async with running(make(service_settings, own(url, redis_url))):
            await log.publish(organization(service_settings), page(numbers(5)))
            submitted = await log.wait_for(MessageSubmitted, count=5)
        assert sent_to(simulator) == Counter(numbers(5))
    assert all(isinstance(each.outcome, Accepted) for each in submitted)


@pytest.mark.parametrize(
    "fault", ["500_after", "timeout_after", "drop_after", "half_answer", "callback_before_201"]
)
async def test_x_10_a_text_that_was_accepted_in_doubt_is_found_and_not_sent_again(
    fault: str, service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        simulator.faults.add(fault, times=3)
        async with running(make(service_settings, own(url, redis_url))):
            await log.publish(organization(service_settings), page(numbers(5)))
            submitted = await log.wait_for(MessageSubmitted, count=5)
        assert sent_to(simulator) == Counter(numbers(5))
        known = {entry["sid"] for _, entry in simulator.store.messages.entries_from(0)}
    assert {each.outcome.sid for each in submitted if isinstance(each.outcome, Accepted)} == known


async def test_x_10_a_callback_is_witness_enough_when_the_201_is_lost(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    """Twilio's list shows nothing for a while, and a forged callback settles nothing."""
    async with twilio(tmp_path) as (simulator, url):
        simulator.settings.list_lag_seconds = 3600
        simulator.faults.add("drop_after", times=1)
        asked = page(numbers(1))
        message_id = asked.recipients[0].message_id
        async with running(make(service_settings, own(url, redis_url, grace=3600))):
            await log.publish(organization(service_settings), asked)
            await eventually(lambda: sent_to(simulator))
            sid = next(entry["sid"] for _, entry in simulator.store.messages.entries_from(0))
            form = {"From": SENDER, "To": numbers(1)[0], "MessageSid": sid}
            callback = TwilioCallbackReceived(
                organization_id=ORGANIZATION,
                occurred_at=datetime.now(UTC),
                sequence=0,
                message_id=message_id,
                account_sid=ACCOUNT,
                message_sid=sid,
                message_status="sent",
                form=form,
            )
            other = {"organization_id": uuid4(), "message_sid": "SM" + "f" * 32}
            await log.publish(callback.model_copy(update=other), callback)
            [submitted] = await log.wait_for(MessageSubmitted)
    assert submitted.outcome == Accepted(sid=sid)


async def test_x_10_when_twilio_lists_two_that_it_may_be_a_person_decides(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        simulator.faults.add("drop_after", times=1)
        async with running(make(service_settings, own(url, redis_url, grace=1.0))):
            await log.publish(organization(service_settings), page(numbers(1)))
            await eventually(lambda: sent_to(simulator))
            # Somebody else sends the very same text from the same number meanwhile.
            await post_elsewhere(url, numbers(1)[0], "Hi")
            [submitted] = await log.wait_for(MessageSubmitted)
        assert sent_to(simulator) == {numbers(1)[0]: 2}
    assert isinstance(submitted.outcome, Unresolved)


async def post_elsewhere(url: str, number: str, text: str) -> None:
    from twilio_client.client import TwilioClient
    from twilio_client.messages import SendRequest

    async with TwilioClient(
        account_sid=ACCOUNT, auth_token=SecretStr(TOKEN), base_url=url
    ) as client:
        await client.send(SendRequest(to=number, from_=SENDER, body=text))
