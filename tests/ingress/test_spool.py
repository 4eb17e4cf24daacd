"""The spool on its fake and on SQL: kept means kept, and many share a transaction."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from tests.databases import database_in
from tests.ingress.doubles import KEY, NOON, FakeSpool

from chassis.outbox import OUTBOX
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from contracts.events.provider import TwilioCallbackReceived
from ingress.adapters.spool import OutboxSpool
from ingress.adapters.tables import METADATA
from ingress.ports import Spool, SpoolAway


def callback(number: int) -> Envelope[Event]:
    return seal(
        TwilioCallbackReceived(
            organization_id=UUID(int=1),
            occurred_at=NOON,
            sequence=0,
            account_sid="AC",
            message_sid=f"SM{number}",
            message_status="sent",
            form={"Body": "é"},
        )
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    settings = ServiceSettings(
        kafka_url="localhost:1", database_url=database_in(tmp_path), secret_key=KEY, instance="a"
    )
    made = Store(settings, name="ingress", metadata=METADATA, power_safe=True)
    await made.start()
    yield made
    await made.stop()


async def kept_in(store: Store) -> int:
    async with store.read() as connection:
        return await connection.scalar(select(func.count()).select_from(OUTBOX)) or 0


@pytest.fixture(params=["fake", "sql"])
def spool(request: pytest.FixtureRequest, store: Store) -> Spool:
    return FakeSpool() if request.param == "fake" else OutboxSpool(store, patience_seconds=5)


async def test_what_is_kept_is_there(spool: Spool, store: Store) -> None:
    await asyncio.gather(*(spool.keep(callback(number)) for number in range(700)))
    await spool.keep(callback(700))
    count = len(spool.events) if isinstance(spool, FakeSpool) else await kept_in(store)
    assert count == 701


async def test_concurrent_requests_share_transactions(store: Store) -> None:
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    store.on_commit(count)
    spool = OutboxSpool(store, patience_seconds=5)
    await asyncio.gather(*(spool.keep(callback(number)) for number in range(300)))
    assert commits <= 2


async def test_a_database_that_is_lost_is_told_to_all_who_wait(store: Store) -> None:
    async with store.transaction() as transaction:
        await transaction.connection.exec_driver_sql("DROP TABLE outbox")
    spool = OutboxSpool(store, patience_seconds=5)
    failures = await asyncio.gather(
        *(spool.keep(callback(number)) for number in range(3)), return_exceptions=True
    )
    assert [type(failure) for failure in failures] == [SpoolAway] * 3


async def test_a_database_that_hangs_is_not_waited_for(store: Store) -> None:
    spool = OutboxSpool(store, patience_seconds=0.05)
    async with store.transaction() as transaction:
        if transaction.connection.dialect.name == "postgresql":
            # On SQLite every writer waits for this one as it is.
            await transaction.execute(text("LOCK TABLE outbox"))
        with pytest.raises(SpoolAway):
            await spool.keep(callback(1))
    await spool.stop()
    # It was written in the end: Twilio comes again, and the event's id is the same.
    assert await kept_in(store) == 1
