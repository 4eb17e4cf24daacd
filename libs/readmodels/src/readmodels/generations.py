"""Generations of the read models, each in a store of its own, and which of them serves.

A rebuild fills the next generation from the log while the present one serves; then one row, the
pointer, says that the next one serves. Readers and projections look at it and follow.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Connection, Integer, MetaData, Table, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import alone, make_engine
from chassis.instants import Instant
from chassis.settings import ServiceSettings
from chassis.store import upsert
from readmodels.tables import STORE_NAME

FIRST = 1
POINTER_NAME = f"{STORE_NAME}_pointer"
POINTER_METADATA = MetaData()
SERVING = Table(
    "serving",
    POINTER_METADATA,
    Column("id", Integer, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("since", Instant, nullable=False),
)
_NAME = re.compile(rf"{STORE_NAME}(?:_g(\d+))?")


def store_name(generation: int) -> str:
    """Return the name of a generation's store: its file or its schema."""
    return STORE_NAME if generation == FIRST else f"{STORE_NAME}_g{generation}"


def file_of(settings: ServiceSettings, name: str) -> Path | None:
    """Return a store's file, or None on PostgreSQL."""
    folder = settings.database_folder()
    return None if folder is None else folder / f"{name}.sqlite"


class Pointer:
    """Says which generation serves; the first one until another was pointed to."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._engine: AsyncEngine | None = None
        self._is_there = False

    async def generation(self) -> int:
        """Return the generation that serves."""
        file = file_of(self._settings, POINTER_NAME)
        if self._engine is None and file is not None and not file.exists():
            return FIRST
        async with self._opened().connect() as connection:
            if not self._is_there:
                self._is_there = await connection.run_sync(_has_pointer)
            if not self._is_there:
                return FIRST
            found = await connection.scalar(select(SERVING.c.generation))
            return FIRST if found is None else int(found)

    async def since(self) -> datetime | None:
        """Return when that generation began to serve; None while it is the first ever."""
        if await self.generation() == FIRST:
            return None
        async with self._opened().connect() as connection:
            found: datetime | None = await connection.scalar(select(SERVING.c.since))
            return found

    async def point_to(self, generation: int, *, at: datetime) -> None:
        """Let a generation serve from now on; it is on the disk when this returns."""
        async with alone(self._opened(), POINTER_NAME) as connection:
            await connection.run_sync(POINTER_METADATA.create_all)
            row = {"id": 1, "generation": generation, "since": at}
            statement = upsert(connection, SERVING).values(row)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_=row)
            )

    async def close(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            await self._engine.dispose()
        self._engine = None

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = make_engine(self._settings, POINTER_NAME, power_safe=True)
        return self._engine


async def serving(settings: ServiceSettings) -> int:
    """Return the generation that serves, by a look of its own."""
    pointer = Pointer(settings)
    try:
        return await pointer.generation()
    finally:
        await pointer.close()


async def existing(settings: ServiceSettings) -> list[int]:
    """Return the generations that there are, the oldest first."""
    folder = settings.database_folder()
    if folder is not None:
        return _generations([file.stem for file in folder.glob(f"{STORE_NAME}*.sqlite")])
    engine = make_engine(settings, POINTER_NAME, power_safe=True)
    try:
        async with engine.connect() as connection:
            found = await connection.scalars(text("SELECT nspname FROM pg_namespace"))
            return _generations(found.all())
    finally:
        await engine.dispose()


async def remove(settings: ServiceSettings, generation: int) -> None:
    """Remove a generation's tables; nobody may read or write them any more."""
    name = store_name(generation)
    file = file_of(settings, name)
    if file is not None:
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        return
    engine = make_engine(settings, POINTER_NAME, power_safe=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))
    finally:
        await engine.dispose()


def _has_pointer(connection: Connection) -> bool:
    return inspect(connection).has_table(SERVING.name)


def _generations(names: Sequence[str]) -> list[int]:
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(int(each.group(1) or FIRST) for each in found if each)
