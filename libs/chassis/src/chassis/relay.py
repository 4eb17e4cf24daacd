"""The relay: publishes outbox rows until the broker has them; nothing else publishes.

A process publishes the rows that it wrote, in their order, so replicas don't wait for each other.
Rows of a process that shows no sign of life are taken over. A row may be published twice; it
keeps its event's id and sequence, so readers find nothing new in the repeat.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import bindparam, delete, select, update

from chassis import metrics
from chassis.instants import now
from chassis.logs import describe, get_logger
from chassis.outbox import INSTANCES, OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store, is_database_outage, upsert

BATCH = 1000
LINGER_SECONDS = 0.005


def make_producer(settings: ServiceSettings) -> AIOKafkaProducer:
    """Return a producer that loses nothing: idempotent, acknowledged by all replicas in sync."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_url,
        client_id=settings.instance,
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        max_batch_size=262_144,
        max_request_size=2 * 1024 * 1024,
        request_timeout_ms=15_000,
        metadata_max_age_ms=30_000,
    )


class Relay:
    """Publishes one process's outbox."""

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        self._store = store
        self._producer: AIOKafkaProducer | None = None
        self._settings = settings
        self._wake = asyncio.Event()
        self._stopping = False
        self._next_sign = 0.0
        store.on_commit(self._wake.set)

    async def run(self) -> None:
        """Publish until told to stop; an outage is waited out."""
        delay = 0.05
        while not self._stopping:
            try:
                await self._sign_of_life()
                if not await self.publish_once():
                    await self._wait()
                delay = 0.05
            except (KafkaError, OSError) as error:
                get_logger().warning(
                    "The broker doesn't take events; they wait.", **describe(error)
                )
                # An idempotent producer that failed for good stays failed: start with a new one.
                await self.close()
                delay = await self._back_off(delay)
            except Exception as error:
                if not is_database_outage(error):
                    raise
                get_logger().warning("The database doesn't answer.", **describe(error))
                delay = await self._back_off(delay)

    def stop(self) -> None:
        """Let the rows in hand be the last of `run`."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        """Let go of the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(2):
                    await producer.stop()

    async def drain(self) -> None:
        """Publish until nothing is left."""
        while await self.publish_once():
            pass

    async def publish_once(self) -> int:
        """Publish the next rows and forget them; returns how many there were."""
        self._wake.clear()
        async with self._store.read() as connection:
            columns = OUTBOX.c
            rows = (
                await connection.execute(
                    select(
                        columns.position, columns.topic, columns.key, columns.value, columns.headers
                    )
                    .where(columns.instance == self._settings.instance)
                    .order_by(columns.position)
                    .limit(BATCH)
                )
            ).all()
        if not rows:
            return 0
        metrics.OUTBOX_WAITING.set(len(rows))
        await self._send(rows)
        async with self._store.transaction() as transaction:
            await transaction.execute(
                delete(OUTBOX).where(OUTBOX.c.position == bindparam("gone")),
                [{"gone": row.position} for row in rows],
            )
        metrics.OUTBOX_WAITING.set(0)
        return len(rows)

    async def _send(self, rows: Sequence[Any]) -> None:
        if self._producer is None:
            producer = make_producer(self._settings)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        sent = [
            await self._producer.send(
                row.topic, key=row.key, value=row.value, headers=headers_of(row.headers)
            )
            for row in rows
        ]
        await asyncio.gather(*sent)
        for row in rows:
            metrics.PUBLISHED.labels(row.topic).inc()

    async def _sign_of_life(self) -> None:
        """Say that this process lives, and take over the rows of those that don't."""
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._next_sign:
            return
        self._next_sign = loop_time + self._settings.orphan_seconds / 3
        moment = now()
        dead = select(INSTANCES.c.name).where(
            INSTANCES.c.seen_at < moment - timedelta(seconds=self._settings.orphan_seconds)
        )
        async with self._store.transaction() as transaction:
            sign = upsert(transaction.connection, INSTANCES).values(
                name=self._settings.instance, seen_at=moment
            )
            await transaction.execute(
                sign.on_conflict_do_update(index_elements=["name"], set_={"seen_at": moment})
            )
            await transaction.execute(
                update(OUTBOX)
                .where(OUTBOX.c.instance.in_(dead))
                .values(instance=self._settings.instance)
            )

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._settings.relay_idle_seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        # Several commits in a row become one batch; it costs a moment and saves a transaction each.
        await asyncio.sleep(LINGER_SECONDS)

    async def _back_off(self, delay: float) -> float:
        await asyncio.sleep(delay)
        return min(delay * 2, 5.0)
