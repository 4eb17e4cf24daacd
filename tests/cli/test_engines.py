"""The real engines keep what they acknowledged, however they end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from contracts.topics import Topic
from textmanager.engines.kafka import Kafka
from textmanager.engines.topics import create_topics
from textmanager.engines.valkey import Valkey
from textmanager.errors import UserError

pytestmark = [pytest.mark.engines]


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    engine = Kafka(tmp_path)
    try:
        engine.start()
        engine.wait_ready()
        yield engine
    finally:
        engine.kill()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    engine = Valkey(tmp_path)
    try:
        engine.start()
        engine.wait_ready()
        yield engine
    finally:
        engine.kill()


async def test_kafka_survives_sigkill_on_its_port_with_its_data(
    kafka: Kafka, tmp_path: Path
) -> None:
    await create_topics(kafka.url, [Topic("facts", "test", (), "id", 1)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.url, acks="all") as producer:
        for number in range(100):
            await producer.send("facts", str(number).encode(), partition=0)
        await producer.flush()
    first_pid, address = kafka.pid, kafka.url

    kafka.kill()
    assert kafka.pid is None
    again = Kafka(tmp_path)
    try:
        again.start()
        again.wait_ready()
        assert (again.url, again.controller_port) == (address, kafka.controller_port)
        assert again.pid != first_pid
        async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
            partition = TopicPartition("facts", 0)
            assert (await consumer.end_offsets([partition]))[partition] == 100
    finally:
        again.stop()


async def test_the_log_goes_to_a_file(kafka: Kafka) -> None:
    assert "Starting controller" in kafka.log.read_text()


async def test_topics_are_made_once_with_their_partitions_and_settings(
    kafka_url: str, topic_prefix: str
) -> None:
    topics = [Topic("a", "test", (), "id", 3, {"retention.ms": "-1"}), Topic("b", "t", (), "id")]
    assert await create_topics(kafka_url, topics[:1], prefix=topic_prefix) == [f"{topic_prefix}a"]
    assert await create_topics(kafka_url, topics, prefix=topic_prefix) == [f"{topic_prefix}b"]
    assert await create_topics(kafka_url, topics, prefix=topic_prefix) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        described = await admin.describe_topics([f"{topic_prefix}a"])
    finally:
        await admin.close()
    assert len(described[0]["partitions"]) == 3


async def test_a_topic_that_kafka_refuses_is_told_of(kafka_url: str, topic_prefix: str) -> None:
    wrong = Topic("wrong", "test", (), "id", 1, {"no.such.setting": "1"})
    with pytest.raises(UserError, match="Kafka refused to create the topic"):
        await create_topics(kafka_url, [wrong], prefix=topic_prefix)


def test_valkey_survives_sigkill_on_its_port_with_its_data(valkey: Valkey, tmp_path: Path) -> None:
    with Redis.from_url(valkey.url) as client:
        client.set("limiter", "7")
    address = valkey.url

    valkey.kill()
    again = Valkey(tmp_path)
    try:
        again.start()
        again.wait_ready()
        assert again.url == address
        with Redis.from_url(address) as client:
            assert client.get("limiter") == b"7"
    finally:
        again.stop()


def test_an_engine_that_cannot_start_names_its_log(valkey: Valkey, tmp_path: Path) -> None:
    second = Valkey(tmp_path / "second")
    second.port = valkey.port
    second.start()
    # The first one would answer in its place.
    second.answers = lambda: False  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"valkey ended before it was ready: see .*valkey\.log"):
        second.wait_ready()
