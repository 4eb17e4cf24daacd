"""X-1: poison on any topic of any service stops nothing, loses nothing, and can be replayed."""

import importlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from tests.harness import eventually, running

from chassis import metrics
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope, encode, seal
from contracts.events import ALL_EVENTS, type_string
from contracts.events.base import Event
from contracts.generate import ROOT
from contracts.ids import event_id
from contracts.topics import BY_NAME, DEAD_LETTERS, SERVICES

Headers = list[tuple[str, bytes | None]]


def sample(kind: type[Event]) -> Event:
    """The golden sample of a type."""
    record = json.loads((ROOT / f"contracts/samples/{type_string(kind)}.json").read_text())
    return kind.model_validate(record["value"])


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that can't be handled, and what the service must say of it."""

    reason: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def changed(headers: Sequence[tuple[str, bytes]], **to: bytes | None) -> Headers:
    return [(name, to.get(name, value)) for name, value in headers]


def poisons(topic: str, listeners: Sequence[Subscription]) -> Iterator[Poison]:
    """One of each kind; each begins as a good event of the topic."""
    carried = [event for event in ALL_EVENTS if event.topic == topic]
    key, value, headers = encode(seal(sample(carried[0])))
    known = type_string(carried[0])
    expected = {topic for each in listeners for topic in each.topics}
    stranger = next(each for each in ALL_EVENTS if each.topic not in expected)
    strange_key, strange_value, strange_headers = encode(seal(sample(stranger)))

    yield Poison("wrong_schema", key, b"not json", list(headers))
    yield Poison("wrong_schema", key, b"[" * 100_000, list(headers))
    yield Poison("wrong_schema", key, b'{"type": "%s"}' % known.encode(), list(headers))
    yield Poison("wrong_schema", key, b"\x00" * 1_000_000, list(headers))
    yield Poison("wrong_schema", key, None, list(headers))
    if BY_NAME[topic].config["cleanup.policy"] != "compact":
        # A compacted topic takes no record without a key: the broker refuses it.
        yield Poison("wrong_schema", None, b"not json", list(headers))
    yield Poison("unknown_type", key, value, changed(headers, ce_type=b"nobody.knows.v1"))
    next_version = known.removesuffix(".v1") + ".v2"
    yield Poison("unknown_type", key, value, changed(headers, ce_type=next_version.encode()))
    yield Poison("unknown_type", key, value, [])
    yield Poison("unknown_type", key, value, [(name, b"\xff\xfe") for name, _ in headers])
    yield Poison("unknown_type", key, value, [(name, None) for name, _ in headers])
    yield Poison("unknown_type", key, value, [("tm-reason", b"forged"), ("x", b"y" * 9000)])
    yield Poison("bad_headers", key, value, changed(headers, ce_id=b"not an id"))
    yield Poison("bad_headers", key, value, changed(headers, ce_id=None))
    yield Poison("not_expected_here", strange_key, strange_value, list(strange_headers))


def failing_on(impossible: Collection[bytes], handler: BatchHandler) -> BatchHandler:
    """A handler that can't handle some events, and does its work before it finds out."""

    async def handle(transaction: Transaction, envelopes: list[Envelope[Any]]) -> None:
        await handler(transaction, envelopes)
        if any(str(each.id).encode() in impossible for each in envelopes):
            raise ZeroDivisionError

    return handle


