"""Read models on each database, fed by the projections' own handlers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.projections.models import Models, opened, url


@pytest.fixture(params=["sqlite", "postgresql"])
async def models(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Models]:
    async with opened(url(request.param, tmp_path)) as models:
        yield models
