"""The ledger, on each database that there is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.databases import DATABASES
from tests.sender.books import opened

from chassis.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A ledger of the test's own."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/data" if on_sqlite else DATABASES.make(tmp_path)
    async with opened(url) as store:
        yield store


@pytest.fixture
async def postgresql(postgresql_url: str) -> AsyncIterator[Store]:
    """A ledger on PostgreSQL, where transactions do overlap."""
    async with opened(postgresql_url) as store:
        yield store
