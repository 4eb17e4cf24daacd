"""X-1 on the real broker: what is committed is published, whoever dies in between."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import Column, MetaData, Table, Uuid, func, select
from tests.harness import Log, eventually, running

from chassis import metrics
from chassis.consuming import Consuming
from chassis.relay import Relay, make_producer
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.run import RunCompleted, RunFailed, RunStarted
from contracts.topics import TOPICS

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("run_id", Uuid, primary_key=True))


def started() -> RunStarted:
    return RunStarted(
        organization_id=uuid4(),
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=uuid4(),
    )


async def note(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
    await transaction.insert_new(SEEN, [{"run_id": each.event.run_id} for each in runs])


def service(settings: ServiceSettings, *, handler: BatchHandler = note) -> Service:
    skips: frozenset[type[Event]] = frozenset({RunCompleted, RunFailed})
    subscription = Subscription("t.runs", ("run.lifecycle",), {RunStarted: handler}, skips=skips)
    store = Store(settings, name="t", metadata=METADATA)
    return Service("t", settings, store, subscriptions=[subscription])


async def count(settings: ServiceSettings) -> int:
    store = Store(settings, name="t", metadata=METADATA)
    try:
        async with store.read() as connection:
            return await connection.scalar(select(func.count()).select_from(SEEN)) or 0
    finally:
        await store.stop()


async def test_a_batch_comes_again_when_its_offsets_were_not_committed(
    service_settings: ServiceSettings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that committed its state and died before the offsets leaves this behind."""
    await log.publish(*(started() for _ in range(20)))
    with monkeypatch.context() as patched:

        async def dies_here(*_: object) -> None:
            return

        patched.setattr(Consuming, "_commit_offsets", dies_here)
        async with running(service(service_settings)):
            await eventually(lambda: _is(count(service_settings), 20))
    marker = started()
    await log.publish(marker)
    before = handled()
    async with running(service(service_settings)):
        await eventually(lambda: _is(count(service_settings), 21))
    assert handled() - before == 21


def handled() -> float:
    return float(metrics.HANDLED.labels("t.runs", "run.started.v1")._value.get())


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted


async def test_what_a_dead_process_left_in_its_outbox_is_published_by_its_successor(
    service_settings: ServiceSettings, log: Log
) -> None:
    """Killed between commit and relay; another process takes the rows over, once."""
    store = Store(service_settings, name="t", metadata=METADATA)
    await store.start()
    events = [started() for _ in range(5)]
    async with store.transaction() as transaction:
        transaction.publish(*events)
    relay = Relay(store, service_settings)
    await relay._sign_of_life()
    await store.stop()

    other = service_settings.model_dump() | {"instance": "under-test-2", "orphan_seconds": 0.3}
    async with running(service(ServiceSettings(**other))):
        found = await log.wait_for(RunStarted, count=5)
    assert {each.run_id for each in found} == {each.run_id for each in events}
    assert len(log.of(RunStarted)) == 5


async def test_poison_on_the_topic_goes_to_the_dead_letters_and_the_rest_is_handled(
    service_settings: ServiceSettings, log: Log
) -> None:
    await log.publish_raw("run.lifecycle", b"not json", [("ce_type", b"run.started.v1")])
    await log.publish_raw("run.lifecycle", b"\x00" * 1_000_000, [("a", b"\xff")])
    await log.publish(started())
    async with running(service(service_settings)):
        await eventually(lambda: _is(count(service_settings), 1))
        prefix = service_settings.topic_prefix
        letters = await eventually(
            lambda: [each for each in log.dead if each.topic == f"{prefix}dead-letters"][1:]
        )
    assert dict(letters[0].headers)["tm-service"] == b"t"


async def test_a_stop_finishes_the_batch_in_hand(
    service_settings: ServiceSettings, log: Log
) -> None:
    began = asyncio.Event()

    async def slowly(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
        began.set()
        await asyncio.sleep(1.0)
        await note(transaction, runs)

    await log.publish(started())
    before = handled()
    async with running(service(service_settings, handler=slowly)):
        await began.wait()
    assert await count(service_settings) == 1
    assert handled() - before == 1
    # Its offset was committed too: the next process finds nothing to do again.
    marker = started()
    await log.publish(marker)
    before = handled()
    async with running(service(service_settings)):
        await eventually(lambda: _is(count(service_settings), 2))
    assert handled() - before == 1


async def test_the_clients_keep_what_the_defaults_lose(
    service_settings: ServiceSettings, log: Log
) -> None:
    producer = make_producer(service_settings)
    await producer.start()
    assert producer._sender._acks == -1
    assert producer._txn_manager is not None, "not idempotent"
    await producer.stop()

    skips: frozenset[type[Event]] = frozenset({RunCompleted, RunFailed})
    subscription = Subscription("t.runs", ("run.lifecycle",), {RunStarted: note}, skips=skips)
    store = Store(service_settings, name="t", metadata=METADATA)
    await store.start()
    consuming = Consuming([subscription], store, service_settings, service="t")
    await consuming.start()
    consumer = consuming.subscribers["t.runs"].consumer
    assert consumer._auto_offset_reset == "earliest"
    assert consumer._enable_auto_commit is False
    assert consumer._group_id == service_settings.topic_prefix + "t.runs"
    assert consumer._group_instance_id == service_settings.instance
    await consuming.stop()
    await store.stop()

    admin = AIOKafkaAdminClient(bootstrap_servers=service_settings.kafka_url)
    await admin.start()
    prefix = service_settings.topic_prefix
    described = {each["topic"]: each for each in await admin.describe_topics()}
    for topic in TOPICS:
        assert len(described[prefix + topic.name]["partitions"]) == topic.partitions
    await admin.close()
    ends = await log._consumer.end_offsets([TopicPartition(prefix + "run.lifecycle", 0)])
    assert list(ends.values()) == [0]
