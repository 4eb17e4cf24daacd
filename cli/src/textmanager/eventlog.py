"""Reads the log: whole up to its present end, for one key, or between two places."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from chassis.letters import with_values
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
    stored_at: float = 0.0
    """When it was put on the topic, in seconds since 1970 by the clock of who put it there."""

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
    wanted = None if key is None else str(key).encode()
    async with log_reader(kafka_url) as consumer:
        spans = await spans_of(consumer, topics, key=wanted)
        async for record in records_in(consumer, spans):
            if (wanted is None or record.key == wanted) and (
                only is None or only(record.key or b"")
            ):
                logged = _logged(record)
                if logged is not None:
                    yield logged


@asynccontextmanager
async def log_reader(kafka_url: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Lend a client that reads, of no group; raises UserError when Kafka doesn't answer."""
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
        raise silent(kafka_url) from error
    try:
        yield consumer
    except (KafkaError, TimeoutError) as error:
        raise silent(kafka_url) from error
    finally:
        await consumer.stop()


def silent(kafka_url: str) -> UserError:
    """Return what to tell when Kafka does not answer."""
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


async def spans_of(
    consumer: AIOKafkaConsumer, topics: Sequence[str], *, key: bytes | None = None
) -> dict[TopicPartition, tuple[int, int]]:
    """Return the first offset and the one past the last, of each partition that has any record."""
    partitions = [tp for topic in topics for tp in await _partitions(consumer, topic, key)]
    ends = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end > 0}
    starts = await consumer.beginning_offsets(list(ends))
    return {tp: (starts[tp], end) for tp, end in ends.items() if end > starts[tp]}


async def records_in(
    consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, tuple[int, int]]
) -> AsyncIterator["ConsumerRecord[bytes, bytes]"]:
    """Yield each record of these spans, whatever it holds; one batch at a time is in memory."""
    ends = {tp: end for tp, (start, end) in spans.items() if end > start}
    consumer.assign(list(ends))
    for tp in ends:
        consumer.seek(tp, spans[tp][0])
    moved = time.monotonic()
    while ends:
        if time.monotonic() > moved + PATIENCE_SECONDS:
            raise TimeoutError
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            for record in records:
                if record.offset < spans[partition][1]:
                    yield record
            # Counted from here: what is done with the records takes its time.
            moved = time.monotonic()
            if records[-1].offset + 1 >= ends.get(partition, 0):
                ends.pop(partition, None)
        for partition in list(ends):
            # A compacted topic's last records may be gone: the position moves on without them.
            if await consumer.position(partition) >= ends[partition]:
                ends.pop(partition)


async def _partitions(
    consumer: AIOKafkaConsumer, topic: str, key: bytes | None
) -> list[TopicPartition]:
    # Asked anew: what the client keeps is of the topics alone that it was assigned before.
    cluster = await consumer._client.fetch_all_metadata()
    numbers = sorted(cluster.partitions_for_topic(topic) or ())
    if key is not None and numbers:
        numbers = [numbers[(murmur2(key) & 0x7FFFFFFF) % len(numbers)]]
    return [TopicPartition(topic, number) for number in numbers]


def _logged(record: "ConsumerRecord[bytes, bytes]") -> Logged | None:
    try:
        envelope = decode(with_values(record.headers), record.value)
    except Undecodable:
        return None
    try:
        time = header_time(record.headers)
    except ValueError:
        # The services go by the event itself, and don't mind.
        time = None
    return Logged(
        envelope, time, record.topic, record.partition, record.offset, record.timestamp / 1000
    )
