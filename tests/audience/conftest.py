"""The ports, in memory and on each database."""

from collections.abc import AsyncIterator

import pytest
from tests.audience.orders import settings_changed
from tests.audience.rigs import MemoryRig, Rig, postgres_rig, sqlite_rig


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    match request.param:
        case "memory":
            memory = MemoryRig()
            await memory.change_settings(settings_changed())
            yield memory
        case "sqlite":
            async with sqlite_rig(with_settings=True) as sqlite:
                yield sqlite
        case _:
            async with postgres_rig() as postgres:
                await postgres.change_settings(settings_changed())
                yield postgres
