from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.notifier.facts import Clock, open_store

from chassis.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = open_store(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()
