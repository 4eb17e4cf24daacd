"""What runs SQL: a transaction, or a connection that only reads."""

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store import Transaction

Executor = Transaction | AsyncConnection


def connection_of(executor: Executor) -> AsyncConnection:
    """Return the connection, which knows the dialect."""
    return executor if isinstance(executor, AsyncConnection) else executor.connection
