"""X-1: a dead letter goes back to the service that failed, by its retry topic, and to it alone."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import Column, MetaData, Table, Uuid, select
from tests.harness import Log, eventually, running
from tests.status import facts

from chassis.letters import Origin
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope, encode, seal
from contracts.events import BY_TYPE
from contracts.events.base import Event
from contracts.events.message import MessageStatus, MessageStatusChanged
from contracts.events.run import RunCompleted, RunEvent, RunFailed, RunStarted
from contracts.topics import DEAD_LETTERS
from status.app import make as make_status
from textmanager import dlq
from textmanager.dlq_desk import Desk
from textmanager.dlq_letters import Filter, Letter
from textmanager.replay import Wanted, replay

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("run_id", Uuid, primary_key=True), Column("event_id", Uuid))
OTHERS = frozenset(
    event for event in BY_TYPE.values() if event.topic == "run.lifecycle" and event != RunStarted
)


class RunStartedAnew(RunEvent):
    """A version that this house does not know yet."""

    type: Literal["run.started.v2"] = "run.started.v2"


def started() -> RunStarted:
    return RunStarted(
        organization_id=uuid4(),
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=uuid4(),
    )


async def note(transaction: Transaction, runs: Sequence[Envelope[RunEvent]]) -> None:
    """Note each run once, and tell of those that are new; a fold that changes nothing is silent."""
    ids = [each.event.run_id for each in runs]
    known = set(await transaction.connection.scalars(select(SEEN.c.run_id)))
    fresh = [each for each in runs if each.event.run_id not in known]
    await transaction.insert_new(
        SEEN, [{"run_id": each.event.run_id, "event_id": each.id} for each in fresh]
    )
    assert len(ids) == len(runs)
    for each in fresh:
        event = each.event.model_dump(exclude={"type"})
        transaction.publish(RunFailed(**event, reason="noted"), because=each.id)


async def fail(_transaction: Transaction, _runs: Sequence[Envelope[RunEvent]]) -> None:
    raise ZeroDivisionError


def service(
    settings: ServiceSettings,
    handler: BatchHandler = note,
    *more: type[Event],
    name: str = "gateway.runs",
) -> Service:
    # It bears the gateway's name, as retry topics are there for our services alone.
    kinds: tuple[type[Event], ...] = (RunStarted, *more)
    handlers = dict.fromkeys(kinds, handler)
    subscription = Subscription(name, ("run.lifecycle",), handlers, skips=OTHERS)
    store = Store(settings, name="gateway", metadata=METADATA)
    return Service("gateway", settings, store, subscriptions=[subscription])


@pytest.fixture
def desk(service_settings: ServiceSettings) -> Desk:
    return Desk(service_settings.kafka_url, prefix=service_settings.topic_prefix)


async def letters(desk: Desk, count: int) -> list[Letter]:
    async def there() -> list[Letter]:
        found = await desk.letters()
        return found if len(found) >= count else []

    found: list[Letter] = await eventually(there)
    return found


def noted(log: Log, cause: object) -> int:
    """How many events the service has made of one."""
    return len({each.id for each in log.of(RunFailed) if each.causation_id == cause})


async def test_an_unknown_version_is_kept_and_handled_after_the_upgrade_under_its_own_id(
    service_settings: ServiceSettings, log: Log, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = seal(RunStartedAnew(**started().model_dump(exclude={"type"})))
    await log.publish_sealed(coming)
    [good] = await log.publish(started())
    async with running(service(service_settings)):
        await eventually(lambda: noted(log, good.id))
        [letter] = await letters(desk, 1)
    assert (letter.reason, letter.type, letter.state) == ("unknown_type", "run.started.v2", "open")

    monkeypatch.setitem(BY_TYPE, "run.started.v2", RunStartedAnew)
    async with running(service(service_settings, note, RunStartedAnew)):
        await dlq.replay(desk, [letter.number], None)
        await eventually(lambda: noted(log, coming.id))
    [letter] = await desk.letters()
    assert letter.state == "replayed"
    assert noted(log, coming.id) == noted(log, good.id) == 1


async def test_what_fails_again_is_a_new_letter_that_names_the_old_and_a_repeat_changes_nothing(
    service_settings: ServiceSettings,
    log: Log,
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [event] = await log.publish(started())
    async with running(service(service_settings, fail)):
        [first] = await letters(desk, 1)
        await dlq.replay(desk, (), Filter(service="gateway", reason="handler_failed"))
        _, second = await letters(desk, 2)
    assert (second.again_of, second.attempt, second.state) == (first.number, 2, "open")
    assert (second.topic, second.offset) == (first.topic, first.offset)

    async with running(service(service_settings)):
        await dlq.replay(desk, [second.number], None)
        await eventually(lambda: noted(log, event.id))
        await dlq.replay(desk, [second.number, first.number], None)
        assert "does no harm" in capsys.readouterr().out
        # What comes behind them shows that both were handled again.
        [last] = await log.publish(started())
        await hand_over(desk, service_settings, log, last, "gateway.runs")
        await eventually(lambda: noted(log, last.id))
    assert noted(log, event.id) == 1
    assert len(await desk.letters()) == 2
    await dlq.show_list(desk, Filter(), handled_too=False, as_json=False, limit=10)
    assert "There are no open dead letters." in capsys.readouterr().out


async def hand_over(
    desk: Desk,
    settings: ServiceSettings,
    log: Log,
    envelope: Envelope[Event],
    subscription: str,
) -> None:
    """Put an event on the gateway's retry topic, as the tools do."""
    key, value, headers = encode(envelope)
    origin = Origin(settings.topic(envelope.event.topic), 0, 0, subscription=subscription)
    await log._producer.send_and_wait(
        desk.prefix + "retry.gateway", key=key, value=value, headers=headers + origin.as_headers()
    )


