"""Opens the read models for reading only, whoever writes them and whether or not they exist yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from chassis.settings import ServiceSettings
from readmodels.tables import METADATA, STORE_NAME

_FileId = tuple[int, int]


class Reader:
    """Read-only connections to the read models; what nobody has projected yet reads as empty.

    On SQLite a rebuilt read model is a new file under the old name: the next read opens it.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._engine: AsyncEngine | None = None
        self._file_id: _FileId | None = None
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
        for engine in (self._engine, self._nothing):
            if engine is not None:
                await engine.dispose()
        self._engine = self._nothing = self._file_id = None

    async def _current(self) -> AsyncEngine | None:
        """Return the engine of the tables as they are now; None while there are none."""
        path = self._path()
        file_id = None if path is None else _file_id(path)
        if self._engine is not None and file_id == self._file_id:
            return self._engine
        async with self._opening:
            if self._engine is not None and file_id == self._file_id:
                return self._engine
            if path is not None and file_id is None:
                return None
            engine = self._open(path)
            if not await _has_tables(engine):
                await engine.dispose()
                return None
            before, self._engine, self._file_id = self._engine, engine, file_id
            if before is not None:
                await before.dispose()
            return engine

    def _open(self, path: Path | None) -> AsyncEngine:
        if path is None:
            url = self._settings.database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
            said = {
                "search_path": STORE_NAME,
                "default_transaction_read_only": "on",
                "default_transaction_isolation": "repeatable read",
            }
            return create_async_engine(
                url, hide_parameters=True, pool_size=8, connect_args={"server_settings": said}
            )
        # The mode "rw" creates no file; "ro" could not read a write-ahead log by itself.
        engine = create_async_engine(
            f"sqlite+aiosqlite:///file:{quote(str(path.absolute()))}?mode=rw&uri=true",
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

    def _path(self) -> Path | None:
        folder = self._settings.database_folder()
        return None if folder is None else folder / f"{STORE_NAME}.sqlite"


def _file_id(path: Path) -> _FileId | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


async def _has_tables(engine: AsyncEngine) -> bool:
    """Whether the tables are there, all of them: they are created in one transaction."""
    if engine.dialect.name == "sqlite":
        query = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'messages'")
    else:
        query = text(f"SELECT 1 WHERE to_regclass('{STORE_NAME}.messages') IS NOT NULL")
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
