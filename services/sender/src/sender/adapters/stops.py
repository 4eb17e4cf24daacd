"""Stops that were told past the log, in Redis: taken away once the tables know better (X-6)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select

from chassis.batches import Outage
from chassis.store import Store
from sender.adapters.tables import CAMPAIGN_CONTROLS, CANCELLED_RUNS, SETTINGS
from sender.domain.controls import EVERYTHING, Stops

_FORGET = """
local gone = 0
for each = 1, #ARGV, 2 do
  local told = redis.call('HGET', KEYS[1], ARGV[each])
  -- A newer stop may have come meanwhile.
  if told and tonumber(told) <= tonumber(ARGV[each + 1]) then
    gone = gone + redis.call('HDEL', KEYS[1], ARGV[each])
  end
end
return gone
"""


def stops_key(organization_id: UUID) -> str:
    """Name the hash of what is stopped of an organisation: what it is, and by which sequence."""
    return f"tm:stopped:{organization_id}"


def as_stops(pairs: Mapping[Any, Any]) -> Stops:
    """Read the hash's fields and values."""
    return {_text(name): int(value) for name, value in pairs.items()}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class RedisStops:
    """Keeps the hashes short."""

    def __init__(self, redis: Redis, store: Store) -> None:
        self._redis = redis
        self._store = store
        self._forget = redis.register_script(_FORGET)

    async def tidy(self) -> None:
        """Take away what the tables have reached; raises `Outage` without Redis."""
        async with self._store.read() as connection:
            settings = SETTINGS.table.c
            known = (await connection.execute(select(settings.subject, settings.sequence))).all()
        try:
            for organization, sequence in known:
                found = await self._redis.hgetall(stops_key(organization))
                if stops := as_stops(found):
                    reached = await self._reached(stops, {EVERYTHING: sequence})
                    flat = [each for pair in reached.items() for each in pair]
                    await self._forget(keys=[stops_key(organization)], args=flat)
        except RedisError as error:
            raise Outage("the stops can't be read") from error

    async def _reached(self, stops: Stops, more: Mapping[str, int]) -> dict[str, int]:
        """Return how far the tables are for each name."""
        things = [UUID(name) for name in stops if name != EVERYTHING]
        campaigns, runs = CAMPAIGN_CONTROLS.c, CANCELLED_RUNS.c
        async with self._store.read() as connection:
            found = await connection.execute(
                select(campaigns.campaign_id, campaigns.sequence)
                .where(campaigns.campaign_id.in_(things))
                .union_all(select(runs.run_id, runs.sequence).where(runs.run_id.in_(things)))
            )
            reached = {str(name): sequence for name, sequence in found.all()}
        return {**reached, **more}
