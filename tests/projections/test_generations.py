"""Who may write to a generation of the read models, and which of them serves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.projections.models import settings, url
from tests.status import facts

from chassis.instants import now
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Taken
from contracts.envelope import seal as sealed_envelope
from projections.adapters.bookkeeping import Sealed, note
from projections.adapters.generation import (
    Overtaken,
    fill,
    gaps,
    open_generation,
    positions,
    seal,
    store_of,
)
from projections.subscribers import project
from readmodels.generations import FIRST, Pointer, existing, remove, serving
from readmodels.tables import MESSAGES

LATER, EARLIER = timedelta(seconds=60), timedelta(seconds=-1)
READ = Taken("message.queued", 0, 4)


@pytest.fixture(params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> ServiceSettings:
    return settings(url(request.param, tmp_path))


@pytest.fixture
async def store(told: ServiceSettings) -> AsyncIterator[Store]:
    store = store_of(told, FIRST)
    await store.create_tables()
    await open_generation(store)
    yield store
    await store.stop()


async def take(store: Store) -> None:
    """Project an event as the service does."""
    async with store.transaction() as transaction:
        await project(transaction, [sealed_envelope(facts.queued(1))])
        await note(transaction, [READ])


async def rows(store: Store) -> int:
    async with store.read() as connection:
        return len((await connection.execute(select(MESSAGES.c.message_id))).all())


async def test_nothing_is_written_to_sealed_tables(store: Store) -> None:
    await seal(store, until=now() + LATER)
    with pytest.raises(Sealed):
        await take(store)
    async with store.read() as connection:
        assert await positions(connection) == {}
    assert await rows(store) == 0
    await seal(store, until=None)
    await take(store)
    assert await rows(store) == 1


async def test_a_seal_that_nobody_took_off_ends_by_itself(store: Store) -> None:
    """A rebuild that was killed stops the read models for a while, not for ever."""
    await seal(store, until=now() + EARLIER)
    await take(store)
    assert await rows(store) == 1


async def test_a_seal_waits_for_those_who_write(store: Store, told: ServiceSettings) -> None:
    """Whoever sealed the tables sees all that was ever written to them."""
    other = store_of(told, FIRST)
    async with store.transaction() as transaction:
        await note(transaction, [READ])
        sealing = asyncio.create_task(seal(other, until=now() + LATER))
        done, _ = await asyncio.wait({sealing}, timeout=0.3)
        assert not done
        await project(transaction, [sealed_envelope(facts.queued(1))])
    await sealing
    assert await rows(other) == 1
    await other.stop()


async def test_positions_only_move_on(store: Store) -> None:
    async with store.transaction() as transaction:
        await note(transaction, [READ, Taken("message.queued", 1, 0)])
    async with store.transaction() as transaction:
        await note(transaction, [Taken("message.queued", 0, 2)])
    async with store.read() as connection:
        assert await positions(connection) == {("message.queued", 0): 5, ("message.queued", 1): 1}


async def test_what_is_given_up_is_a_gap_once(store: Store) -> None:
    bad = READ._replace(given_up="unknown_type")
    for _ in range(2):
        async with store.transaction() as transaction:
            await note(transaction, [bad])
    async with store.read() as connection:
        assert await gaps(connection) == 1


async def test_who_fills_tables_that_somebody_else_fills_stops(store: Store) -> None:
    place = ("message.queued", 0)
    await fill(store, [], [], known={}, reached={place: 5}, at=now())
    await fill(store, [], [], known={place: 5}, reached={place: 9}, at=now())
    with pytest.raises(Overtaken):
        await fill(store, [], [], known={place: 5}, reached={place: 7}, at=now())
    async with store.read() as connection:
        assert await positions(connection) == {place: 9}


async def test_the_first_generation_serves_until_another_is_pointed_to(
    told: ServiceSettings,
) -> None:
    pointer = Pointer(told)
    assert await pointer.generation() == FIRST
    await pointer.point_to(2, at=now())
    await pointer.point_to(3, at=now())
    assert await pointer.generation() == await serving(told) == 3
    await pointer.close()


async def test_a_generation_that_is_removed_is_gone(store: Store, told: ServiceSettings) -> None:
    second = store_of(told, 2)
    await second.create_tables()
    await second.stop()
    assert await existing(told) == [1, 2]
    await store.stop()
    await remove(told, FIRST)
    assert await existing(told) == [2]
    await remove(told, FIRST)
