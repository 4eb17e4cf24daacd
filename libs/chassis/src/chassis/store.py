"""One database a service: state and outbox change in one transaction, or not at all.

On SQLite a process has one writer: transactions queue for it and begin IMMEDIATE, so that two
processes on one file wait for each other instead of failing half-way. Readers never wait.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, MetaData, Table, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Executable

from chassis.database import alone, is_database_outage, make_engine, schema_of
from chassis.outbox import OUTBOX, add_outbox, row_of
from chassis.revisions import require, stamp
from chassis.settings import ServiceSettings
from contracts.envelope import Envelope, encode, seal
from contracts.events.base import Event

__all__ = [
    "EventTooLargeError",
    "Store",
    "Transaction",
    "is_database_outage",
    "keep_newest",
    "upsert",
]


LARGEST_EVENT = 1_000_000
"""Bytes; a topic takes a little more."""


class EventTooLargeError(ValueError):
    """The broker would never take this event, and whatever leaves behind it would wait for ever."""


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
        size = len(key) + len(value) + sum(len(name) + len(told) for name, told in headers)
        if size > LARGEST_EVENT:
            raise EventTooLargeError(f"{envelope.event.type} takes {size:,} bytes.")
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
        migrations: Path | None = None,
    ) -> None:
        self._settings = settings
        self._metadata = metadata
        self._migrations = migrations
        self.name = schema_of(name)
        self._writer = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._engine = make_engine(settings, name, power_safe=power_safe)
        self._on_sqlite = self._engine.dialect.name == "sqlite"
        add_outbox(metadata)

    @property
    def metadata(self) -> MetaData:
        """The tables of the present code, the outbox among them."""
        return self._metadata

    async def start(self) -> None:
        """See that the tables are there; raises SchemaBehind when they are older than the code.

        A store that has no migrations creates its tables by itself.
        """
        migrations = self._migrations
        if migrations is None:
            await self.create_tables()
            return
        async with self.read() as connection:
            await connection.run_sync(lambda each: require(each, migrations, name=self.name))

    async def create_tables(self) -> None:
        """Create what is missing as of the newest revision, at once and without its history.

        Several processes may do so at the same time.
        """
        async with alone(self._engine, self.name) as connection:
            await connection.run_sync(self._metadata.create_all)
            if self._migrations is not None:
                await connection.run_sync(stamp, self._migrations)

    async def stop(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call the listener after each commit that let events leave."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Change state and outbox together; nothing but SQL may be awaited inside."""
        if not self._on_sqlite:
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
            if not self._on_sqlite:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                yield connection
                return
            await connection.execute(text("BEGIN"))
            try:
                yield connection
            finally:
                await connection.rollback()
