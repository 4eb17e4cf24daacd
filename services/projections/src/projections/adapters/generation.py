"""One generation of the read models as a whole: its store, its seal, and its place in the log."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import make_engine
from chassis.outbox import OUTBOX
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Taken
from contracts.envelope import Envelope
from contracts.events.base import Event
from projections import handlers
from projections.adapters.bookkeeping import Place, keep_gaps, keep_positions, require_open
from projections.adapters.tables import SqlReadModels
from readmodels.generations import store_name
from readmodels.tables import GAPS, GENERATION, METADATA, POSITIONS

THE_ONE = {"id": 1}
MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Overtaken(Exception):
    """Somebody else fills the same tables at this moment."""


def store_of(settings: ServiceSettings, generation: int) -> Store:
    """Return the store of a generation of the read models."""
    return Store(settings, name=store_name(generation), metadata=METADATA, migrations=MIGRATIONS)


async def open_generation(store: Store) -> None:
    """See that the generation has its row, which writers hold while they write."""
    async with store.transaction() as transaction:
        await transaction.insert_new(GENERATION, [THE_ONE])


async def seal(store: Store, *, until: datetime | None) -> None:
    """Let nobody write to the tables before then; who was writing has finished when it returns."""
    await open_generation(store)
    async with store.transaction() as transaction:
        await transaction.execute(update(GENERATION).values(sealed_until=until))


async def positions(connection: AsyncConnection) -> dict[Place, int]:
    """Return the first offset of each partition that is not in the tables."""
    columns = POSITIONS.c
    query = select(columns.topic, columns.partition, columns.offset)
    return {(row.topic, row.partition): row.offset for row in await connection.execute(query)}


async def gaps(connection: AsyncConnection) -> int:
    """Count the records that could not be projected."""
    return len((await connection.scalars(select(GAPS.c.offset))).all())


async def fill(
    store: Store,
    events: Sequence[Envelope[Event]],
    lost: Sequence[Taken],
    *,
    known: dict[Place, int],
    reached: dict[Place, int],
    at: datetime,
) -> None:
    """Project events, and note how far the log is read, in one transaction.

    Raises `Overtaken` when the tables don't reach exactly to where the caller knows they do.
    """
    async with store.transaction() as transaction:
        # One at a time: two rebuilds that read the same positions would both give way afterwards.
        await transaction.execute(select(GENERATION.c.id).with_for_update())
        await require_open(transaction, at=at)
        if await positions(transaction.connection) != known:
            raise Overtaken
        await keep_gaps(transaction, lost)
        if events:
            await handlers.project(events, models=SqlReadModels(transaction))
        await keep_positions(transaction, reached)


async def carry_letters(old: Store, new: Store) -> None:
    """Hand on what a process that died left unpublished: its dead letters must not disappear.

    One that its own relay publishes in this moment comes twice, as after any crash.
    """
    columns = [each for each in OUTBOX.c if each.name != "position"]
    async with old.read() as connection:
        found = await connection.execute(select(*columns).order_by(OUTBOX.c.position))
        rows = [dict(row) for row in found.mappings()]
    if rows:
        async with new.transaction() as transaction:
            await transaction.execute(insert(OUTBOX), rows)


async def settle(settings: ServiceSettings, generation: int) -> None:
    """See that what was written so far outlives a loss of power: offsets will rely on it."""
    engine = make_engine(settings, store_name(generation), power_safe=True)
    try:
        if engine.dialect.name == "sqlite":
            async with engine.connect() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(PASSIVE)"))
    finally:
        await engine.dispose()
