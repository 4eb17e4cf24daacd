"""The store under processes that write at the same time, and its columns."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Column, Integer, MetaData, String, Table, select, text, update
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import DBAPIError
from tests.databases import DATABASES

from chassis.database import is_database_outage, make_engine
from chassis.instants import Instant
from chassis.outbox import OUTBOX
from chassis.settings import ServiceSettings
from chassis.store import EventTooLargeError, Store, keep_newest
from contracts.events.audience import AudienceFailed
from contracts.generate import ROOT

METADATA = MetaData()
COUNTS = Table("counts", METADATA, Column("name", String, primary_key=True), Column("n", Integer))
STATES = Table(
    "states",
    METADATA,
    Column("subject", String, primary_key=True),
    Column("sequence", Integer),
    Column("state", String),
)


ON_BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def url_of(kind: str, folder: Path) -> str:
    return f"sqlite:///{folder}" if kind == "sqlite" else DATABASES.make(folder)


def make_settings(url: str, **more: Any) -> ServiceSettings:
    return ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
        **more,
    )


def make_store(url: str, **more: Any) -> Store:
    return Store(make_settings(url, **more), name="under_test", metadata=METADATA)


def too_large() -> AudienceFailed:
    return AudienceFailed(
        organization_id=uuid4(),
        occurred_at=datetime(2027, 1, 1, tzinfo=UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=uuid4(),
        reason="x" * 1_000_000,
    )


async def count_up(url: str, times: int) -> None:
    store = make_store(url)
    await store.start()
    for _ in range(times):
        async with store.transaction() as transaction:
            await transaction.insert_new(COUNTS, [{"name": "a", "n": 0}])
            query = select(COUNTS.c.n).with_for_update()
            known = (await transaction.execute(query)).scalar_one()
            await transaction.execute(update(COUNTS).values(n=known + 1))
    await store.stop()


@ON_BOTH
async def test_three_processes_on_one_database_lose_no_write(kind: str, tmp_path: Path) -> None:
    url = url_of(kind, tmp_path)
    workers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chassis.test_store", url, "40"), cwd=ROOT
        )
        for _ in range(3)
    ]
    assert [await worker.wait() for worker in workers] == [0, 0, 0]
    store = make_store(url)
    async with store.read() as connection:
        assert await connection.scalar(select(COUNTS.c.n)) == 120
    await store.stop()


@ON_BOTH
async def test_only_a_newer_state_replaces_one(kind: str, tmp_path: Path) -> None:
    store = make_store(url_of(kind, tmp_path))
    await store.start()
    for sequence, state in [(2, "b"), (1, "a"), (3, "c"), (3, "again"), (2, "b")]:
        async with store.transaction() as transaction:
            statement = keep_newest(transaction.connection, STATES, key="subject")
            row = {"subject": "x", "sequence": sequence, "state": state}
            await transaction.execute(statement, [row])
    async with store.read() as connection:
        assert (await connection.execute(select(STATES))).all() == [("x", 3, "c")]
    await store.stop()


async def test_an_event_that_no_broker_takes_stays_with_who_made_it(tmp_path: Path) -> None:
    store = make_store(url_of("sqlite", tmp_path))
    await store.start()
    with pytest.raises(EventTooLargeError, match=r"audience.failed.v1 takes 1,000,\d+ bytes"):
        async with store.transaction() as transaction:
            transaction.publish(too_large())
    async with store.read() as connection:
        assert (await connection.execute(select(OUTBOX))).all() == []
    await store.stop()


@ON_BOTH
async def test_a_read_is_one_picture_whatever_is_committed_meanwhile(
    kind: str, tmp_path: Path
) -> None:
    store = make_store(url_of(kind, tmp_path))
    await store.start()
    async with store.read() as connection:
        before = (await connection.execute(select(COUNTS))).all()
        async with store.transaction() as transaction:
            await transaction.insert_new(COUNTS, [{"name": "a", "n": 1}])
        assert (await connection.execute(select(COUNTS))).all() == before == []
    async with store.read() as connection:
        assert (await connection.execute(select(COUNTS))).all() == [("a", 1)]
    await store.stop()


async def test_a_process_keeps_to_its_share_of_the_servers_connections(
    postgresql_url: str,
) -> None:
    """What comes too many waits for its turn, and none fails."""
    store = make_store(postgresql_url, database_connections=3)
    await store.start()
    most = 0

    async def look() -> None:
        nonlocal most
        async with store.transaction() as transaction:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 't-1'")
            most = max(most, (await transaction.execute(query)).scalar_one())
            await transaction.execute(text("SELECT pg_sleep(0.02)"))

    await asyncio.gather(*(look() for _ in range(30)))
    assert most == 3
    await store.stop()


async def test_a_connection_that_was_interrupted_is_an_outage_and_a_wrong_value_is_none(
    postgresql_url: str,
) -> None:
    """The driver tells both without a state; one passes, the other never will."""
    engine = make_engine(make_settings(postgresql_url), "t", power_safe=False)
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        busy = asyncio.create_task(driver.execute("SELECT pg_sleep(0.3)"))
        await asyncio.sleep(0)
        with pytest.raises(DBAPIError, match="another operation is in progress") as interrupted:
            await connection.execute(text("SELECT 1"))
        # Nobody goes on with a connection that lost its place.
        await asyncio.wait({busy})
        assert busy.exception() is not None
    assert is_database_outage(interrupted.value)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="invalid input") as wrong:
            await connection.execute(text("SELECT CAST(:n AS INTEGER)"), {"n": 1 << 40})
    assert not is_database_outage(wrong.value)
    await engine.dispose()


async def test_a_disk_that_is_full_is_an_outage_and_no_record_s_fault(postgresql_url: str) -> None:
    """Disk full, memory full, I/O error, and a standby that hasn't taken over yet."""
    engine = make_engine(make_settings(postgresql_url), "t", power_safe=False)
    for state in ("53100", "53200", "58030", "25006"):
        failing = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as failed:
                await connection.execute(text(failing))
        assert is_database_outage(failed.value), state
    await engine.dispose()


async def test_a_file_that_can_not_grow_is_an_outage(tmp_path: Path) -> None:
    engine = make_engine(make_settings(f"sqlite:///{tmp_path}"), "t", power_safe=False)
    async with engine.connect() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
        await connection.execute(text("PRAGMA max_page_count = 2"))
        with pytest.raises(DBAPIError, match="full") as failed:
            await connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    assert is_database_outage(failed.value)
    await engine.dispose()


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(-12, 14),
)
def test_an_instant_is_the_same_moment_in_any_zone(moment: datetime, hours: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    kept = Instant().process_bind_param(aware, dialect())
    read = Instant().process_result_value(kept, dialect())
    assert read == aware
    assert read is not None
    assert read.tzinfo is UTC


if __name__ == "__main__":
    asyncio.run(count_up(sys.argv[1], int(sys.argv[2])))
