from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.notifier.facts import Clock, Told, due, open_store, scheduled, settings_changed

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


@pytest.fixture
async def told(store: Store, clock: Clock) -> Told:
    """Hand over events of an organisation with one campaign that is due."""
    made = Told(store, clock)
    await made.tell(settings_changed(), scheduled(), due())
    return made
