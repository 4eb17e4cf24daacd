"""How far a consumer group has read a topic, asked from outside the group."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.settings import ServiceSettings
from contracts.topics import BY_NAME

PATIENCE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.02


class ReadingUp:
    """Compares a topic's end with what a group has committed.

    A group's offsets are committed after its transactions are, so what they pass is in the
    database, whichever of several processes read it.
    """

    def __init__(self, settings: ServiceSettings, *, group: str, topic: str) -> None:
        self._settings = settings
        self._group = group
        self._partitions = [
            TopicPartition(settings.topic(topic), number)
            for number in range(BY_NAME[topic].partitions)
        ]
        self._consumer: AIOKafkaConsumer | None = None

    async def read_to_end(self) -> bool:
        """Whether all that was on the topic when asked has been handled; False when in doubt."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                consumer = await self._asking()
                ends = await consumer.end_offsets(self._partitions)
                while not await _committed(consumer, ends):
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except (KafkaError, TimeoutError, OSError):
            await self.close()
            return False
        return True

    async def close(self) -> None:
        """Give the connection back."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _asking(self) -> AIOKafkaConsumer:
        """Return a consumer that is no member of the group, and only asks how far it is."""
        if self._consumer is None:
            # Kept at once: one that fails to start has to be stopped too.
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self._settings.kafka_url,
                group_id=self._settings.topic_prefix + self._group,
                enable_auto_commit=False,
            )
            await self._consumer.start()
        return self._consumer


async def _committed(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    for partition, end in ends.items():
        if end > 0 and (await consumer.committed(partition) or 0) < end:
            return False
    return True
