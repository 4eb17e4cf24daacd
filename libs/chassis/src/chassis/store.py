"""One database a service: state and outbox change in one transaction, or not at all.

On SQLite a process has one writer: transactions queue for it and begin IMMEDIATE, so that two
processes on one file wait for each other instead of failing half-way. Readers never wait.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, MetaData, Table, event, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import Executable

from chassis.outbox import OUTBOX, add_outbox, row_of
from chassis.settings import ServiceSettings
from contracts.envelope import Envelope, encode, seal
from contracts.events.base import Event


class Transaction:
    """A running transaction, with the events that leave when it commits."""

    def __init__(self, connection: AsyncConnection, *, instance: str, prefix: str) -> None:
        self.connection = connection
        self._instance = instance
        self._prefix = prefix
        self._leaving: list[dict[str, Any]] = []

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run one statement, or the same one for many rows at once."""
        return await self.connection.execute(statement, parameters)

    async def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows whose keys are not there yet; leave the others as they are."""
        if rows:
            await self.execute(upsert(self.connection, table).on_conflict_do_nothing(), rows)

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        """Let events leave when the transaction commits; `because` is the causing event's id."""
        for each in events:
            self.publish_sealed(seal(each, because=because))

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        """Let an event that has its id already leave when the transaction commits."""
        key, value, headers = encode(envelope)
        self.publish_raw(self._prefix + envelope.event.topic, key, value, headers)

    def publish_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        """Let a record leave when the transaction commits."""
        self._leaving.append(row_of(self._instance, topic, key, value, headers))

    async def flush(self) -> int:
        """Write the outbox rows; returns how many there were."""
        if self._leaving:
            await self.execute(insert(OUTBOX), self._leaving)
        return len(self._leaving)


def upsert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, for the database at hand."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def keep_newest(
    connection: AsyncConnection, table: Table, *, key: str
) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT of whole rows that replaces a row only by one of a higher `sequence`."""
    statement = upsert(connection, table)
    return statement.on_conflict_do_update(
        index_elements=[key],
        set_={each.name: statement.excluded[each.name] for each in table.c if each.name != key},
        where=table.c.sequence < statement.excluded.sequence,
    )


class Store:
    """A service's database."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        name: str,
        metadata: MetaData,
        power_safe: bool = False,
    ) -> None:
        self._settings = settings
        self._metadata = metadata
        self.name = name.replace("-", "_")
        self._power_safe = power_safe
        self._writer = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._file: str | None = None
        self._engine = self._make_engine()
        add_outbox(metadata)

    def _make_engine(self) -> AsyncEngine:
        folder = self._settings.database_folder()
        if folder is None:
            url = self._settings.database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
            return create_async_engine(
                url,
                hide_parameters=True,
                pool_size=8,
                connect_args={"server_settings": {"search_path": self.name}},
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._file = str(folder / f"{self.name}.sqlite")
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{self._file}",
            hide_parameters=True,
            connect_args={"timeout": 30},
            pool_size=8,
            # Each transaction ends itself; another rollback would be a round trip for nothing.
            pool_reset_on_return=None,
        )
        event.listen(engine.sync_engine, "connect", self._prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _leave_begin_to_us)
        return engine

    def _prepare_sqlite(self, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if self._power_safe else 'NORMAL'}")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    async def start(self) -> None:
        """Create what is missing; several processes may do so at once."""
        if self._file is None:
            async with self._engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(7461)"))
                await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self.name}"'))
                await connection.run_sync(self._metadata.create_all)
            return
        async with self._engine.connect() as connection:
            await connection.execute(text("BEGIN IMMEDIATE"))
            await connection.run_sync(self._metadata.create_all)
            await connection.commit()

    async def stop(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call the listener after each commit that let events leave."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Change state and outbox together; nothing but SQL may be awaited inside."""
        if self._file is None:
            async with self._engine.begin() as connection:
                transaction = self._transaction(connection)
                yield transaction
                left = await transaction.flush()
        else:
            async with self._writer, self._engine.connect() as connection:
                await connection.execute(text("BEGIN IMMEDIATE"))
                transaction = self._transaction(connection)
                try:
                    yield transaction
                    left = await transaction.flush()
                    await connection.commit()
                except BaseException:
                    await connection.rollback()
                    raise
        if left:
            for listener in self._listeners:
                listener()

    def _transaction(self, connection: AsyncConnection) -> Transaction:
        return Transaction(
            connection, instance=self._settings.instance, prefix=self._settings.topic_prefix
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Read one consistent picture, without waiting for writers."""
        async with self._engine.connect() as connection:
            if self._file is None:
                yield connection
                return
            await connection.execute(text("BEGIN"))
            try:
                yield connection
            finally:
                await connection.rollback()


def _leave_begin_to_us(_connection: object) -> None:
    """Begin nothing by itself: each transaction says whether it is going to write."""


_TRY_AGAIN = frozenset({"40001", "40P01", "53300", "57P01", "57P02", "57P03"})
"""PostgreSQL's states after which the same may succeed: serialization failure, dead-lock, too many
connections, shutting down, crashed, starting up."""


def is_database_outage(error: BaseException) -> bool:
    """Whether the database could not do it now, rather than not at all."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, OperationalError | PoolTimeout) or state in _TRY_AGAIN
