"""Reads the log from its beginning to its present end, whole or for one key."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from contracts.envelope import Envelope, Undecodable, decode, header_time
from contracts.events.base import Event
from textmanager.errors import UserError

# The client itself would wait for a broker that has gone for ever.
PATIENCE_SECONDS = 20.0
FETCH_MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and where it stands in the log."""

    envelope: Envelope[Event]
    time: datetime | None
    topic: str
    partition: int
    offset: int

    @property
    def event(self) -> Event:
        """The event itself."""
        return self.envelope.event


async def read_log(
    kafka_url: str,
    topics: Sequence[str],
    *,
    key: UUID | None = None,
    only: Callable[[bytes], bool] | None = None,
) -> AsyncIterator[Logged]:
    """Yield each event of these topics that was there when asked.

    With a key, only that key's, from the one partition that holds it; with `only`, those whose
    keys it is true of. What can't be decoded is passed over: the services have put it among the
    dead letters. Raises UserError when Kafka does not answer, or stops answering.
    """
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_MAX_BYTES,
    )
    try:
        await consumer.start()
    except (KafkaError, OSError, ValueError) as error:
        await consumer.stop()
        raise _silent(kafka_url) from error
    try:
        async for logged in _read(consumer, topics, key, only):
            yield logged
    except (KafkaError, TimeoutError) as error:
        raise _silent(kafka_url) from error
    finally:
        await consumer.stop()


def _silent(kafka_url: str) -> UserError:
    return UserError(
        f"Kafka at {kafka_url} does not answer: start the system with `textmanager up`, or set "
        "TEXTMANAGER_KAFKA_URL."
    )


def keyed(key: bytes) -> UUID | None:
    """Return the id that a record's key is; None when it is none."""
    try:
        return UUID(key.decode())
    except ValueError:
        return None


async def _read(
    consumer: AIOKafkaConsumer,
    topics: Sequence[str],
    key: UUID | None,
    only: Callable[[bytes], bool] | None,
) -> AsyncIterator[Logged]:
    wanted = None if key is None else str(key).encode()
    partitions = [tp for topic in topics for tp in await _partitions(consumer, topic, wanted)]
    ends = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end > 0}
    starts = await consumer.beginning_offsets(list(ends))
    ends = {tp: end for tp, end in ends.items() if end > starts[tp]}
    consumer.assign(list(ends))
    moved = time.monotonic()
    while ends:
        if time.monotonic() > moved + PATIENCE_SECONDS:
            raise TimeoutError
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            moved = time.monotonic()
            for record in records:
                if (wanted is None or record.key == wanted) and (
                    only is None or only(record.key or b"")
                ):
                    logged = _logged(record)
                    if logged is not None:
                        yield logged
            if records[-1].offset + 1 >= ends.get(partition, 0):
                ends.pop(partition, None)
        for partition in list(ends):
            # A compacted topic's last records may be gone: the position moves on without them.
            if await consumer.position(partition) >= ends[partition]:
                ends.pop(partition)


async def _partitions(
    consumer: AIOKafkaConsumer, topic: str, key: bytes | None
) -> list[TopicPartition]:
    numbers = sorted(consumer.partitions_for_topic(topic) or await _fetched(consumer, topic))
    if key is not None and numbers:
        numbers = [numbers[(murmur2(key) & 0x7FFFFFFF) % len(numbers)]]
    return [TopicPartition(topic, number) for number in numbers]


async def _fetched(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()
    await consumer.topics()
    return consumer.partitions_for_topic(topic) or set()


def _logged(record: "ConsumerRecord[bytes, bytes]") -> Logged | None:
    try:
        envelope = decode(record.headers, record.value)
    except Undecodable:
        return None
    time = header_time(record.headers)
    return Logged(envelope, time, record.topic, record.partition, record.offset)
