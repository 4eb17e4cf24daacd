"""The gateway's own database, as its handlers see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.store import Store, Transaction
from gateway.adapters.answers import SqlAnswers, SqlPreviews
from gateway.adapters.campaigns import SqlCampaigns
from gateway.adapters.commands import SqlCommands, SqlQueries
from gateway.adapters.executor import Executor
from gateway.adapters.staff import SqlAttempts, SqlOrganizations, SqlSessions
from gateway.adapters.uploads import SqlUploads


class SqlReading:
    """One consistent picture."""

    def __init__(self, executor: Executor) -> None:
        self.organizations = SqlOrganizations(executor)
        self.sessions = SqlSessions(executor)
        self.attempts = SqlAttempts(executor)
        self.campaigns = SqlCampaigns(executor)
        self.previews = SqlPreviews(executor)
        self.answers = SqlAnswers(executor)
        self.commands = SqlCommands(executor)
        self.queries = SqlQueries(executor)
        self.uploads = SqlUploads(executor)


class SqlWork(SqlReading):
    """One transaction."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self.outbox = transaction


class SqlDesk:
    """Opens pictures and transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlReading]:
        """Look, without waiting for writers."""
        async with self._store.read() as connection:
            yield SqlReading(connection)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[SqlWork]:
        """Change things; nothing else may be awaited inside."""
        async with self._store.transaction() as transaction:
            yield SqlWork(transaction)
