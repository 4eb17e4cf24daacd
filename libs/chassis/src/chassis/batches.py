"""From raw records to a committed batch: decode, handle in one transaction, single out the bad.

An outage is waited out. A record that can never be handled goes alone to the dead letters.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from chassis import metrics
from chassis.letters import (
    Origin,
    Record,
    event_id_of,
    letter_of,
    standing,
    with_values,
)
from chassis.logs import describe, get_logger
from chassis.store import Store, Transaction, is_database_outage
from chassis.subscription import Subscription, Taken
from contracts.envelope import Envelope, Undecodable, decode
from contracts.events.base import Event
from contracts.topics import DEAD_LETTERS

GIVE_BACK_SECONDS = 30.0


class Outage(Exception):
    """Something that the handler needs is away for now; the batch is tried again."""


class GiveBack(Exception):
    """The batch can't be handled now; it must be fetched again."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record and the event in it."""

    record: Record
    envelope: Envelope[Event]


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that can never be handled, and why."""

    record: Record
    reason: str
    detail: str = ""


def sort_out(
    records: Sequence[Record], subscription: Subscription
) -> tuple[list[Item], list[Dead]]:
    """Decode records; leave out the types that are skipped on purpose."""
    items: list[Item] = []
    dead: list[Dead] = []
    for record in records:
        try:
            envelope = decode(with_values(record.headers), record.value)
        except Undecodable as error:
            dead.append(Dead(record, error.reason))
            continue
        except Exception as error:  # noqa: BLE001 - no bytes that anyone can write may stop us.
            dead.append(Dead(record, "undecodable", type(error).__name__))
            continue
        kind = type(envelope.event)
        if kind in subscription.handlers:
            items.append(Item(record, envelope))
        elif kind not in subscription.skips:
            dead.append(Dead(record, "not_expected_here"))
    return items, dead


class BatchHandling:
    """Handles one subscription's batches."""

    def __init__(
        self,
        subscription: Subscription,
        store: Store,
        *,
        service: str,
        prefix: str,
        origin_of: Callable[[Record], Origin] = standing,
    ) -> None:
        self._subscription = subscription
        self._store = store
        self._service = service
        self._prefix = prefix
        self._origin_of = origin_of
        self._stopping = False

    def stop_waiting(self) -> None:
        """Wait out no outage any more: the process is about to end."""
        self._stopping = True

    async def handle(self, records: Sequence[Record], *, deadline: float | None = None) -> None:
        """Commit what the records say; afterwards their offsets may be committed.

        Raises `GiveBack` when an outage lasts too long or the process stops.
        """
        started = time.monotonic()
        items, dead = sort_out(records, self._subscription)
        await self._commit_whole(items, dead, deadline=deadline or started + GIVE_BACK_SECONDS)
        metrics.BATCH_SECONDS.labels(self._subscription.name).observe(time.monotonic() - started)
        if self._subscription.after_commit is not None:
            self._subscription.after_commit()

    async def give_up(self, dead: list[Dead], *, deadline: float) -> None:
        """Put records that are for no handler among the dead letters."""
        if dead:
            await self._commit_whole([], dead, deadline=deadline)

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
        async with self._store.transaction() as transaction:
            await self._hand_over(transaction, [item.envelope for item in items])
            for each in dead:
                self._bury(transaction, each)
            if self._subscription.bookkeeping is not None:
                taken = [self._taken(item.record) for item in items]
                taken += [self._taken(each.record, given_up=each.reason) for each in dead]
                await self._subscription.bookkeeping(transaction, taken)
        for item in items:
            metrics.HANDLED.labels(self._subscription.name, item.envelope.event.type).inc()
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

    async def _hand_over(self, transaction: Transaction, events: list[Envelope[Any]]) -> None:
        """Let the handlers see the events: all at once, or by type."""
        if self._subscription.together is not None:
            if events:
                await self._subscription.together(transaction, events)
            return
        by_kind: dict[type[Event], list[Envelope[Any]]] = {}
        for each in events:
            by_kind.setdefault(type(each.event), []).append(each)
        for kind, handler in self._subscription.handlers.items():
            if kind in by_kind:
                await handler(transaction, by_kind[kind])

    def _taken(self, record: Record, *, given_up: str = "") -> Taken:
        origin = self._origin_of(record)
        event_id = event_id_of(record.headers) if given_up else None
        return Taken(origin.topic, origin.partition, origin.offset, given_up, event_id)

    def _bury(self, transaction: Transaction, dead: Dead) -> None:
        origin = self._origin_of(dead.record)
        key, value, headers = letter_of(
            dead.record,
            origin,
            service=self._service,
            subscription=origin.subscription or self._subscription.name,
            reason=dead.reason,
            detail=dead.detail,
        )
        transaction.publish_raw(self._prefix + DEAD_LETTERS, key, value, headers)

    def _complain(self, item: Item, error: Exception) -> None:
        get_logger().error(
            "Handling an event failed.",
            subscription=self._subscription.name,
            type=item.envelope.event.type,
            event_id=str(item.envelope.id),
            **describe(error),
        )

    async def _wait_out(self, error: Exception, delay: float, deadline: float) -> float:
        if self._stopping or time.monotonic() + delay > deadline:
            raise GiveBack from error
        get_logger().warning(
            "An outage is waited out.", subscription=self._subscription.name, **describe(error)
        )
        await asyncio.sleep(delay)
        return min(delay * 2, 5.0)


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again later can succeed."""
    return isinstance(error, Outage | KafkaError | OSError) or is_database_outage(error)
