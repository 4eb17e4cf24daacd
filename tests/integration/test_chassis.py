"""X-1 on the real broker: what is committed is published, whoever dies in between."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from sqlalchemy import Column, MetaData, Table, Uuid, func, select
from tests.harness import Log, eventually, running
from tests.integration import rigged

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
from contracts.generate import ROOT
from contracts.topics import TOPICS
from textmanager.dlq_desk import Desk

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
    # A dead letter holds a record of a megabyte and what is said of it.
    assert producer._max_request_size == 2 * 1024 * 1024
    await producer.stop()

    desk = Desk(service_settings.kafka_url, prefix=service_settings.topic_prefix)
    async with desk.dispatch() as dispatch:
        assert dispatch._producer._sender._acks == -1
        assert dispatch._producer._txn_manager is not None, "not idempotent"
        assert dispatch._producer._max_request_size == 2 * 1024 * 1024

    skips: frozenset[type[Event]] = frozenset({RunCompleted, RunFailed})
    subscription = Subscription("gateway.runs", ("run.lifecycle",), {RunStarted: note}, skips=skips)
    store = Store(service_settings, name="t", metadata=METADATA)
    await store.start()
    consuming = Consuming([subscription], store, service_settings, service="gateway")
    await consuming.start()
    assert consuming.subscribers.keys() == {"gateway.runs", "gateway.retry"}
    for group, subscriber in consuming.subscribers.items():
        consumer = subscriber.consumer
        assert consumer._auto_offset_reset == "earliest"
        assert consumer._enable_auto_commit is False
        assert consumer._group_id == service_settings.topic_prefix + group
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
    stored = await configs(service_settings, [prefix + topic.name for topic in TOPICS])
    for topic in TOPICS:
        assert topic.config.items() <= stored[prefix + topic.name].items(), topic.name
    for name in ("dead-letters", "retry.gateway"):
        assert stored[prefix + name]["max.message.bytes"] == str(2 * 1024 * 1024)
        assert stored[prefix + name]["retention.ms"] == "-1"
    ends = await log._consumer.end_offsets([TopicPartition(prefix + "run.lifecycle", 0)])
    assert list(ends.values()) == [0]


async def configs(settings: ServiceSettings, topics: list[str]) -> dict[str, dict[str, str]]:
    """Each topic's settings, as the broker has them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_url)
    await admin.start()
    try:
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
        )
    finally:
        await admin.close()
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


async def test_the_broker_remembers_for_a_year_how_far_a_group_has_read(
    service_settings: ServiceSettings,
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=service_settings.kafka_url)
    await admin.start()
    try:
        [node] = {each["node_id"] for each in (await admin.describe_cluster())["brokers"]}
        [answer] = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.BROKER, str(node))]
        )
    finally:
        await admin.close()
    [resource] = answer.resources
    stored = {entry[0]: entry[1] for entry in resource[4]}
    assert int(stored["offsets.retention.minutes"]) >= 365 * 24 * 60


