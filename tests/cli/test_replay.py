"""X-1: a stretch of the log goes to a service that listens to it, and to no other."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import BY_NAME
from textmanager.dlq_desk import Desk
from textmanager.errors import UserError
from textmanager.eventlog import log_reader
from textmanager.replay import Wanted, chosen_spans, place, replay

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_service_that_does_not_listen_is_refused_with_those_that_do() -> None:
    with pytest.raises(UserError, match=r"sender does not listen.*projections, notifier do"):
        Wanted("activity.written", "sender")
    with pytest.raises(UserError, match="There is no topic 'nonsense'"):
        Wanted("nonsense", "sender")
    with pytest.raises(UserError, match="nobody does"):
        Wanted("retry.sender", "sender")
    with pytest.raises(UserError, match="nobody does"):
        Wanted("dead-letters", "sender")
    with pytest.raises(UserError, match="is no subscription of status"):
        Wanted("message.queued", "status", subscription="sender.recipients")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("beginning", 0),
        ("12", 12),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T13:00:00+01:00", NOON),
    ],
)
def test_a_place_is_an_offset_or_a_time(text: str, read: object) -> None:
    assert place(text, option="--from") == read


@pytest.mark.parametrize("text", ["yesterday", "2026-01-31T12:00:00", "-1", ""])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--from takes an offset, a time"):
        place(text, option="--from")


@pytest.fixture
async def desk(kafka_url: str, topic_prefix: str) -> AsyncIterator[Desk]:
    """A topic of two partitions, each with one record an hour from noon on."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url)
    await admin.start()
    await producer.start()
    names = [topic_prefix + name for name in ("message.queued", "retry.status")]
    await admin.create_topics(
        [
            NewTopic(names[0], 2, 1),
            NewTopic(names[1], 1, 1, topic_configs=BY_NAME["retry.status"].config),
        ]
    )
    for partition in (0, 1):
        for number in range(5):
            await producer.send_and_wait(
                names[0],
                partition=partition,
                value=b"%d" % number,
                headers=[("ce_type", b"message.queued.v1" if partition else b"\x1bodd")],
                timestamp_ms=int((NOON + number * HOUR).timestamp() * 1000),
            )
    yield Desk(kafka_url, prefix=topic_prefix)
    await producer.stop()
    await admin.delete_topics(names)
    await admin.close()


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [
        ("beginning", "", (0, 5)),
        ("2", "", (2, 5)),
        ("2", "4", (2, 4)),
        ("0", "99", (0, 5)),
        ("2026-01-31T13:00:00Z", "", (1, 5)),
        ("2026-01-31T13:30:00Z", "2026-01-31T15:00:00Z", (2, 3)),
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", (0, 5)),
        ("2027-01-01T00:00:00Z", "", None),
        ("3", "2", None),
    ],
)
async def test_a_stretch_is_the_same_in_each_partition(
    desk: Desk, since: str, until: str, span: tuple[int, int] | None
) -> None:
    wanted = Wanted(
        "message.queued",
        "status",
        since=place(since, option="--from"),
        until=place(until, option="--to") if until else None,
    )
    topic = desk.prefix + wanted.topic
    async with log_reader(desk.kafka_url) as consumer:
        found = await chosen_spans(consumer, topic, wanted)
    expected = {} if span is None else {TopicPartition(topic, n): span for n in (0, 1)}
    assert found == expected


async def test_a_dry_run_counts_by_type_and_hands_nothing_over(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = Wanted("message.queued", "status", since=3)
    await replay(desk, wanted, dry_run=True, as_json=False)
    told = capsys.readouterr().out
    assert "2  message.queued.v1" in told
    assert "2  \\x1bodd" in told
    assert "4 records of message.queued would be handed to status." in told
    assert await handed_over(desk) == []

    await replay(desk, replace(wanted, subscription="status.x"), dry_run=False, as_json=False)
    handed = await handed_over(desk)
    assert sorted(each[0] for each in handed) == [b"3", b"3", b"4", b"4"]
    assert {each[1]["tm-subscription"] for each in handed} == {b"status.x"}
    assert {each[1]["tm-topic"] for each in handed} == {f"{desk.prefix}message.queued".encode()}
    assert {each[1]["ce_type"] for each in handed} == {b"message.queued.v1", b"\x1bodd"}


async def handed_over(desk: Desk) -> list[tuple[bytes, dict[str, bytes]]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=desk.kafka_url)
    await consumer.start()
    try:
        tp = TopicPartition(f"{desk.prefix}retry.status", 0)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        consumer.seek(tp, 0)
        found: list[tuple[bytes, dict[str, bytes]]] = []
        while len(found) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(each.value, dict(each.headers)) for each in records]
        return found
    finally:
        await consumer.stop()
