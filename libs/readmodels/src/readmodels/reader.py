"""Opens the read models for reading only, whoever writes them and whether or not they exist yet."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from chassis.settings import ServiceSettings
from readmodels.generations import Pointer, file_of, store_name
from readmodels.tables import METADATA

LOOK_SECONDS = 0.2
"""How long a switch to another generation may go unnoticed."""
FORMER_SECONDS = 5.0
"""How long what served before stays open, for those who were about to read it."""


class Reader:
    """Read-only connections to the read models; what nobody has projected yet reads as empty.

    It follows a switch to another generation by itself: a read that began before ends on what it
    began with, the next ones see the new generation.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._pointer = Pointer(settings)
        self._engine: AsyncEngine | None = None
        self._former: AsyncEngine | None = None
        self._former_until = 0.0
        self._generation = 0
        self._look_at = 0.0
        self._nothing: AsyncEngine | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Read one consistent picture, without waiting for the writer."""
        engine = await self._current() or await self._empty()
        async with engine.connect() as connection:
            if engine is not self._nothing and engine.dialect.name == "sqlite":
                await connection.execute(text("BEGIN"))
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._let_go()
        for engine in (self._engine, self._nothing):
            if engine is not None:
                await engine.dispose()
        self._engine = self._nothing = None
        await self._pointer.close()

    async def _current(self) -> AsyncEngine | None:
        """Return the engine of the tables that serve, or None while there are none."""
        if self._engine is not None and time.monotonic() < self._look_at:
            return self._engine
        async with self._opening:
            if self._engine is None or time.monotonic() >= self._look_at:
                if time.monotonic() >= self._former_until:
                    await self._let_go()
                await self._follow()
                self._look_at = time.monotonic() + LOOK_SECONDS
            return self._engine

    async def _follow(self) -> None:
        """Open the generation that serves, unless it is open already."""
        generation = await self._pointer.generation()
        name = store_name(generation)
        path = file_of(self._settings, name)
        if (self._engine is not None and generation == self._generation) or (
            path is not None and not path.exists()
        ):
            return
        engine = self._open(path, name)
        if not await _has_tables(engine, name):
            await engine.dispose()
            return
        await self._let_go()
        self._former, self._engine, self._generation = self._engine, engine, generation
        self._former_until = time.monotonic() + FORMER_SECONDS

    async def _let_go(self) -> None:
        """Close what served before; a read that still goes on keeps its connection."""
        if self._former is not None:
            await self._former.dispose()
            self._former = None

    def _open(self, path: Path | None, name: str) -> AsyncEngine:
        if path is None:
            url = self._settings.database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
            said = {
                "search_path": name,
                "default_transaction_read_only": "on",
                "default_transaction_isolation": "repeatable read",
            }
            return create_async_engine(
                url, hide_parameters=True, pool_size=8, connect_args={"server_settings": said}
            )
        # The mode "rw" creates no file; "ro" could not read a write-ahead log by itself.
        engine = create_async_engine(
            URL.create(
                "sqlite+aiosqlite",
                database=f"file:{quote(str(path.absolute()))}",
                query={"mode": "rw", "uri": "true"},
            ),
            hide_parameters=True,
            connect_args={"timeout": 30},
            pool_size=8,
        )
        event.listen(engine.sync_engine, "connect", _only_read)
        event.listen(engine.sync_engine, "begin", _leave_begin_to_us)
        return engine

    async def _empty(self) -> AsyncEngine:
        """Return a database of empty tables, in memory."""
        async with self._opening:
            if self._nothing is None:
                engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
                async with engine.begin() as connection:
                    await connection.run_sync(METADATA.create_all)
                self._nothing = engine
            return self._nothing


async def _has_tables(engine: AsyncEngine, name: str) -> bool:
    """Whether the tables are there, all of them: they are created in one transaction."""
    if engine.dialect.name == "sqlite":
        query = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'messages'")
    else:
        query = text(f"SELECT 1 WHERE to_regclass('{name}.messages') IS NOT NULL")
    async with engine.connect() as connection:
        return (await connection.execute(query)).first() is not None


def _only_read(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _leave_begin_to_us(_connection: object) -> None:
    """Begin nothing by itself: each read begins one picture."""
