"""From raw records to a committed batch: decode, handle in one transaction, single out the bad.

An outage is waited out. A record that can never be handled goes alone to the dead letters.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from chassis import metrics
from chassis.logs import describe, get_logger
from chassis.store import Store, Transaction, is_database_outage
from chassis.subscription import Subscription
from contracts.envelope import Envelope, Undecodable, decode
from contracts.events.base import Event
from contracts.topics import DEAD_LETTERS

GIVE_BACK_SECONDS = 30.0
_DEAD_VALUE_LIMIT = 2 * 1024 * 1024 - 64 * 1024


class Outage(Exception):
    """Something that the handler needs is away for now; the batch is tried again."""


class GiveBack(Exception):
    """The batch can't be handled now; it must be fetched again."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record and the event in it."""

    record: "ConsumerRecord[bytes, bytes]"
    envelope: Envelope[Event]


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that can never be handled, and why."""

    record: "ConsumerRecord[bytes, bytes]"
    reason: str
    detail: str = ""


def sort_out(
    records: Sequence["ConsumerRecord[bytes, bytes]"], subscription: Subscription
) -> tuple[list[Item], list[Dead]]:
    """Decode records; leave out the types that are skipped on purpose."""
    items: list[Item] = []
    dead: list[Dead] = []
    for record in records:
        try:
            envelope = decode(record.headers, record.value)
        except Undecodable as error:
            dead.append(Dead(record, error.reason))
            continue
        kind = type(envelope.event)
        if kind in subscription.handlers:
            items.append(Item(record, envelope))
        elif kind not in subscription.skips:
            dead.append(Dead(record, "not_expected_here"))
    return items, dead


class BatchHandling:
    """Handles one subscription's batches."""

    def __init__(self, subscription: Subscription, store: Store, *, service: str, prefix: str):
        self._subscription = subscription
        self._store = store
        self._service = service
        self._prefix = prefix
        self.stopping = False

    async def handle(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Commit what the records say; afterwards their offsets may be committed.

        Raises `GiveBack` when an outage lasts too long or the process stops.
        """
        started = time.monotonic()
        items, dead = sort_out(records, self._subscription)
        await self._commit_whole(items, dead, deadline=started + GIVE_BACK_SECONDS)
        metrics.BATCH_SECONDS.labels(self._subscription.name).observe(time.monotonic() - started)
        for item in items:
            metrics.HANDLED.labels(self._subscription.name, item.envelope.event.type).inc()
        if self._subscription.after_commit is not None:
            self._subscription.after_commit()

    async def _commit_whole(self, items: list[Item], dead: list[Dead], *, deadline: float) -> None:
        """Commit in one transaction; if an item prevents that, halve until it stands alone."""
        delay = 0.05
        while True:
            try:
                await self._commit(items, dead)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is told apart here.
                if is_outage(error):
                    metrics.RETRIED.labels(self._subscription.name).inc()
                    delay = await self._wait_out(error, delay, deadline)
                    continue
                await self._single_out(items, dead, error, deadline=deadline)
            return

    async def _single_out(
        self, items: list[Item], dead: list[Dead], error: Exception, *, deadline: float
    ) -> None:
        if not items:
            # Only dead letters, and they can't be written: that is no record's fault.
            raise GiveBack from error
        if len(items) == 1:
            self._complain(items[0], error)
            bad = Dead(items[0].record, "handler_failed", type(error).__name__)
            await self._commit_whole([], [*dead, bad], deadline=deadline)
            return
        middle = len(items) // 2
        await self._commit_whole(items[:middle], dead, deadline=deadline)
        await self._commit_whole(items[middle:], [], deadline=deadline)

    async def _commit(self, items: list[Item], dead: list[Dead]) -> None:
        by_kind: dict[type[Event], list[Envelope[Any]]] = {}
        for item in items:
            by_kind.setdefault(type(item.envelope.event), []).append(item.envelope)
        async with self._store.transaction() as transaction:
            for kind, handler in self._subscription.handlers.items():
                if kind in by_kind:
                    await handler(transaction, by_kind[kind])
            for each in dead:
                self._bury(transaction, each)
        for each in dead:
            metrics.DEAD_LETTERED.labels(self._subscription.name, each.reason).inc()
            get_logger().error(
                "An event can't be handled; it is among the dead letters.",
                subscription=self._subscription.name,
                reason=each.reason,
                topic=each.record.topic,
                partition=each.record.partition,
                offset=each.record.offset,
            )

    def _bury(self, transaction: Transaction, dead: Dead) -> None:
        record = dead.record
        said = {
            "tm-service": self._service,
            "tm-subscription": self._subscription.name,
            "tm-reason": dead.reason,
            "tm-detail": dead.detail,
            "tm-topic": record.topic,
            "tm-partition": str(record.partition),
            "tm-offset": str(record.offset),
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in said.items())]
        value = record.value[:_DEAD_VALUE_LIMIT] if record.value else record.value
        transaction.publish_raw(self._prefix + DEAD_LETTERS, record.key, value, headers)

    def _complain(self, item: Item, error: Exception) -> None:
        get_logger().error(
            "Handling an event failed.",
            subscription=self._subscription.name,
            type=item.envelope.event.type,
            event_id=str(item.envelope.id),
            **describe(error),
        )

    async def _wait_out(self, error: Exception, delay: float, deadline: float) -> float:
        if self.stopping or time.monotonic() + delay > deadline:
            raise GiveBack from error
        get_logger().warning(
            "An outage is waited out.", subscription=self._subscription.name, **describe(error)
        )
        await asyncio.sleep(delay)
        return min(delay * 2, 5.0)


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again later can succeed."""
    return isinstance(error, Outage | KafkaError | OSError) or is_database_outage(error)