async def test_a_subscription_that_is_not_there_gets_a_letter_and_poison_stops_no_retry(
    service_settings: ServiceSettings, log: Log, desk: Desk
) -> None:
    lost = seal(started())
    await hand_over(desk, service_settings, log, lost, "gateway.gone")
    elsewhere = [("tm-subscription", b"gateway.runs"), ("tm-partition", b"\xff")]
    await log.publish_raw("retry.gateway", b"\xff not json", [("tm-topic", b"?"), *elsewhere])
    await log._producer.send_and_wait(desk.prefix + "retry.gateway", key=b"k", value=None)
    good = seal(started())
    await hand_over(desk, service_settings, log, good, "gateway.runs")
    async with running(service(service_settings)):
        await eventually(lambda: noted(log, good.id))
        found = await letters(desk, 3)
    assert sorted((each.reason, each.subscription) for each in found) == [
        ("no_such_subscription", "gateway.gone"),
        ("no_such_subscription", "gateway.retry"),
        ("unknown_type", "gateway.runs"),
    ]
    # Once the subscription exists, the letter finds its way.
    async with running(service(service_settings, name="gateway.gone")):
        await dlq.replay(desk, (), Filter(reason="no_such_subscription", topic="run.lifecycle"))
        await eventually(lambda: noted(log, lost.id))


async def test_a_dropped_letter_stays_with_its_reason_and_a_shown_one_hides_the_person(
    service_settings: ServiceSettings,
    log: Log,
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = facts.queued(1).model_copy(update={"text": "a secret between us"})
    key, value, headers = encode(seal(text))
    strange = [*headers, ("note", b"call +12025550199")]
    stored = await log._producer.send_and_wait(
        desk.prefix + "run.lifecycle", key=key, value=value, headers=strange
    )
    async with running(service(service_settings)):
        [letter] = await letters(desk, 1)
    assert (letter.reason, letter.offset) == ("not_expected_here", stored.offset)
    await dlq.drop(desk, [letter.number], "a test of ours")
    capsys.readouterr()
    await dlq.show_list(desk, Filter(), handled_too=True, as_json=True, limit=10)
    [told] = json.loads(capsys.readouterr().out)["letters"]
    assert told["state"] == "dropped"
    assert told["decision"]["why"] == "a test of ours"
    assert told["decision"]["by"]

    await dlq.show_one(desk, letter.number, raw=False, as_json=False)
    shown = capsys.readouterr().out
    assert "message.queued.v1" in shown
    assert "secret" not in shown
    assert "+12025550199" not in shown
    await dlq.show_one(desk, letter.number, raw=True, as_json=False)
    shown = capsys.readouterr().out
    assert "a secret between us" in shown
    assert "+12025550199" in shown


async def test_a_replay_of_everything_changes_nothing_that_is_right_already(
    service_settings: ServiceSettings,
    log: Log,
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = range(1, 31)
    async with running(make_status(service_settings)):
        await log.publish(facts.page([*texts], facts.totals(30)))
        for row in texts:
            await log.publish(facts.queued(row), facts.submitted(row), facts.callback(row, "sent"))
        await log.wait_for(MessageStatusChanged, where=is_sent, count=30)
        await log.wait_for(RunCompleted)
        told = settled(log, 0)

        for topic in ("message.queued", "message.submitted", "twilio.callbacks"):
            wanted = Wanted(topic, "status")
            capsys.readouterr()
            await replay(desk, wanted, dry_run=True, as_json=True)
            counted = json.loads(capsys.readouterr().out)
            assert (counted["records"], counted["handed_over"]) == (30, False)
            await replay(desk, wanted, dry_run=False, as_json=True)
        await replay(desk, Wanted("recipients.resolved", "status"), dry_run=False, as_json=True)
        # What is new, by the same way, shows that all before it was handled.
        await log.publish(facts.queued(31))
        await replay(desk, Wanted("message.queued", "status"), dry_run=False, as_json=False)
        await eventually(lambda: settled(log, told + 1))
        ends = await end_of(log, desk.prefix + "retry.status")
        assert ends == 30 * 3 + 1 + 31
        await eventually(lambda: read_up_to(service_settings, ends))
    assert settled(log, 0) == told + 1
    assert [each for each in log.dead if each.topic.endswith(DEAD_LETTERS)] == []


def is_sent(change: MessageStatusChanged) -> bool:
    return change.status is MessageStatus.SENT


def settled(log: Log, count: int) -> int:
    """How many different events the status service has made, once there are that many."""
    made = {each.id for each in log.envelopes if each.event.source == "status"}
    return len(made) if len(made) >= count else 0


async def end_of(log: Log, topic: str) -> int:
    place = TopicPartition(topic, 0)
    return int((await log._consumer.end_offsets([place]))[place])


async def read_up_to(settings: ServiceSettings, end: int) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_url)
    await admin.start()
    try:
        group = f"{settings.topic_prefix}status.retry"
        committed = await admin.list_consumer_group_offsets(group)
        return bool(committed) and all(at.offset >= end for at in committed.values())
    finally:
        await admin.close()
