"""Batch subscribers on FastStream: one decoder, one commit a batch, nothing lost by default."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis import metrics
from chassis.batches import BatchHandling, GiveBack
from chassis.logs import describe, get_logger
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Subscription

POLL_MS = 20


async def _parse(records: tuple["ConsumerRecord[bytes, bytes]", ...], original: Any) -> Any:
    """Keep the records as they are; a header that isn't text must not stop the batch."""
    message = await original((replace(records[0], headers=()),))
    message.raw_message = records
    message.batch_headers = []
    return message


async def _decode(message: KafkaMessage) -> Sequence["ConsumerRecord[bytes, bytes]"]:
    """Hand on the records; decoding is the handling's, which can single out a bad one."""
    return message.raw_message


class Consuming:
    """All of a service's subscriptions."""

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        store: Store,
        settings: ServiceSettings,
        *,
        service: str,
    ) -> None:
        self._settings = settings
        self.broker = KafkaBroker(
            settings.kafka_url,
            client_id=settings.instance,
            acks="all",
            enable_idempotence=True,
            logger=None,
            graceful_timeout=9,
        )
        self.subscribers: dict[str, Any] = {}
        self._handlings: list[BatchHandling] = []
        for subscription in subscriptions:
            self._subscribe(subscription, store, service)

    def _subscribe(self, subscription: Subscription, store: Store, service: str) -> None:
        handling = BatchHandling(
            subscription, store, service=service, prefix=self._settings.topic_prefix
        )
        self._handlings.append(handling)
        subscriber = self.broker.subscriber(
            *(self._settings.topic(topic) for topic in subscription.topics),
            batch=True,
            group_id=self._settings.topic_prefix + subscription.name,
            # A process that takes a dead one's place has its partitions at once; a nameless
            # member's would lie still until the dead one's session is over.
            group_instance_id=self._settings.instance,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            batch_timeout_ms=POLL_MS,
            fetch_max_wait_ms=500,
            max_records=subscription.max_records,
            max_poll_interval_ms=120_000,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            decoder=_decode,
            parser=_parse,
            no_reply=True,
        )
        self.subscribers[subscription.name] = subscriber

        @subscriber
        async def receive(records: Any, message: KafkaMessage) -> None:
            del records
            try:
                await handling.handle(message.raw_message)
            except GiveBack:
                await message.nack()
                return
            await self._commit_offsets(subscription, subscriber.consumer, message)

    async def _commit_offsets(
        self, subscription: Subscription, consumer: AIOKafkaConsumer, message: KafkaMessage
    ) -> None:
        try:
            await message.ack()
        except KafkaError as error:
            # The group moved on, or the broker is away: the batch comes again and changes nothing.
            get_logger().warning(
                "Offsets were not committed.", subscription=subscription.name, **describe(error)
            )
            return
        measure_lag(subscription.name, consumer)

    def stopping(self) -> None:
        """Stop waiting out outages: the process is about to end."""
        for handling in self._handlings:
            handling.stopping = True

    async def start(self) -> None:
        """Join the groups."""
        await self.broker.start()

    async def stop(self) -> None:
        """Finish the batches in hand and leave the groups."""
        self.stopping()
        await self.broker.stop()


def measure_lag(subscription: str, consumer: AIOKafkaConsumer) -> None:
    """Tell how many records of each topic are still to be read."""
    behind: dict[str, int] = {}
    for partition in consumer.assignment():
        end = consumer.highwater(partition)
        position = consumer._subscription.subscription.assignment.state_value(partition)
        if end is not None and position is not None and position.has_valid_position:
            behind[partition.topic] = behind.get(partition.topic, 0) + end - position.position
    for topic, count in behind.items():
        metrics.LAG.labels(subscription, topic).set(count)
