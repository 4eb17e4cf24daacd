"""TM-15: the limiter on a real Valkey: segments, several processes, and failing closed."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from tests.sender.books import NOW, ORGANIZATION, follow, numbers, opened, page_of, step

from chassis.batches import Outage
from contracts.envelope import seal
from contracts.events.campaign import CampaignPaused, CampaignResumed
from contracts.events.run import RunCancelRequested
from sender.adapters.controls import SqlControls
from sender.adapters.limiter import RedisLimiter
from sender.adapters.stops import RedisStops, stops_key
from sender.domain.controls import EVERYTHING
from sender.domain.messages import Lane
from sender.ports import Grant

BURST_SECONDS = 0.25


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


def lane() -> Lane:
    return Lane(uuid4(), "+18885550100")


async def spend(limiter: RedisLimiter, at: Lane, *, rate: float, until: float) -> list[float]:
    """Take whatever is granted, one segment at a time, and note when."""
    taken: list[float] = []
    while time.monotonic() < until:
        grant = await limiter.take(at, rate=rate, want=7, least=1)
        taken += [time.monotonic()] * grant.segments
        if grant.segments == 0:
            await asyncio.sleep(min(grant.wait_seconds, max(0.0, until - time.monotonic())))
    return taken


@pytest.mark.parametrize("rate", [20.0, 500.0])
async def test_three_processes_together_keep_to_the_rate_and_use_it(
    redis: Redis, rate: float
) -> None:
    at = lane()
    limiters = [RedisLimiter(redis, burst_seconds=BURST_SECONDS) for _ in range(3)]
    began = time.monotonic()
    parts = await asyncio.gather(
        *(spend(each, at, rate=rate, until=began + 2.0) for each in limiters)
    )
    taken = sorted(moment for part in parts for moment in part)
    burst = max(1.0, rate * BURST_SECONDS)
    elapsed = time.monotonic() - began
    assert len(taken) <= rate * elapsed + burst + 1
    # A second's window never holds more than the rate and the burst.
    start = 0
    for end, moment in enumerate(taken):
        while taken[start] < moment - 1.0:
            start += 1
        assert end - start + 1 <= rate + burst + 1


async def test_a_lane_that_redis_does_not_know_gets_no_burst(redis: Redis) -> None:
    limiter = RedisLimiter(redis, burst_seconds=BURST_SECONDS)
    grant = await limiter.take(lane(), rate=10.0, want=100, least=1)
    assert grant.segments == 0
    assert 0 < grant.wait_seconds <= 0.11


async def test_a_long_message_waits_until_it_fits_whole(redis: Redis) -> None:
    limiter, at = RedisLimiter(redis, burst_seconds=0.01), lane()
    waited = 0.0
    while (grant := await limiter.take(at, rate=100.0, want=24, least=24)).segments == 0:
        waited += grant.wait_seconds
        await asyncio.sleep(grant.wait_seconds)
    assert grant.segments == 24
    assert 0.2 <= waited <= 0.4


async def test_what_is_given_back_can_be_taken_again(redis: Redis) -> None:
    limiter, at = RedisLimiter(redis, burst_seconds=1.0), lane()
    await limiter.take(at, rate=1.0, want=1, least=1)
    await redis.set(f"textmanager:limit:{at.organization_id}:{at.from_number}", "0")
    grant = await limiter.take(at, rate=1.0, want=1, least=1)
    assert grant.segments == 1
    assert (await limiter.take(at, rate=1.0, want=1, least=1)).segments == 0
    await limiter.give_back(at, rate=1.0, segments=1)
    assert (await limiter.take(at, rate=1.0, want=1, least=1)).segments == 1


async def granted(limiter: RedisLimiter, at: Lane) -> Grant:
    """Take until there is something, as a lane does."""
    while (grant := await limiter.take(at, rate=100.0, want=1, least=1)).segments == 0:
        await asyncio.sleep(grant.wait_seconds)
    return grant


async def test_x6_with_each_grant_comes_what_is_stopped_of_that_organisation(redis: Redis) -> None:
    limiter, at, other = RedisLimiter(redis, burst_seconds=1.0), lane(), lane()
    campaign = str(uuid4())
    assert (await granted(limiter, at)).stops == {}
    await redis.hset(stops_key(at.organization_id), mapping={campaign: "4", EVERYTHING: "12"})
    assert (await granted(limiter, at)).stops == {campaign: 4, EVERYTHING: 12}
    assert (await granted(limiter, other)).stops == {}
    await redis.delete(stops_key(at.organization_id))


async def test_x6_what_the_tables_have_reached_is_taken_away_and_nothing_newer(
    redis: Redis, tmp_path: Path
) -> None:
    paused, resumed, cancelled, unheard = (page_of(numbers(1)) for _ in range(4))
    key = stops_key(ORGANIZATION)
    await redis.delete(key)
    async with opened(f"sqlite:///{tmp_path}") as store:
        await follow(store, step(paused, CampaignPaused, 4), step(resumed, CampaignResumed, 9))
        async with store.transaction() as transaction:
            command = RunCancelRequested(
                organization_id=ORGANIZATION,
                occurred_at=NOW,
                sequence=1,
                run_id=cancelled.run_id,
                campaign_id=cancelled.campaign_id,
                by="staff",
            )
            await SqlControls(transaction).cancel([seal(command)])
        told: dict[Any, Any] = {
            str(paused.campaign_id): "5",
            str(resumed.campaign_id): "8",
            str(cancelled.run_id): "1",
            str(unheard.campaign_id): "1",
            EVERYTHING: "1",
        }
        await redis.hset(key, mapping=told)
        await RedisStops(redis, store).tidy()
        kept: Any = await redis.hgetall(key)
        left = {name.decode(): value for name, value in kept.items()}
    await redis.delete(key)
    assert left == {str(paused.campaign_id): b"5", str(unheard.campaign_id): b"1"}


async def test_without_redis_nothing_is_granted() -> None:
    away = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    limiter = RedisLimiter(away, burst_seconds=BURST_SECONDS)
    with pytest.raises(Outage):
        await limiter.take(lane(), rate=10.0, want=1, least=1)
    await away.aclose()