@contextmanager
def rigged_process(
    settings: ServiceSettings, point: str, folder: Path, **more: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A real process of the rigged service, which comes to its end at a named point."""
    told = settings.model_dump() | more
    told["secret_key"] = settings.secret_key.get_secret_value()
    environment = {f"TEXTMANAGER_{name.upper()}": str(value) for name, value in told.items()}
    with (folder / f"{point}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.rigged", point],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        for number in (signal.SIGCONT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                process.send_signal(number)
        process.wait()


def answers(log: Log, *, to: Iterable[UUID]) -> tuple[int, int]:
    """How many of the events were answered, and how many different answers there are."""
    causes = set(to)
    found = {each.id: each.causation_id for each in log.of(RunFailed)}
    own = [cause for cause in found.values() if cause in causes]
    return len(set(own)), len(own)


@pytest.mark.parametrize(
    "point", ["dies_between_commit_and_relay", "dies_between_commit_and_offsets"]
)
async def test_a_process_killed_after_its_commit_leaves_nothing_undone_and_nothing_doubled(
    point: str, service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    events = [each.id for each in await log.publish(*(rigged.started() for _ in range(40)))]
    with rigged_process(service_settings, point, tmp_path) as process:
        assert await eventually(process.poll, seconds=60) == -signal.SIGKILL
    before = answered_again()
    # It takes the dead one's place, under its name.
    async with running(rigged.make(service_settings)):
        await eventually(lambda: answers(log, to=events)[0] == 40)
        # What comes last in each partition is answered once all before it came again.
        markers = [each.id for each in await log.publish(*(rigged.started() for _ in range(40)))]
        await eventually(lambda: answers(log, to=markers)[0] == 40)
    assert answers(log, to=events) == (40, 40)
    assert answered_again() - before > 40, "nothing came again: the kill was in the wrong place"


def answered_again() -> float:
    return float(metrics.HANDLED.labels(rigged.GROUP, "run.started.v1")._value.get())


@pytest.mark.parametrize(
    ("point", "orphan_seconds"),
    [
        # Nobody takes its outbox over: it publishes late, and is the only one.
        ("stops_after_commit", 600.0),
        # Its outbox was taken over and published; it publishes the same rows late.
        ("stops_before_publishing", 1.0),
    ],
)
async def test_a_member_paused_past_its_session_publishes_late_and_the_outcome_is_one(
    point: str, orphan_seconds: float, service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    events = [each.id for each in await log.publish(*(rigged.started() for _ in range(40)))]
    settings = service_settings.model_copy(
        update={"instance": "under-test-2", "orphan_seconds": orphan_seconds}
    )
    with rigged_process(
        service_settings, point, tmp_path, orphan_seconds=orphan_seconds
    ) as process:
        paused = psutil.Process(process.pid)
        await eventually(lambda: paused.status() == psutil.STATUS_STOPPED, seconds=60)
        before = answered_again()
        async with running(rigged.make(settings)):
            # The group has given its partitions away, and the other has read on in each.
            markers = [
                each.id for each in await log.publish(*(rigged.started() for _ in range(40)))
            ]
            await eventually(lambda: answers(log, to=markers)[0] == 40, seconds=60)
            if point == "stops_after_commit":
                assert answered_again() - before > 40, "the batch was not handled by both"
            published = len(log.of(RunFailed))
            process.send_signal(signal.SIGCONT)
            await eventually(lambda: answers(log, to=events)[0] == 40)
            await eventually(lambda: len(log.of(RunFailed)) > published, seconds=60)
            process.terminate()
            assert await eventually(lambda: process.poll() is not None, seconds=60)
    assert answers(log, to=events) == (40, 40)
    assert answers(log, to=markers) == (40, 40)


async def test_one_poison_row_among_500_stops_none_of_the_others(
    service_settings: ServiceSettings, log: Log
) -> None:
    events = [rigged.started() for _ in range(499)]
    await log.publish(*events[:317])
    await log.publish_raw("run.lifecycle", b"{", [("ce_type", b"run.started.v1")])
    await log.publish(*events[317:])
    async with running(rigged.make(service_settings)):
        failed = await log.wait_for(RunFailed, count=499)
        await eventually(lambda: letters_in(log, service_settings))
    assert {each.run_id for each in failed} == {each.run_id for each in events}
    [letter] = letters_in(log, service_settings)
    assert dict(letter.headers)["tm-reason"] == b"bad_headers"
    assert letter.value == b"{"


def letters_in(log: Log, settings: ServiceSettings) -> list[Any]:
    return [each for each in log.dead if each.topic == settings.topic("dead-letters")]


async def test_a_first_start_handles_what_was_published_before_it(
    service_settings: ServiceSettings, log: Log
) -> None:
    events = [each.id for each in await log.publish(*(rigged.started() for _ in range(30)))]
    async with running(rigged.make(service_settings)):
        await eventually(lambda: answers(log, to=events) == (30, 30))
