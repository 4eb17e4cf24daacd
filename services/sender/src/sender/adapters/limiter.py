"""The limiter: GCRA, weighted by segments, in one Redis script that every process shares.

A lane's key holds its theoretical arrival time in microseconds of Redis's own clock. A missing
key counts as an empty bucket, so a Redis that lost its memory causes no burst. Without Redis
nothing is sent. With each grant comes what was stopped: no stop waits for the log.
"""

from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis.batches import Outage
from sender.adapters.stops import as_stops, stops_key
from sender.domain.controls import Stops
from sender.domain.messages import Lane
from sender.ports import Grant

SHARE_GIVEN_OUT: Final = 0.8
"""How much of the burst may be taken at once. The rest is room for requests that take longer than
others: what was taken at different moments may arrive at Twilio in the same second."""

_TAKE = """
local interval = tonumber(ARGV[1])
local least = tonumber(ARGV[4])
-- A message costs what it costs: one dearer than the burst leaves when the bucket is full for it.
local tolerance = math.max(tonumber(ARGV[2]), least) * interval
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local known = redis.call('GET', KEYS[1])
local arrival = known and tonumber(known) or (now + tolerance)
if arrival < now then arrival = now end
local free = math.floor((now + tolerance - arrival) / interval + 0.001)
local granted = 0
local wait = 0
if free >= least then
  granted = math.min(free, tonumber(ARGV[3]))
  arrival = arrival + granted * interval
else
  wait = math.ceil(arrival + least * interval - tolerance - now)
end
redis.call('SET', KEYS[1], string.format('%.3f', arrival), 'EX', 86400)
local stops = {}
if granted > 0 then stops = redis.call('HGETALL', KEYS[2]) end
return {granted, wait, stops}
"""

_GIVE_BACK = """
local known = redis.call('GET', KEYS[1])
if known then
  local arrival = tonumber(known) - tonumber(ARGV[1]) * tonumber(ARGV[2])
  redis.call('SET', KEYS[1], string.format('%.3f', arrival), 'EX', 86400)
end
return 0
"""


class RedisLimiter:
    """Holds each lane to its rate, over all processes; fails closed.

    In no second arrives more than the rate and the burst, or one message that is dearer.
    """

    def __init__(self, redis: Redis, *, burst_seconds: float) -> None:
        self._redis = redis
        self._burst_seconds = burst_seconds
        self._take = redis.register_script(_TAKE)
        self._give_back = redis.register_script(_GIVE_BACK)

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        """Take up to `want` segments, `least` at least; raises `Outage` when Redis is away."""
        burst = max(1.0, rate * self._burst_seconds * SHARE_GIVEN_OUT)
        try:
            granted, wait, stops = await self._take(
                keys=[_key(lane), stops_key(lane.organization_id)],
                args=[1_000_000 / rate, burst, want, least],
            )
        except RedisError as error:
            raise Outage("the limiter is away") from error
        if not stops:
            return Grant(int(granted), int(wait) / 1_000_000)
        pairs = dict(zip(stops[::2], stops[1::2], strict=True))
        return Grant(int(granted), int(wait) / 1_000_000, as_stops(pairs))

    async def give_back(self, lane: Lane, *, rate: float, segments: int) -> None:
        """Return what was not used; without Redis it stays taken, which is the safe side."""
        try:
            await self._give_back(keys=[_key(lane)], args=[segments, 1_000_000 / rate])
        except RedisError as error:
            raise Outage("the limiter is away") from error

    async def stops(self, lane: Lane) -> Stops:
        """Return what is stopped now, as told past the log; raises `Outage` without Redis."""
        try:
            return as_stops(await self._redis.hgetall(stops_key(lane.organization_id)))
        except RedisError as error:
            raise Outage("the stops can't be read") from error


def _key(lane: Lane) -> str:
    return f"textmanager:limit:{lane.organization_id}:{lane.from_number}"
