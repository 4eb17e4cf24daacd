from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.imis_client.sites import OpenSite, Site

from imis_client import ImisClient, Version
from simulators.imis import ImisSimulator, Settings
from simulators.shared import running

PREFIX = "/Asi.Scheduler_demo"


@pytest.fixture
async def open_site(tmp_path: Path) -> AsyncIterator[OpenSite]:
    async with AsyncExitStack() as stack:

        async def open_one(version: Version) -> Site:
            settings = Settings(profile=version, prefix=PREFIX, recipients=1200, seed=7)
            simulator = ImisSimulator(settings, state=tmp_path / version)
            url = await stack.enter_async_context(running(simulator)) + PREFIX
            client = ImisClient(url + "/", "textmanager", SecretStr("service-pass"), version)
            await stack.enter_async_context(client)
            return Site(simulator, url, client)

        yield open_one


@pytest.fixture
async def ems(open_site: OpenSite) -> Site:
    return await open_site("ems")


@pytest.fixture(params=["ems", "2017"])
async def site(open_site: OpenSite, request: pytest.FixtureRequest) -> Site:
    """Run the test once for each version of iMIS."""
    return await open_site(request.param)
