"""X-4, X-6, X-7, X-8 through the real service: what is stopped, what waits, and what can't wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis
from tests.harness import Log, eventually, running
from tests.integration.test_sender import (
    ACCOUNT,
    ORGANIZATION,
    SENDER,
    TOKEN,
    numbers,
    organization,
    own,
    page,
    sent_to,
    twilio,
)

from chassis.settings import ServiceSettings
from contracts import ids
from contracts.events.audience import Reason, RecipientsResolved, Totals
from contracts.events.campaign import (
    CampaignCancelled,
    CampaignDefinition,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
    CampaignStatus,
    Purpose,
)
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
)
from contracts.events.organization import SendingStop
from contracts.events.run import HeldBy, RunCancelRequested, RunHeld
from sender.adapters.stops import stops_key
from sender.app import make
from simulators.shared import running as serving
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.settings import Settings


@pytest.fixture
async def stops(redis_url: str) -> AsyncIterator[Redis]:
    """Where the gateway tells of stops before the log does; the hash is gone afterwards."""
    client = Redis.from_url(redis_url)
    await client.delete(stops_key(ORGANIZATION))
    yield client
    await client.delete(stops_key(ORGANIZATION))
    await client.aclose()


def step(
    asked: RecipientsResolved, kind: type[CampaignEvent], sequence: int, status: CampaignStatus
) -> CampaignEvent:
    return kind.model_validate(
        {
            "organization_id": ORGANIZATION,
            "occurred_at": datetime.now(UTC),
            "sequence": sequence,
            "campaign_id": asked.campaign_id,
            "status": status,
            "definition": CampaignDefinition(name="Dues"),
        }
    )


def urgent(to: str, key: str = "1") -> MessageRequested:
    run = ids.single_run_id(ORGANIZATION, "urgent", key)
    recipient = ids.recipient_id(run, 1)
    return MessageRequested(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=run,
        campaign_id=ids.single_texts_id(ORGANIZATION, "urgent"),
        recipient_id=recipient,
        message_id=ids.message_id(recipient),
        to=to,
        from_number=SENDER,
        text="Now",
        segments=1,
    )


def order(simulator: TwilioSimulator) -> list[str]:
    return [entry["to"] for _, entry in simulator.store.messages.entries_from(0)]


async def stays(simulator: TwilioSimulator) -> int:
    """How many texts left, once a second long none did: far longer than a round takes."""
    seen, since = -1, 0.0
    loop = asyncio.get_running_loop()
    while loop.time() - since < 1.0 or seen < 0:
        found = len(order(simulator))
        if found != seen:
            seen, since = found, loop.time()
        await asyncio.sleep(0.02)
    return seen


async def test_x6_a_stop_holds_within_2_s_though_the_log_tells_nothing_and_is_outdone_by_a_resume(
    service_settings: ServiceSettings, log: Log, redis_url: str, stops: Redis, tmp_path: Path
) -> None:
    wanted = numbers(150)
    asked = page(wanted)
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url, burst=0.2))),
    ):
        await log.publish(organization(service_settings, rate=30), asked)
        await eventually(lambda: len(order(simulator)) > 5)
        await stops.hset(stops_key(ORGANIZATION), str(asked.campaign_id), "4")
        answered = datetime.now(UTC).timestamp()
        left = await stays(simulator)
        assert left < 150
        moments = [e["accepted_at"] for _, e in simulator.store.messages.entries_from(0)]
        assert max(moments) < answered + 2.0
        await log.publish(
            step(asked, CampaignPaused, 4, CampaignStatus.PAUSED),
            step(asked, CampaignResumed, 5, CampaignStatus.SENDING),
        )
        await log.wait_for(MessageSubmitted, count=150)
        assert sent_to(simulator) == dict.fromkeys(wanted, 1)


@pytest.mark.parametrize("how", ["campaign", "run"])
async def test_x6_what_was_cancelled_is_left_out_by_the_log_alone(
    how: str, service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked = page(numbers(200))
    cancelled = RunCancelRequested(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=asked.run_id,
        campaign_id=asked.campaign_id,
        by="staff",
    )
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url, burst=0.2))),
    ):
        await log.publish(organization(service_settings, rate=30), asked)
        await eventually(lambda: len(order(simulator)) > 5)
        await log.publish(
            cancelled
            if how == "run"
            else step(asked, CampaignCancelled, 2, CampaignStatus.CANCELLED)
        )
        answered = datetime.now(UTC).timestamp()

        async def accounted_for() -> bool:
            excluded = {each.event.message_id for each in log.of(RecipientExcluded)}
            submitted = {each.event.message_id for each in log.of(MessageSubmitted)}
            return len(excluded) + len(submitted) == 200

        await eventually(accounted_for)
        moments = [e["accepted_at"] for _, e in simulator.store.messages.entries_from(0)]
        assert max(moments) < answered + 2.0
    excluded = [each.event for each in log.of(RecipientExcluded)]
    assert {each.reason for each in excluded} == {Reason.CANCELLED}
    assert {each.to for each in excluded} == set(numbers(200)) - set(sent_to(simulator))


async def test_x6_the_panic_stop_keeps_all_of_an_organisation_and_loses_nothing(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url, burst=0.2))),
    ):
        await log.publish(organization(service_settings, rate=30), page(numbers(80)))
        await eventually(lambda: len(order(simulator)) > 5)
        stop = SendingStop(since=datetime.now(UTC), by="staff")
        await log.publish(
            organization(service_settings, rate=30, sequence=2, stopped=stop),
            urgent("+12025559999"),
        )
        await log.wait_for(MessageQueued, where=lambda e: e.urgent)
        assert await stays(simulator) < 80
        assert "+12025559999" not in order(simulator)
        await log.publish(organization(service_settings, rate=30, sequence=3))
        await log.wait_for(MessageSubmitted, count=81)
        assert sent_to(simulator) == dict.fromkeys([*numbers(80), "+12025559999"], 1)


async def test_x6_a_sender_that_comes_back_reads_what_was_stopped_before_it_sends(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked, other = page(numbers(200)), page(["+12025559998"])
    async with twilio(tmp_path) as (simulator, url):
        async with running(make(service_settings, own(url, redis_url, burst=0.2))):
            await log.publish(organization(service_settings, rate=20), asked)
            await eventually(lambda: len(order(simulator)) > 3)
        before = len(order(simulator))
        assert before < 200
        await log.publish(step(asked, CampaignPaused, 2, CampaignStatus.PAUSED), other)
        async with running(make(service_settings, own(url, redis_url, burst=0.2))):
            await log.wait_for(MessageSubmitted, where=lambda e: e.run_id == other.run_id)
            assert await stays(simulator) == before + 1


async def test_x8_an_urgent_text_overtakes_a_campaign_while_pages_still_come(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    rate = 20.0
    run = page(numbers(3_000))
    parts = [
        run.model_copy(update={"recipients": run.recipients[start : start + 500], "sequence": n})
        for n, start in enumerate(range(0, 3_000, 500), 1)
    ]
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url, burst=0.2))),
    ):
        await log.publish(organization(service_settings, rate=rate), *parts)
        await eventually(lambda: len(order(simulator)) > 3)
        before = len(order(simulator))
        await log.publish(urgent("+12025559999"))
        await eventually(lambda: "+12025559999" in order(simulator))
        # In the campaign's texts, so that a slow machine doesn't tell another story.
        assert order(simulator).index("+12025559999") - before <= 2 * rate


async def test_x8_an_urgent_text_leaves_while_a_campaign_holds_every_connection_it_may(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    """Twilio takes its time: the campaign's requests are all under way and none is answered."""
    patience: dict[str, Any] = {"connections": 8, "request_timeout": 20.0}
    simulator = TwilioSimulator(
        state=tmp_path / "twilio",
        accounts={ACCOUNT: TOKEN},
        settings=Settings(answer_ms=10_000),
    )
    async with (
        serving(simulator) as url,
        running(make(service_settings, own(url, redis_url, **patience))),
    ):
        await log.publish(organization(service_settings), page(numbers(40)))
        await eventually(lambda: len(order(simulator)) >= 6)
        await log.publish(urgent("+12025559999"))
        await eventually(lambda: "+12025559999" in order(simulator), seconds=8)
        assert len(order(simulator)) == 7


