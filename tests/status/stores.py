"""A store of the status service on each database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr
from tests.databases import DATABASES

from chassis.settings import ServiceSettings
from chassis.store import Store
from status.adapters.tables import METADATA

BACKENDS = ["fake", "sqlite", "postgresql"]


@asynccontextmanager
async def status_store(kind: str, folder: Path) -> AsyncIterator[Store]:
    """Open a store with empty tables."""
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=DATABASES.make(folder) if kind == "postgresql" else f"sqlite:///{folder}",
        secret_key=SecretStr(Fernet.generate_key().decode()),
    )
    store = Store(settings, name="status", metadata=METADATA)
    await store.start()
    yield store
    await store.stop()
