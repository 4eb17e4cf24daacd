from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.imis_writer.desk import Desk
from tests.imis_writer.kept import FakeLedger, Kept, SqlKept, open_store

from chassis.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = open_store(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["fake", "sql"])
def kept(request: pytest.FixtureRequest, store: Store) -> Kept:
    """The ledger and its intake, in memory and in SQL."""
    return FakeLedger() if request.param == "fake" else SqlKept(store)


@pytest.fixture
def desk(kept: Kept) -> Desk:
    return Desk(kept)
