"""PostgreSQL dies and comes back: whoever needs it waits, loses nothing, and does nothing twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Column, MetaData, Table, Uuid, insert, select, text
from tests.harness import Log, eventually, running

from chassis.batches import is_outage
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from chassis.subscription import Subscription
from chassis.workers import Worker
from contracts.envelope import Envelope
from contracts.events.run import RunCompleted, RunStarted
from contracts.events.run import RunFailed as Failed
from textmanager.engines.postgresql import PostgreSQL

pytestmark = [pytest.mark.engines]
METADATA = MetaData()
HEARD = Table("heard", METADATA, Column("run_id", Uuid, primary_key=True))
WORKED = Table("worked", METADATA, Column("id", Uuid, primary_key=True))
ORGANIZATION, CAMPAIGN = uuid4(), uuid4()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """A PostgreSQL that nobody else needs, to be killed."""
    engine = PostgreSQL(tmp_path_factory.mktemp("server"))
    yield engine
    engine.kill()


@pytest.fixture
def server(own_server: PostgreSQL) -> PostgreSQL:
    """It runs as a test begins."""
    own_server.start()
    own_server.wait_ready()
    return own_server


@pytest.fixture
def settings(service_settings: ServiceSettings, server: PostgreSQL) -> ServiceSettings:
    return service_settings.model_copy(
        update={"database_url": server.database_url, "relay_idle_seconds": 0.1}
    )


async def come_back(server: PostgreSQL) -> None:
    # Not from another thread: it is tied to the life of the thread that started it.
    server.start()
    await asyncio.to_thread(server.wait_ready)


def a_store(settings: ServiceSettings) -> Store:
    return Store(settings, name="t", metadata=METADATA)


def started() -> RunStarted:
    return RunStarted(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=CAMPAIGN,
    )


async def conclude(transaction: Transaction, runs: list[Envelope[RunStarted]]) -> None:
    """Note a run, and say so once: the row and the event are one."""
    known = set((await transaction.execute(select(HEARD.c.run_id))).scalars())
    for each in runs:
        if each.event.run_id not in known:
            await transaction.execute(insert(HEARD).values(run_id=each.event.run_id))
            transaction.publish(
                RunCompleted(
                    organization_id=ORGANIZATION,
                    occurred_at=each.event.occurred_at,
                    sequence=2,
                    run_id=each.event.run_id,
                    campaign_id=CAMPAIGN,
                    rows=1,
                    messages=1,
                    rejected=0,
                    excluded=0,
                ),
                because=each.id,
            )


async def test_consumers_workers_and_the_relay_go_on_when_it_is_back(
    settings: ServiceSettings, server: PostgreSQL, log: Log
) -> None:
    store = a_store(settings)

    async def work() -> bool:
        async with store.transaction() as transaction:
            await transaction.execute(insert(WORKED).values(id=uuid4()))
        return False

    async def worked() -> int:
        async with store.read() as connection:
            return len((await connection.execute(select(WORKED.c.id))).all())

    subscription = Subscription(
        "t.runs",
        ("run.lifecycle",),
        {RunStarted: conclude},
        skips=frozenset({RunCompleted, Failed}),
        max_records=5,
    )
    service = Service(
        "t",
        settings,
        store,
        subscriptions=[subscription],
        workers=[Worker("t.work", work, idle_seconds=0.01)],
    )
    runs: list[UUID] = []
    async with running(service):
        for _ in range(3):
            events = [started() for _ in range(30)]
            runs += [each.run_id for each in events]
            await log.publish(*events)
            await asyncio.to_thread(server.kill)
            more = [started() for _ in range(10)]
            runs += [each.run_id for each in more]
            await log.publish(*more)
            await come_back(server)
        ends = await log.wait_for(RunCompleted, count=len(runs), seconds=60)
        before = await worked()
        await eventually(lambda: _above(worked, before))
    assert Counter(each.run_id for each in ends) == Counter(runs)
    assert not log.dead


async def _above(count: object, before: int) -> bool:
    assert callable(count)
    return bool(await count() > before)


async def test_a_service_that_starts_while_it_is_away_waits_and_can_be_stopped(
    settings: ServiceSettings, server: PostgreSQL
) -> None:
    await asyncio.to_thread(server.kill)
    away = Service("t", settings, a_store(settings))
    stopped = asyncio.create_task(away.run())
    await asyncio.sleep(0)
    away.stop_requested.set()
    await asyncio.wait_for(stopped, 10)

    service = Service("t", settings, a_store(settings))
    task = asyncio.create_task(service.run())
    try:
        # It tries again and again; what it met is no reason to end.
        done, _ = await asyncio.wait({task}, timeout=1)
        assert not done
        assert not service.ready
        await come_back(server)
        await eventually(lambda: service.ready)
    finally:
        service.stop_requested.set()
        await task


async def test_whatever_a_dying_server_answers_is_an_outage(
    server: PostgreSQL,
) -> None:
    """Each way to meet it: refused, cut off in a transaction, on a connection kept, recovering."""
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=server.database_url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
    )
    store = a_store(settings)
    await store.start()
    met: list[BaseException] = []

    async def attempt(*, slowly: bool) -> None:
        try:
            async with store.transaction() as transaction:
                await transaction.execute(text("SELECT 1"))
                if slowly:
                    await transaction.execute(text("SELECT pg_sleep(20)"))
        except Exception as error:  # noqa: BLE001 - which ones it may be is the question.
            met.append(error)

    in_hand = [asyncio.create_task(attempt(slowly=True)) for _ in range(3)]
    await eventually(lambda: _asleep(store))
    await asyncio.to_thread(server.kill)
    await asyncio.gather(*in_hand)
    assert len(met) == 3
    await attempt(slowly=False)
    assert len(met) == 4
    server.start()
    while not server.answers():
        # Refused at first, then told that it is recovering.
        await attempt(slowly=False)
        await asyncio.sleep(0.005)
    assert [error for error in met if not is_outage(error)] == []
    await store.stop()


async def _asleep(store: Store) -> bool:
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    async with store.read() as connection:
        found: int = await connection.scalar(text(asleep)) or 0
    return found == 3
