"""The way to a service's tables: a file of its own on SQLite, a schema of its own on PostgreSQL."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from chassis.settings import ServiceSettings

SQLITE_CONNECTIONS = 18
CONNECT_SECONDS = 10.0
TABLES_LOCK = 7461
"""The number of PostgreSQL's advisory lock that whoever changes tables holds."""


def schema_of(name: str) -> str:
    """Return the name of a store's schema or file: a service's name without dashes."""
    return name.replace("-", "_")


def make_engine(settings: ServiceSettings, name: str, *, power_safe: bool) -> AsyncEngine:
    """Return the engine of a store; nothing is connected yet."""
    folder = settings.database_folder()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return _sqlite(folder / f"{schema_of(name)}.sqlite", power_safe=power_safe)
    engine = create_async_engine(
        settings.database_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        hide_parameters=True,
        # A fixed number: so that many processes together stay below the server's limit.
        pool_size=settings.database_connections,
        max_overflow=0,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "server_settings": {
                "search_path": schema_of(name),
                "application_name": settings.instance,
                # A process that was stopped in the middle must not hold its locks for ever.
                "idle_in_transaction_session_timeout": "30000",
            },
        },
    )
    event.listen(engine.sync_engine, "handle_error", _part_with_what_broke)
    return engine


_CONNECTION_BROKE = (
    "another operation is",
    "connection is closed",
    "connection was closed",
    "connection has been released",
    "can only be used in transaction blocks",
)
"""What the driver says, often without a state, of a connection that died or was interrupted."""


def _part_with_what_broke(context: ExceptionContext) -> None:
    """Use a connection no more that the driver has lost its place in: it would fail for ever."""
    if any(words in str(context.original_exception) for words in _CONNECTION_BROKE):
        context.is_disconnect = True


def _sqlite(file: Path, *, power_safe: bool) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{file}",
        hide_parameters=True,
        connect_args={"timeout": 30},
        pool_size=8,
        max_overflow=SQLITE_CONNECTIONS - 8,
        # Each transaction ends itself; another rollback would be a round trip for nothing.
        pool_reset_on_return=None,
    )

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if power_safe else 'NORMAL'}")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", _leave_begin_to_us)
    return engine


def _leave_begin_to_us(_connection: object) -> None:
    """Begin nothing by itself: each transaction says whether it is going to write."""


@asynccontextmanager
async def alone(engine: AsyncEngine, name: str) -> AsyncIterator[AsyncConnection]:
    """Change a store's tables in one transaction that no other change of tables runs beside."""
    async with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({TABLES_LOCK})"))
            await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema_of(name)}"'))
        else:
            await connection.execute(text("BEGIN IMMEDIATE"))
        try:
            yield connection
            await connection.commit()
        except BaseException:
            await connection.rollback()
            raise


_TRY_AGAIN = frozenset(
    {"25006", "25P03", "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05"}
)
"""PostgreSQL's states after which the same may succeed: read-only, as a standby is until it takes
over; idle for too long in a transaction; serialization failure; dead-lock; a lock that wasn't to be
had; shutting down; crashed; starting up; idle for too long."""

_TRY_AGAIN_CLASSES = ("08", "53", "58")
"""The classes of PostgreSQL's states for what a record can't help: the connection broke, the disk
or something else is full, the disk fails."""


def is_database_outage(error: BaseException) -> bool:
    """Whether the database could not do it now, rather than not at all."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, OperationalError):
        # SQLite calls a wrong statement by the same name as a file that is locked or full.
        return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # What fails while it connects comes as the driver raised it, otherwise in `orig`.
    states = (getattr(each, "sqlstate", None) for each in (error, getattr(error, "orig", None)))
    return any(
        state in _TRY_AGAIN or state.startswith(_TRY_AGAIN_CLASSES)
        for state in states
        if isinstance(state, str)
    )
