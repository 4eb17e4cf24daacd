"""Tells the senders of a stop through Redis, where they look before each text."""

import asyncio
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chassis.logs import describe, get_logger

_SECONDS = 0.5


class RedisStops:
    """Writes what is stopped; without Redis the log alone tells it, a moment later."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis

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
        if self._redis is None:
            return
        try:
            async with asyncio.timeout(2 * _SECONDS):
                # Never taken back: what goes on says so in the log, by a higher number.
                await self._redis.hset(stopped_key(organization_id), what, str(sequence))
        except (RedisError, OSError, TimeoutError) as error:
            get_logger().warning("A stop reaches the senders by the log alone.", **describe(error))

    async def close(self) -> None:
        """Close every connection."""
        if self._redis is not None:
            await self._redis.aclose()


def stopped_key(organization_id: UUID) -> str:
    """Return the key of the hash that holds what of an organisation is stopped."""
    return f"tm:stopped:{organization_id}"
