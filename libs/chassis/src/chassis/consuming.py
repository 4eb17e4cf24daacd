"""Batch subscribers on FastStream: one decoder, one commit a batch, nothing lost by default."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis import metrics
from chassis.batches import BatchHandling, GiveBack
from chassis.letters import Record
from chassis.logs import describe, get_logger
from chassis.retries import MAX_RECORDS, RetryHandling
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Subscription
from contracts.topics import retry_topic

WAIT_MS = 1_000
BREATHER_SECONDS = 0.5


class Handling(Protocol):
    """What becomes of the batches of one consumer group."""

    async def handle(self, records: Sequence[Record]) -> None:
        """Commit what the records say; raises `GiveBack` when they must come again."""

    def stop_waiting(self) -> None:
        """Wait out no outage any more: the process is about to end."""


async def _parse(records: tuple[Record, ...], original: Any) -> Any:
    """Keep the records as they are; a header that isn't text must not stop the batch."""
    message = await original((replace(records[0], headers=()),))
    message.raw_message = records
    message.batch_headers = []
    return message


async def _decode(message: KafkaMessage) -> Sequence[Record]:
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
        self._handlings: list[Handling] = []
        for subscription in subscriptions:
            self._subscribe(
                subscription.group or subscription.name,
                subscription.topics,
                subscription.max_records,
                BatchHandling(subscription, store, service=service, prefix=settings.topic_prefix),
            )
        if subscriptions:
            name = f"{service}.retry"
            self._subscribe(
                name,
                (retry_topic(service),),
                MAX_RECORDS,
                RetryHandling(
                    name, subscriptions, store, service=service, prefix=settings.topic_prefix
                ),
            )

    def _subscribe(
        self, name: str, topics: Sequence[str], max_records: int, handling: Handling
    ) -> None:
        self._handlings.append(handling)
        subscriber = self.broker.subscriber(
            *(self._settings.topic(topic) for topic in topics),
            batch=True,
            group_id=self._settings.topic_prefix + name,
            # A process that takes a dead one's place has its partitions at once; a nameless
            # member's would lie still until the dead one's session is over.
            group_instance_id=self._settings.instance,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=500,
            max_records=max_records,
            max_poll_interval_ms=120_000,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            decoder=_decode,
            parser=_parse,
            no_reply=True,
        )
        # FastStream's own wait sleeps after each empty one, and what comes meanwhile lies still: it
        # has to be short, and then an idle process wakes up dozens of times a second.
        subscriber.get_msg = partial(_next_batch, max_records)  # type: ignore[method-assign]
        self.subscribers[name] = subscriber

        @subscriber
        async def receive(records: Any, message: KafkaMessage) -> None:
            del records
            batch, consumer = message.raw_message, subscriber.consumer
            try:
                await handling.handle(batch)
            except GiveBack:
                give_back(consumer, batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next batch must not pass it by.
                get_logger().error("A batch comes again.", subscription=name, **describe(error))
                give_back(consumer, batch)
                await asyncio.sleep(BREATHER_SECONDS)
            else:
                await self._commit_offsets(name, consumer, message)

    async def _commit_offsets(
        self, subscription: str, consumer: AIOKafkaConsumer, message: KafkaMessage
    ) -> None:
        try:
            await message.ack()
        except KafkaError as error:
            # The group moved on, or the broker is away: the batch comes again and changes nothing.
            get_logger().warning(
                "Offsets were not committed.", subscription=subscription, **describe(error)
            )
            return
        measure_lag(subscription, consumer)

    def stopping(self) -> None:
        """Stop waiting out outages: the process is about to end."""
        for handling in self._handlings:
            handling.stop_waiting()

    async def start(self) -> None:
        """Join the groups."""
        await self.broker.start()

    async def stop(self) -> None:
        """Finish the batches in hand and leave the groups."""
        self.stopping()
        await self.broker.stop()


async def _next_batch(max_records: int, consumer: AIOKafkaConsumer) -> tuple[Record, ...]:
    """Return what has come, as soon as anything has; nothing after a while without."""
    got = await consumer.getmany(timeout_ms=WAIT_MS, max_records=max_records)
    return tuple(chain.from_iterable(got.values()))


def give_back(consumer: AIOKafkaConsumer, records: Sequence[Record]) -> None:
    """Let the next fetch begin where this batch did, in each partition that is still ours."""
    earliest: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        earliest[place] = min(record.offset, earliest.get(place, record.offset))
    for place, offset in earliest.items():
        try:
            consumer.seek(place, offset)
        except IllegalStateError:
            # Another member has it now, from the last committed offset; the rest is ours to rewind.
            continue


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
