"""The log as a rebuild reads it: every partition up to a given offset, old records first.

Partitions are read side by side, by the records' times: what is told of one message on several
topics comes together then, and is folded into its row before the row is written.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from chassis.letters import Record
from projections.adapters.bookkeeping import Place

FETCH_MAX_BYTES = 2 * 1024 * 1024
STEP = 500
"""So many records of a partition are taken before another one's are looked at."""
BYTES_AT_ONCE = 8 * 1024 * 1024
WAIT_MS = 1000
PATIENCE_STEPS = 30


class LogSilent(Exception):
    """Kafka doesn't answer, or doesn't hand out records that it has."""


@dataclass
class LogReader:
    """Reads some topics from where it is told; belongs to no consumer group."""

    kafka_url: str
    topics: Sequence[str]
    at: dict[Place, int] = field(default_factory=dict)
    """The next offset to be read, by partition."""

    def __post_init__(self) -> None:
        self._consumer: AIOKafkaConsumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka_url,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH_MAX_BYTES,
            fetch_max_bytes=64 * 1024 * 1024,
            fetch_max_wait_ms=100,
        )
        self._times: dict[Place, int] = {}

    async def start(self, at: Mapping[Place, int]) -> None:
        """Connect, and begin where each partition was left, else at its beginning."""
        await self._consumer.start()
        partitions = [
            TopicPartition(topic, number)
            for topic in self.topics
            for number in sorted(await self._numbers(topic))
        ]
        first = await self._consumer.beginning_offsets(partitions)
        self._consumer.assign(partitions)
        for each in partitions:
            place = each.topic, each.partition
            self.at[place] = max(at.get(place, 0), first[each])
            self._times[place] = 0
            self._consumer.seek(each, self.at[place])

    async def stop(self) -> None:
        """Let go of the broker."""
        await self._consumer.stop()

    async def ends(self) -> dict[Place, int]:
        """Return each partition's present end."""
        partitions = [TopicPartition(*place) for place in self.at]
        found = await self._consumer.end_offsets(partitions)
        return {(each.topic, each.partition): end for each, end in found.items()}

    async def read(self, until: Mapping[Place, int], *, at_most: int) -> list[Record]:
        """Return some of the records before these offsets, moving on; none when all are read."""
        found: list[Record] = []
        size, silent = 0, 0
        while len(found) < at_most and size < BYTES_AT_ONCE:
            waiting = [place for place, end in until.items() if self.at.get(place, end) < end]
            if not waiting:
                break
            waiting.sort(key=self._times.__getitem__)
            # Those that are behind, unless none of them has been fetched yet.
            room = min(STEP, at_most - len(found))
            records = await self._take(waiting[: len(waiting) // 4 + 1], until, 0, room)
            records = records or await self._take(waiting, until, WAIT_MS, room)
            silent = 0 if records else silent + 1
            if silent >= PATIENCE_STEPS:
                raise LogSilent
            found += records
            size += sum(len(each.value or b"") for each in records)
        return found

    async def _take(
        self, places: Sequence[Place], until: Mapping[Place, int], wait_ms: int, room: int
    ) -> list[Record]:
        """Take the next records of some partitions, none beyond their last."""
        partitions = [TopicPartition(*place) for place in places]
        got = await self._consumer.getmany(*partitions, timeout_ms=wait_ms, max_records=room)
        taken: list[Record] = []
        for partition, records in got.items():
            place = partition.topic, partition.partition
            if records[-1].offset >= until[place]:
                self._consumer.seek(partition, until[place])
            self._times[place] = records[-1].timestamp
            taken += [each for each in records if each.offset < until[place]]
        for partition in got or partitions:
            # Compaction and transactions leave holes: the position moves on without records.
            place = partition.topic, partition.partition
            self.at[place] = await self._consumer.position(partition)
        return taken

    async def _numbers(self, topic: str) -> set[int]:
        async with asyncio.timeout(20):
            while True:
                numbers: set[int] | None = self._consumer.partitions_for_topic(topic)
                if numbers:
                    return numbers
                await self._consumer._client.force_metadata_update()
                await self._consumer.topics()


async def hand_over(kafka_url: str, group: str, at: Mapping[Place, int]) -> None:
    """Let a consumer group that nobody is in yet begin at these offsets."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(*place) for place in at])
        await consumer.commit(
            {TopicPartition(*place): OffsetAndMetadata(offset, "") for place, offset in at.items()}
        )
    finally:
        await consumer.stop()
