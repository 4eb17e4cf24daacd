"""Runs a real service inside the test, and speaks to it over the real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.service import Service
from contracts.envelope import Envelope, Undecodable, decode, encode, seal
from contracts.events.base import Event
from contracts.topics import TOPICS

E = TypeVar("E", bound=Event)
PATIENCE_SECONDS = 60.0
"""Far more than anything takes on a machine that has other work as well."""


async def eventually(claim: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until the claim holds and return its value; fail when it doesn't in time."""
    async with asyncio.timeout(seconds):
        while True:
            value = claim()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.02)


class Log:
    """The whole log of one test: what was published, by whomever."""

    def __init__(self, kafka_url: str, prefix: str) -> None:
        self._prefix = prefix
        self.envelopes: list[Envelope[Event]] = []
        self.dead: list[Any] = []
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all")
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka_url, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read every topic from its start."""
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign(
            [
                TopicPartition(self._prefix + topic.name, partition)
                for topic in TOPICS
                for partition in range(topic.partitions)
            ]
        )
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """Let go of the broker."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await self._consumer.stop()
        await self._producer.stop()

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=50)).values():
                for record in records:
                    try:
                        self.envelopes.append(decode(record.headers, record.value))
                    except Undecodable:
                        self.dead.append(record)
                    else:
                        if record.topic.endswith("dead-letters"):
                            self.dead.append(record)
                            self.envelopes.pop()

    async def publish(self, *events: Event, because: UUID | None = None) -> list[Envelope[Event]]:
        """Put events on their topics and wait until the broker has them."""
        sealed = [seal(event, because=because) for event in events]
        await self.publish_sealed(*sealed)
        return sealed

    async def publish_sealed(self, *envelopes: Envelope[Event]) -> None:
        """Put events that have their ids on their topics, again if need be."""
        for envelope in envelopes:
            key, value, headers = encode(envelope)
            await self._producer.send_and_wait(
                self._prefix + envelope.event.topic, key=key, value=value, headers=headers
            )

    async def publish_raw(
        self, topic: str, value: bytes | None, headers: list[tuple[str, bytes]] | None = None
    ) -> None:
        """Put any bytes on a topic."""
        await self._producer.send_and_wait(self._prefix + topic, value=value, headers=headers or [])

    def of(self, kind: type[E]) -> list[Envelope[E]]:
        """Return the events of a type that were read so far, repeats included."""
        return [cast("Envelope[E]", each) for each in self.envelopes if type(each.event) is kind]

    async def wait_for(
        self,
        kind: type[E],
        *,
        where: Callable[[E], bool] = lambda _: True,
        count: int = 1,
        seconds: float = PATIENCE_SECONDS,
    ) -> list[E]:
        """Wait for at least `count` different events of a type and return them."""

        def found() -> list[E]:
            distinct = {each.id: each.event for each in self.of(kind) if where(each.event)}
            return list(distinct.values()) if len(distinct) >= count else []

        return cast("list[E]", await eventually(found, seconds=seconds))


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """Run a service until the block is left; it must stop without an error."""
    # At once as of today: running every revision would take each test a while longer.
    await service.store.create_tables()
    task = asyncio.create_task(service.run())
    try:
        ready = asyncio.create_task(eventually(lambda: service.ready))
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            task.result()
        await ready
        yield service
    finally:
        service.stop_requested.set()
        await task
