"""Read models on SQL for tests, fed by the service's own handlers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import delete, select
from tests.databases import DATABASES

from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from projections.subscribers import project
from readmodels.tables import FIGURES, MARKERS, METADATA, STORE_NAME


def settings(url: str) -> ServiceSettings:
    return ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
    )


def url(kind: str, folder: Path) -> str:
    """Return the address of a database of the kind."""
    return f"sqlite:///{folder}" if kind == "sqlite" else DATABASES.make(folder)


@dataclass
class Models:
    store: Store

    async def take(self, *events: Event) -> None:
        """Project events as one batch."""
        await self.take_sealed([seal(each) for each in events])

    async def take_sealed(self, batch: Sequence[Envelope[Event]]) -> None:
        """Project a batch as the chassis does: all of it at once."""
        async with self.store.transaction() as transaction:
            await project(transaction, list(batch))

    async def clear(self) -> None:
        async with self.store.transaction() as transaction:
            for table in METADATA.sorted_tables:
                await transaction.execute(delete(table))

    async def tables(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return every row of every table, in a fixed order."""
        found: dict[str, list[dict[str, Any]]] = {}
        async with self.store.read() as connection:
            for table in METADATA.sorted_tables:
                query = select(table).order_by(*table.primary_key.columns)
                rows = (await connection.execute(query)).mappings().all()
                found[table.name] = [dict(row) for row in rows]
        # A figure that went back to nothing is as if it had never been.
        for table in FIGURES:
            found[table.name] = [
                each for each in found[table.name] if each["messages"] or each["segments"]
            ]
        # It tells how often something came, not what.
        del found[MARKERS.name]
        return found


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Models]:
    store = Store(settings(address), name=STORE_NAME, metadata=METADATA)
    await store.start()
    models = Models(store)
    await models.clear()
    try:
        yield models
    finally:
        await store.stop()
