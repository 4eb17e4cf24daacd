"""The store under processes that write at the same time, and its columns."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Column, Integer, MetaData, String, Table, select, update
from sqlalchemy.dialects.sqlite import dialect

from chassis.instants import Instant
from chassis.settings import ServiceSettings
from chassis.store import Store, keep_newest

METADATA = MetaData()
COUNTS = Table("counts", METADATA, Column("name", String, primary_key=True), Column("n", Integer))
STATES = Table(
    "states",
    METADATA,
    Column("subject", String, primary_key=True),
    Column("sequence", Integer),
    Column("state", String),
)


def make_store(folder: Path) -> Store:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=f"sqlite:///{folder}",
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
    )
    return Store(settings, name="under_test", metadata=METADATA)


async def count_up(folder: Path, times: int) -> None:
    store = make_store(folder)
    await store.start()
    for _ in range(times):
        async with store.transaction() as transaction:
            known = (await transaction.execute(select(COUNTS.c.n))).scalar_one_or_none()
            if known is None:
                await transaction.insert_new(COUNTS, [{"name": "a", "n": 1}])
            else:
                await transaction.execute(update(COUNTS).values(n=known + 1))
    await store.stop()


async def test_three_processes_on_one_file_lose_no_write(tmp_path: Path) -> None:
    workers = [
        await asyncio.create_subprocess_exec(sys.executable, __file__, str(tmp_path), "100")
        for _ in range(3)
    ]
    assert [await worker.wait() for worker in workers] == [0, 0, 0]
    store = make_store(tmp_path)
    async with store.read() as connection:
        assert await connection.scalar(select(COUNTS.c.n)) == 300
    await store.stop()


async def test_only_a_newer_state_replaces_one(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    await store.start()
    for sequence, state in [(2, "b"), (1, "a"), (3, "c"), (3, "again"), (2, "b")]:
        async with store.transaction() as transaction:
            statement = keep_newest(transaction.connection, STATES, key="subject")
            row = {"subject": "x", "sequence": sequence, "state": state}
            await transaction.execute(statement, [row])
    async with store.read() as connection:
        assert (await connection.execute(select(STATES))).all() == [("x", 3, "c")]
    await store.stop()


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
    asyncio.run(count_up(Path(sys.argv[1]), int(sys.argv[2])))
