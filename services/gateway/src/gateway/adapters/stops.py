"""Tells the senders of a stop through Redis, where they look before each text."""

import asyncio
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chassis.logs import get_logger

_SECONDS = 0.5
_AGAIN_SECONDS = 0.1
_TRIES = 600
_TELL = """
local told = redis.call('HGET', KEYS[1], ARGV[1])
-- What is told late must not undo what was told since.
if not told or tonumber(told) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
"""


class RedisStops:
    """Writes what is stopped; without Redis the log alone tells it, a moment later."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._script = None if redis is None else redis.register_script(_TELL)
        self._later: set[asyncio.Task[None]] = set()

    @classmethod
    def at(cls, url: str | None) -> "RedisStops":
        """Return one for the Redis at an address; without an address it tells nobody."""
        if url is None:
            return cls(None)
        return cls(
            Redis.from_url(
                url,
                socket_timeout=_SECONDS,
                socket_connect_timeout=_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        )

    async def tell(self, organization_id: UUID, what: str, sequence: int) -> None:
        """Say that a campaign, a run or (`*`) everything is stopped, by the event of that number.

        It never fails: the log has the stop in any case.
        """
        if not await self._told(organization_id, what, sequence):
            get_logger().warning("A stop reaches the senders by the log alone.")
            task = asyncio.create_task(self._tell_later(organization_id, what, sequence))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _tell_later(self, organization_id: UUID, what: str, sequence: int) -> None:
        """Go on trying: once Redis is back, senders go on, and the log may be behind."""
        for _ in range(_TRIES):
            await asyncio.sleep(_AGAIN_SECONDS)
            if await self._told(organization_id, what, sequence):
                return

    async def _told(self, organization_id: UUID, what: str, sequence: int) -> bool:
        if self._script is None:
            return True
        try:
            async with asyncio.timeout(2 * _SECONDS):
                # Never taken back: what goes on says so in the log, by a higher number.
                await self._script(keys=[stopped_key(organization_id)], args=[what, sequence])
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        for task in self._later:
            task.cancel()
        if self._redis is not None:
            await self._redis.aclose()


def stopped_key(organization_id: UUID) -> str:
    """Return the key of the hash that holds what of an organisation is stopped."""
    return f"tm:stopped:{organization_id}"
