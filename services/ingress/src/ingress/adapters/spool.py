"""The spool: the service's own outbox, written for many requests in one transaction."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from chassis.logs import describe, get_logger
from chassis.store import Store
from contracts.envelope import Envelope
from contracts.events.base import Event
from ingress.ports import SpoolAway

BATCH = 500

_Waiting = tuple[Envelope[Event], "asyncio.Future[None]"]


class OutboxSpool:
    """Keeps events in the outbox; the relay publishes them when the broker is back.

    A transaction that is synced costs milliseconds, so those who wait share one.
    """

    def __init__(self, store: Store, *, patience_seconds: float) -> None:
        self._store = store
        self._patience_seconds = patience_seconds
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, envelope: Envelope[Event]) -> None:
        """Return once the event would survive a power cut; raises `SpoolAway`."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelope, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="ingress.spool")
        try:
            async with asyncio.timeout(self._patience_seconds):
                await kept
        except TimeoutError as error:
            raise SpoolAway from error

    async def stop(self) -> None:
        """Finish what is being written."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: list[_Waiting]) -> None:
        try:
            async with self._store.transaction() as transaction:
                for envelope, _ in batch:
                    transaction.publish_sealed(envelope)
        except (SQLAlchemyError, OSError) as error:
            get_logger().error(
                "The spool can't keep webhooks.", count=len(batch), **describe(error)
            )
            for _, kept in batch:
                if not kept.done():
                    kept.set_exception(SpoolAway())
            return
        for _, kept in batch:
            if not kept.done():
                kept.set_result(None)
