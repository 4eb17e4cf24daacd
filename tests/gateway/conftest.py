from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateway.client import Client
from tests.gateway.rig import Rig, rigged


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A gateway with one organisation, DEMO."""
    async with rigged(tmp_path) as made:
        await made.organization()
        yield made


@pytest.fixture
async def staff(rig: Rig) -> Client:
    """Somebody who is signed in at DEMO."""
    return await rig.staff()


@pytest.fixture
async def stranger(rig: Rig) -> Client:
    """Somebody who is signed in at another organisation."""
    await rig.organization("OTHER")
    return await rig.staff("OTHER")