async def test_x7_a_country_that_is_not_enabled_holds_the_campaign_until_it_is_resumed(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked = page(["+15005550003", *numbers(100)])
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url, burst=0.2))),
    ):
        await log.publish(organization(service_settings, rate=30), asked)
        [held] = await log.wait_for(RunHeld)
        left = await stays(simulator)
        assert left < 100
        await log.publish(
            step(asked, CampaignPaused, 2, CampaignStatus.PAUSED),
            step(asked, CampaignResumed, 3, CampaignStatus.SENDING),
        )
        submitted = await log.wait_for(MessageSubmitted, count=101)
        assert sent_to(simulator) == dict.fromkeys(numbers(100), 1)
    assert (held.held_by, held.error_code, held.run_id) == (
        HeldBy.CONFIGURATION,
        21408,
        asked.run_id,
    )
    assert [e.outcome for e in submitted if isinstance(e.outcome, Refused)] == [Refused(code=21408)]


def zone_where_it_is(hour: int) -> str:
    """A time zone in which it is that hour now."""
    zones = [f"Etc/GMT{offset:+d}" for offset in range(-14, 13)]
    return next(z for z in zones if datetime.now(ZoneInfo(z)).hour == hour)


async def test_x4_promotional_texts_wait_by_night_and_leave_by_day(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked = page(["+12125552671", "+12125552672"])
    zones = [zone_where_it_is(2), zone_where_it_is(12)]
    recipients = tuple(
        each.model_copy(update={"zone": zone})
        for each, zone in zip(asked.recipients, zones, strict=True)
    )
    totals = Totals(rows=2, recipients=2, rejected=0, segments=2)
    changes = {"purpose": Purpose.PROMOTIONAL, "recipients": recipients, "totals": totals}
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url))),
    ):
        await log.publish(organization(service_settings), asked.model_copy(update=changes))
        [held] = await log.wait_for(MessageHeld)
        await log.wait_for(MessageSubmitted)
        [run] = await log.wait_for(RunHeld)
        assert sent_to(simulator) == {"+12125552672": 1}
    morning = held.until.astimezone(ZoneInfo(zones[0]))
    assert (morning.hour, morning.minute) == (8, 0)
    assert timedelta(hours=4) < held.until - datetime.now(UTC) <= timedelta(hours=6)
    assert (run.held_by, run.messages, run.until) == (HeldBy.QUIET_HOURS, 1, held.until)


def test_x6_the_hash_of_stops_is_the_organisation_s_own() -> None:
    assert stops_key(UUID(int=1)) == "tm:stopped:00000000-0000-0000-0000-000000000001"