def as_put_together(
    name: str, settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """A service with its real subscriptions and store, without what reaches the outside."""
    environment = {
        "KAFKA_URL": settings.kafka_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "PUBLIC_URL": "http://127.0.0.1:1",
        "TOPIC_PREFIX": settings.topic_prefix,
        "INSTANCE": settings.instance,
    }
    for variable, value in environment.items():
        monkeypatch.setenv(f"TEXTMANAGER_{variable}", value)
    made: Service = importlib.import_module(f"{name.replace('-', '_')}.app").make()
    return made


def handled_by(subscription: str) -> dict[str, float]:
    counted = {}
    for family in metrics.HANDLED.collect():
        for each in family.samples:
            if each.labels.get("subscription") == subscription and each.name.endswith("_total"):
                counted[each.labels["type"]] = each.value
    return counted


class Poisoned:
    """The broker as whoever writes poison sees it, and the letters that come of it."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_url, acks="all")
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_url, auto_offset_reset="earliest"
        )
        self.letters: list[Any] = []

    async def start(self) -> None:
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign([TopicPartition(self._settings.topic(DEAD_LETTERS), 0)])

    async def stop(self) -> None:
        await self._producer.stop()
        await self._consumer.stop()

    async def put(self, topic: str, record: Poison) -> str:
        """Put a record on the first partition, in the way of those that follow; say its offset."""
        stored = await self._producer.send_and_wait(
            self._settings.topic(topic),
            key=record.key,
            value=record.value,
            headers=record.headers,
            partition=0,
        )
        return str(stored.offset)

    async def has_letters(self, count: int) -> bool:
        for found in (await self._consumer.getmany(timeout_ms=100)).values():
            self.letters += found
        return len(self.letters) >= count


@pytest.fixture
async def broker(service_settings: ServiceSettings) -> AsyncIterator[Poisoned]:
    poisoned = Poisoned(service_settings)
    await poisoned.start()
    yield poisoned
    await poisoned.stop()


@dataclass(frozen=True, slots=True)
class Served:
    """What was put on a service's topics, and what must come of it."""

    letters: dict[tuple[str, str, str], Poison]
    """By the subscription, the topic and the offset."""
    good: dict[str, Counter[str]]
    """How many events of each type each subscription must handle."""
    impossible: set[bytes]
    """The ids of the events that make their handlers fail."""


async def serve_poison(
    subscriptions: Sequence[Subscription], settings: ServiceSettings, broker: Poisoned
) -> Served:
    """Put each kind of poison on each topic, and behind it one good event of each type."""
    served = Served({}, {each.name: Counter() for each in subscriptions}, set())
    for topic in sorted({topic for each in subscriptions for topic in each.topics}):
        listeners = [each for each in subscriptions if topic in each.topics]
        carried = [event for event in ALL_EVENTS if event.topic == topic]
        for each in poisons(topic, listeners):
            offset = await broker.put(topic, each)
            for listener in listeners:
                served.letters[listener.name, settings.topic(topic), offset] = each
        for kind in _failing(carried, listeners):
            # An id of its own, where the contract derives one too: the good event has that.
            fails = Envelope(sample(kind), event_id())
            key, value, headers = encode(fails)
            served.impossible.add(str(fails.id).encode())
            poison = Poison("handler_failed", key, value, [*headers])
            offset = await broker.put(topic, poison)
            for listener in listeners:
                if kind in listener.handlers:
                    served.letters[listener.name, settings.topic(topic), offset] = poison
        for kind in carried:
            key, value, headers = encode(seal(sample(kind)))
            await broker.put(topic, Poison("", key, value, [*headers]))
            for listener in listeners:
                served.good[listener.name][type_string(kind)] += kind in listener.handlers
    return served


def _failing(
    carried: Sequence[type[Event]], listeners: Sequence[Subscription]
) -> list[type[Event]]:
    """Return types of which each listener handles one: a single one where all handle it."""
    for kind in carried:
        if all(kind in each.handlers for each in listeners):
            return [kind]
    firsts = (next(kind for kind in carried if kind in each.handlers) for each in listeners)
    return list(dict.fromkeys(firsts))


def rigged(subscription: Subscription, impossible: Collection[bytes]) -> Subscription:
    """The subscription with its own handlers, which can't handle one event of each topic."""
    handlers: dict[type[Event], BatchHandler] = {
        kind: failing_on(impossible, handler) for kind, handler in subscription.handlers.items()
    }
    together = subscription.together and failing_on(impossible, subscription.together)
    return replace(subscription, handlers=handlers, together=together)


@pytest.mark.parametrize("name", SERVICES)
async def test_poison_on_each_topic_of_a_service_stops_nothing_and_is_kept_as_it_was(
    name: str,
    service_settings: ServiceSettings,
    broker: Poisoned,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = as_put_together(name, service_settings, monkeypatch)
    served = await serve_poison(made._subscriptions, service_settings, broker)
    before = {each: handled_by(each) for each in served.good}
    subscriptions = [rigged(each, served.impossible) for each in made._subscriptions]

    def all_good_are_handled() -> bool:
        return all(
            handled_by(group).get(kind, 0) - before[group].get(kind, 0) >= count
            for group, counts in served.good.items()
            for kind, count in counts.items()
        )

    async with running(Service(name, service_settings, made._store, subscriptions=subscriptions)):
        await eventually(all_good_are_handled, seconds=25)
        await eventually(lambda: broker.has_letters(len(served.letters)), seconds=60)

    told = {said(each, "tm-subscription", "tm-topic", "tm-offset"): each for each in broker.letters}
    assert len(told) == len(broker.letters), "a letter is there twice"
    assert told.keys() == served.letters.keys()
    for place, poison in served.letters.items():
        letter = told[place]
        assert said(letter, "tm-service", "tm-reason") == (name, poison.reason)
        assert said(letter, "tm-partition", "tm-attempt") == ("0", "1")
        assert (letter.key, letter.value) == (poison.key, poison.value)
        own = [(each, value) for each, value in letter.headers if not each.startswith("tm-")]
        assert own == [(n, v or b"") for n, v in poison.headers if not n.startswith("tm-")]


def said(letter: Any, *names: str) -> tuple[str, ...]:
    headers = dict(letter.headers)
    return tuple(headers[name].decode() for name in names)
