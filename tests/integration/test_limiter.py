"""TM-15: the limiter on a real Valkey: segments, several processes, and failing closed."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from chassis.batches import Outage
from sender.adapters.limiter import RedisLimiter
from sender.domain.messages import Lane

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


async def test_without_redis_nothing_is_granted() -> None:
    away = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    limiter = RedisLimiter(away, burst_seconds=BURST_SECONDS)
    with pytest.raises(Outage):
        await limiter.take(lane(), rate=10.0, want=1, least=1)
    await away.aclose()
