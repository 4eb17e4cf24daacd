"""The real engines keep what they acknowledged, however they end."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from contracts.topics import Topic
from textmanager.engines.kafka import Kafka
from textmanager.engines.postgresql import PostgreSQL
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


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[PostgreSQL]:
    engine = PostgreSQL(tmp_path)
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


async def test_postgresql_survives_sigkill_on_its_port_with_its_data(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    address = postgresql.database_url
    connection = await asyncpg.connect(address)
    await connection.execute("CREATE TABLE kept (n INTEGER)")
    # Never committed, so it must not be there afterwards.
    half = await asyncpg.connect(address)
    await half.execute("BEGIN; INSERT INTO kept VALUES (0)")
    for number in range(1, 101):
        await connection.execute("INSERT INTO kept VALUES ($1)", number)

    await asyncio.to_thread(postgresql.kill)
    assert postgresql.pid is None
    assert not postgresql.answers()
    again = PostgreSQL(tmp_path)
    try:
        again.start()
        again.wait_ready()
        assert again.database_url == PostgreSQL.address(tmp_path) == address
        connection = await asyncpg.connect(address)
        assert await connection.fetch("SELECT sum(n), count(*) FROM kept") == [(5050, 100)]
        settings = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        assert {await connection.fetchval(f"SHOW {each}") for each in settings} == {"on"}
        await connection.close()
    finally:
        again.stop()
    assert "was not properly shut down" in again.log.read_text()


async def test_postgresql_is_for_its_own_user_on_this_machine_alone(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    assert postgresql.pid is not None
    listening = {
        each.laddr.ip
        for each in psutil.Process(postgresql.pid).net_connections()
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    for wrong in ("", "wrong"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgresql.url, password=wrong)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgresql.url.replace("textmanager@", "postgres@"), password="")
    password = (tmp_path / "keys" / "database.password").read_text()
    assert password in postgresql.database_url
    assert password not in postgresql.url
    assert password not in " ".join(psutil.Process(postgresql.pid).cmdline())
    # Nothing that was needed to begin is left lying about.
    assert sorted(each.name for each in (tmp_path / "postgresql").iterdir()) == ["data"]
    if os.geteuid() == 0:
        assert psutil.Process(postgresql.pid).uids().effective != 0


async def test_postgresql_writes_no_persons_data_to_its_log(postgresql: PostgreSQL) -> None:
    connection = await asyncpg.connect(postgresql.database_url)
    await connection.execute("CREATE TABLE people (number TEXT PRIMARY KEY)")
    for _ in range(2):
        with suppress(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO people VALUES ('+18885550123')")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await connection.execute("INSERT people '+18885550123'")
    await connection.close()
    # By then the errors before are in the file, too.
    await asyncio.to_thread(postgresql.stop)
    said = postgresql.log.read_text()
    assert "duplicate key value" in said
    assert "8885550123" not in said


def test_postgresql_takes_up_an_interrupted_beginning(tmp_path: Path) -> None:
    draft = tmp_path / "postgresql" / "draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("half")
    engine = PostgreSQL(tmp_path)
    try:
        engine.start()
        engine.wait_ready()
        assert not draft.exists()
    finally:
        engine.kill()


def test_postgresql_refuses_the_data_of_another_version(tmp_path: Path) -> None:
    data = tmp_path / "postgresql" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(UserError, match="was made by PostgreSQL 9, and this is PostgreSQL"):
        PostgreSQL(tmp_path).prepare()


def test_an_engine_that_cannot_start_names_its_log(valkey: Valkey, tmp_path: Path) -> None:
    second = Valkey(tmp_path / "second")
    second.port = valkey.port
    second.start()
    # The first one would answer in its place.
    second.answers = lambda: False  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"valkey ended before it was ready: see .*valkey\.log"):
        second.wait_ready()
