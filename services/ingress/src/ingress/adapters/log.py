"""Kafka, spoken to directly: the one place besides the relay that publishes."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.logs import describe, get_logger
from chassis.relay import make_producer
from chassis.settings import ServiceSettings
from contracts.envelope import Envelope, encode
from contracts.events.base import Event
from ingress.ports import LogAway

CONNECT_SECONDS = 10.0
GOODBYE_SECONDS = 1.0


class KafkaLog:
    """One idempotent producer, whose batches all requests share."""

    def __init__(self, settings: ServiceSettings, *, patience_seconds: float) -> None:
        self._settings = settings
        self._patience_seconds = patience_seconds
        self._producer: AIOKafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._disposals: set[asyncio.Task[None]] = set()

    async def append(self, envelope: Envelope[Event]) -> None:
        """Return once all replicas in sync have the event; raises `LogAway`."""
        key, value, headers = encode(envelope)
        topic = self._settings.topic(envelope.event.topic)
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._patience_seconds):
                producer = self._producer or await self._connected()
                acknowledged = await producer.send(topic, key=key, value=value, headers=headers)
                await acknowledged
        except (KafkaError, TimeoutError, OSError) as error:
            if producer is not None:
                self._dispose(producer, error)
            raise LogAway from error

    async def stop(self) -> None:
        """Let go of the broker."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._producer is not None:
            self._dispose(self._producer, None)
        if self._disposals:
            _, late = await asyncio.wait(self._disposals, timeout=GOODBYE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _connected(self) -> AIOKafkaProducer:
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="ingress.log")
            self._connecting.add_done_callback(self._connect_ended)
        # Shielded: who runs out of patience must not take the connection from the next.
        await asyncio.shield(self._connecting)
        if self._producer is None:
            raise KafkaError("the broker was lost at once")
        return self._producer

    async def _connect(self) -> None:
        producer = make_producer(self._settings)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    def _connect_ended(self, task: "asyncio.Task[None]") -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # Seen, even when everybody who waited for it has gone.

    def _dispose(self, producer: AIOKafkaProducer, error: BaseException | None) -> None:
        """Give a producer up: an idempotent one that failed for good stays failed."""
        if producer is not self._producer:
            return
        self._producer = None
        if error is not None:
            get_logger().warning(
                "The broker doesn't acknowledge; webhooks go to the spool.", **describe(error)
            )
        task = asyncio.create_task(_farewell(producer), name="ingress.farewell")
        self._disposals.add(task)
        task.add_done_callback(self._disposals.discard)


async def _farewell(producer: AIOKafkaProducer) -> None:
    """Stop a producer; what it still holds is in the spool too and may be published twice."""
    with suppress(KafkaError, OSError):
        await producer.stop()
