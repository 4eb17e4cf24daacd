"""X-1: one bad record among many goes alone; an outage is waited out and never dead-lettered."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Column, MetaData, Table, Uuid, select
from tests.databases import database_in

from chassis import batches
from chassis.batches import BatchHandling, GiveBack, Outage
from chassis.consuming import give_back
from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope, encode, seal
from contracts.events import BY_TYPE
from contracts.events.run import RunCompleted, RunFailed, RunStarted

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("run_id", Uuid, primary_key=True))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=database_in(tmp_path),
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
    )
    store = Store(settings, name="under_test", metadata=METADATA)
    await store.start()
    yield store
    await store.stop()


def started() -> RunStarted:
    return RunStarted(
        organization_id=uuid4(),
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=uuid4(),
    )


def record(
    value: bytes | None, headers: Sequence[tuple[str, bytes]], *, offset: int = 0
) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(
        topic="run.lifecycle",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=b"k",
        value=value,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )


def good(event: RunStarted, *, offset: int = 0) -> "ConsumerRecord[bytes, bytes]":
    _, value, headers = encode(seal(event))
    return record(value, headers, offset=offset)


def handling(store: Store, handler: Any, *, skips: frozenset[Any] = frozenset()) -> BatchHandling:
    subscription = Subscription("t.runs", ("run.lifecycle",), {RunStarted: handler}, skips=skips)
    return BatchHandling(subscription, store, service="t", prefix="")


async def note(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
    await transaction.insert_new(SEEN, [{"run_id": each.event.run_id} for each in runs])


async def seen(store: Store) -> set[UUID]:
    async with store.read() as connection:
        return set((await connection.scalars(select(SEEN.c.run_id))).all())


async def dead(store: Store) -> list[dict[str, str]]:
    async with store.read() as connection:
        rows = (await connection.execute(select(OUTBOX).order_by(OUTBOX.c.position))).all()
    assert all(row.topic == "dead-letters" for row in rows)
    return [
        {name: text.decode("utf-8", "replace") for name, text in headers_of(row.headers)}
        for row in rows
    ]


async def test_one_poison_record_among_500_goes_alone(store: Store) -> None:
    events = [started() for _ in range(500)]
    poison = events[317].run_id

    async def fails_on_one(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
        await note(transaction, runs)
        if any(each.event.run_id == poison for each in runs):
            raise ValueError("a bug, for this one alone")

    batch = [good(each, offset=n) for n, each in enumerate(events)]
    await handling(store, fails_on_one).handle(batch)
    assert await seen(store) == {each.run_id for each in events} - {poison}
    [letter] = await dead(store)
    assert letter["tm-reason"] == "handler_failed"
    assert letter["tm-detail"] == "ValueError"
    assert (letter["tm-service"], letter["tm-subscription"]) == ("t", "t.runs")
    assert (letter["tm-topic"], letter["tm-offset"]) == ("run.lifecycle", "317")
    assert "a bug" not in json.dumps(letter)


async def test_what_is_no_event_stops_nothing_and_does_not_disappear(store: Store) -> None:
    event = started()
    _, value, headers = encode(seal(event))
    failed = RunFailed(**event.model_dump(exclude={"type"}), reason="x")
    impossible = json.dumps(json.loads(value) | {"sequence": -1}).encode()
    batch = [
        record(b"not json", headers),
        record(None, headers),
        record(value, [*headers[:2], ("ce_type", b"run.started.v99")]),
        record(value, [(name, b"\xff\xfe") for name, _ in headers]),
        record(value, []),
        record(impossible, headers),
        record(b"x" * 1_000_000, headers),
        good(event),
        record(encode(seal(failed))[1], encode(seal(failed))[2]),
    ]
    await handling(store, note).handle(batch)
    assert await seen(store) == {event.run_id}
    assert [letter["tm-reason"] for letter in await dead(store)] == [
        "wrong_schema",
        "wrong_schema",
        "unknown_type",
        "unknown_type",
        "unknown_type",
        "wrong_schema",
        "wrong_schema",
        "not_expected_here",
    ]


async def test_a_type_that_is_skipped_on_purpose_is_no_dead_letter(store: Store) -> None:
    completed = RunCompleted(
        **started().model_dump(exclude={"type"}), rows=1, messages=1, rejected=0, excluded=0
    )
    _, value, headers = encode(seal(completed))
    await handling(store, note, skips=frozenset({RunCompleted})).handle([record(value, headers)])
    assert await dead(store) == []


@pytest.mark.parametrize("outage", [Outage("away"), OSError("away")])
async def test_an_outage_is_waited_out(store: Store, outage: Exception) -> None:
    tries = 0

    async def away_at_first(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise outage
        await note(transaction, runs)

    event = started()
    await handling(store, away_at_first).handle([good(event)])
    assert await seen(store) == {event.run_id}
    assert await dead(store) == []


async def test_a_long_outage_gives_the_batch_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "GIVE_BACK_SECONDS", 0.0)

    async def away(_transaction: Transaction, _runs: list[Envelope[RunStarted]]) -> None:
        raise Outage("away")

    with pytest.raises(GiveBack):
        await handling(store, away).handle([good(started())])
    assert await seen(store) == set()
    assert await dead(store) == []


async def test_state_and_outbox_change_together_or_not_at_all(store: Store) -> None:
    event = started()
    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as transaction:
            await transaction.insert_new(SEEN, [{"run_id": event.run_id}])
            transaction.publish(event)
            raise ZeroDivisionError
    assert await seen(store) == set()
    assert await dead(store) == []


async def test_a_batch_that_comes_again_changes_nothing(store: Store) -> None:
    batch = [good(started(), offset=n) for n in range(3)]
    handler = handling(store, note)
    await handler.handle(batch)
    await handler.handle(batch)
    assert len(await seen(store)) == 3


class PartlyTakenAway:
    """A consumer whose partition 1 was given to another member."""

    def __init__(self) -> None:
        self.sought: dict[int, int] = {}

    def seek(self, place: TopicPartition, offset: int) -> None:
        if place.partition == 1:
            raise IllegalStateError
        self.sought[place.partition] = offset


def test_a_batch_that_is_given_back_is_rewound_in_each_partition_that_is_still_ours() -> None:
    batch = [
        replace(record(b"", []), partition=partition, offset=offset)
        for partition, offset in ((1, 3), (1, 4), (0, 9), (0, 8), (2, 5))
    ]
    consumer = PartlyTakenAway()
    give_back(consumer, batch)
    assert consumer.sought == {0: 8, 2: 5}


async def test_a_header_without_a_value_stops_nothing_and_is_named_in_the_letter(
    store: Store,
) -> None:
    event = started()
    nothing: Any = [("ce_type", None), ("other", b"")]
    await handling(store, note).handle([record(b"{}", nothing), good(event)])
    assert await seen(store) == {event.run_id}
    [letter] = await dead(store)
    assert (letter["tm-reason"], letter["tm-null-headers"]) == ("unknown_type", "ce_type")


async def test_what_no_decoder_expected_goes_alone_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = started()

    class Surprising(RunStarted):
        @classmethod
        def model_validate_json(cls, *_: object, **__: object) -> Any:
            raise RecursionError

    monkeypatch.setitem(BY_TYPE, "run.surprising.v1", Surprising)
    _, value, headers = encode(seal(event))
    strange = [(n, b"run.surprising.v1" if n == "ce_type" else v) for n, v in headers]
    await handling(store, note).handle([record(value, strange), good(event)])
    assert await seen(store) == {event.run_id}
    [letter] = await dead(store)
    assert (letter["tm-reason"], letter["tm-detail"]) == ("undecodable", "RecursionError")
