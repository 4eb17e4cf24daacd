"""Reads the log from its beginning to its present end, whole or for one key."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from contracts.envelope import Envelope, Undecodable, decode, header_time
from contracts.events.base import Event
from textmanager.errors import UserError

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
    kafka_url: str, topics: Sequence[str], *, key: UUID | None = None
) -> AsyncIterator[Logged]:
    """Yield each event of these topics that was there when asked; with a key, only that key's.

    What can't be decoded is passed over: the services have put it among the dead letters.
    """
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_MAX_BYTES,
    )
    try:
        await consumer.start()
    except KafkaError as error:
        await consumer.stop()
        raise UserError(
            f"Kafka at {kafka_url} does not answer: start the system with `textmanager up`, or "
            "set TEXTMANAGER_KAFKA_URL."
        ) from error
    try:
        async for logged in _read(consumer, topics, key):
            yield logged
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, topics: Sequence[str], key: UUID | None
) -> AsyncIterator[Logged]:
    wanted = None if key is None else str(key).encode()
    partitions = [tp for topic in topics for tp in await _partitions(consumer, topic, wanted)]
    ends = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end > 0}
    starts = await consumer.beginning_offsets(list(ends))
    ends = {tp: end for tp, end in ends.items() if end > starts[tp]}
    consumer.assign(list(ends))
    while ends:
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            for record in records:
                if wanted is None or record.key == wanted:
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
