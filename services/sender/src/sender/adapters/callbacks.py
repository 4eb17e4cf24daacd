"""How far the sender has read the callbacks' topic."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.settings import ServiceSettings
from contracts.topics import BY_NAME

TOPIC = "twilio.callbacks"
GROUP = "sender.callbacks"
PATIENCE_SECONDS = 10.0


class KafkaCallbacks:
    """Compares the topic's end with what the sender's group has committed."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    async def read_to_end(self) -> bool:
        """Whether all that was on the topic when asked has been handled; False when in doubt."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_url,
            group_id=self._settings.topic_prefix + GROUP,
            enable_auto_commit=False,
        )
        partitions = [
            TopicPartition(self._settings.topic(TOPIC), number)
            for number in range(BY_NAME[TOPIC].partitions)
        ]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await consumer.start()
                # Without being a member: only asking how far the members are.
                ends = await consumer.end_offsets(partitions)
                while not await _committed(consumer, ends):
                    await asyncio.sleep(0.05)
        except (KafkaError, TimeoutError, OSError):
            return False
        finally:
            await consumer.stop()
        return True


async def _committed(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    for partition, end in ends.items():
        if end > 0 and (await consumer.committed(partition) or 0) < end:
            return False
    return True
