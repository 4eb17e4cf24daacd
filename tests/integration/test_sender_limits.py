"""TM-15 at Twilio's own clock: never above rate and burst; without the limiter nothing leaves."""

import asyncio
import itertools
import shutil
import time
from pathlib import Path

import pytest
from tests.harness import Log, eventually, running
from tests.integration.test_sender import (
    numbers,
    organization,
    own,
    page,
    sent_to,
    twilio,
)

from chassis.settings import ServiceSettings
from contracts.events.message import MessageQueued, MessageSubmitted, RecipientExcluded
from sender.app import make
from simulators.twilio.app import TwilioSimulator
from textmanager.engines.valkey import Valkey

CYRILLIC = "\u0416" * 1600
SEGMENTS = 25
"""What 1,600 Cyrillic characters cost at a toll-free number: 66 to a segment."""


def accepted_at(simulator: TwilioSimulator) -> list[float]:
    return [entry["accepted_at"] for _, entry in simulator.store.messages.entries_from(0)]


def most_in_a_second(moments: list[float], weight: int = 1) -> int:
    ordered, start, most = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while ordered[start] <= moment - 1.0:
            start += 1
        most = max(most, end - start + 1)
    return most * weight


@pytest.mark.parametrize("rate", [60.0])
async def test_three_senders_together_keep_to_the_rate(
    rate: float, service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    async with twilio(tmp_path) as (simulator, url):
        services = [
            make(
                service_settings.model_copy(update={"instance": f"sender-{n}"}),
                own(url, redis_url, burst=0.5),
            )
            for n in range(3)
        ]
        async with running(services[0]), running(services[1]), running(services[2]):
            await log.publish(organization(service_settings, rate=rate), page(numbers(300)))
            await log.wait_for(MessageSubmitted, count=300)
        moments = accepted_at(simulator)
        assert sent_to(simulator) == dict.fromkeys(numbers(300), 1)
        assert most_in_a_second(moments) <= rate + rate * 0.5
        assert (len(moments) - 1) / (max(moments) - min(moments)) >= 0.5 * rate


async def test_without_its_limiter_nothing_leaves_and_an_empty_one_gives_no_burst(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    rate = 20.0
    valkey = Valkey(tmp_path / "engines")
    await asyncio.to_thread(valkey.start)
    await asyncio.to_thread(valkey.wait_ready)
    try:
        async with (
            twilio(tmp_path) as (simulator, url),
            running(make(service_settings, own(url, valkey.url))),
        ):
            await log.publish(organization(service_settings, rate=rate), page(numbers(120)))
            await eventually(lambda: len(accepted_at(simulator)) > 10)
            valkey.kill()
            killed = time.time()
            # A limiter that comes back has forgotten everything.
            shutil.rmtree(tmp_path / "engines" / "valkey")
            await asyncio.sleep(2.0)
            await asyncio.to_thread(valkey.start)
            await asyncio.to_thread(valkey.wait_ready)
            back = time.time()
            await log.wait_for(MessageSubmitted, count=120)
            moments = accepted_at(simulator)
            assert not [moment for moment in moments if killed + 1.0 < moment < back]
            # From an empty bucket: the rate, and no more than what one round lets through.
            afterwards = [moment for moment in moments if moment >= back]
            assert len([m for m in afterwards if m < back + 1.0]) <= rate + 2
            assert most_in_a_second(moments) <= rate * 2
            assert sent_to(simulator) == dict.fromkeys(numbers(120), 1)
    finally:
        await asyncio.to_thread(valkey.stop)


async def test_long_texts_wait_until_they_fit_whole_and_go_on(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    """Each costs more than the rate and the burst of a second; each leaves as soon as it may."""
    rate = 25.0
    async with twilio(tmp_path) as (simulator, url):
        async with running(make(service_settings, own(url, redis_url, burst=0.2))):
            await log.publish(
                organization(service_settings, rate=rate, segments_per_run=4 * SEGMENTS),
                page(numbers(5), text=CYRILLIC, segments=SEGMENTS),
            )
            await log.wait_for(MessageSubmitted, count=4)
            [excluded] = await log.wait_for(RecipientExcluded)
        moments = sorted(accepted_at(simulator))
        costs = {entry["num_segments"] for _, entry in simulator.store.messages.entries_from(0)}
    assert costs == {SEGMENTS}
    assert all(later - earlier >= 0.8 for earlier, later in itertools.pairwise(moments))
    assert excluded.row == 5
    assert len(log.of(MessageQueued)) == 5
