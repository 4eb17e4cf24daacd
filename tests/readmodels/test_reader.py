"""The read models are read whoever writes them, and whether or not they exist yet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.projections import facts as ours
from tests.projections.models import opened, settings, url
from tests.status import facts

from chassis.store import Store
from readmodels import queries
from readmodels.reader import Reader
from readmodels.tables import METADATA, STORE_NAME

AWKWARD = "a folder #1 100% mine?"


@pytest.fixture(
    params=[
        "sqlite",
        "postgresql",
    ]
)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url(request.param, tmp_path / AWKWARD.replace("?", ""))


@pytest.fixture
async def reader(address: str) -> AsyncIterator[Reader]:
    reader = Reader(settings(address))
    yield reader
    await reader.close()


async def known(reader: Reader) -> bool:
    async with reader.read() as connection:
        return await queries.run(connection, facts.ORGANIZATION, facts.RUN) is not None


async def test_what_is_written_is_read(reader: Reader, address: str) -> None:
    async with opened(address) as models:
        assert not await known(reader)
        await models.take(ours.due())
        assert await known(reader)


async def test_a_reader_writes_nothing(reader: Reader, address: str) -> None:
    async with opened(address):
        with pytest.raises(DBAPIError):
            async with reader.read() as connection:
                await connection.execute(text("DELETE FROM runs"))


async def test_before_anything_is_projected_all_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    reader = Reader(settings(url("sqlite", folder)))
    assert await asyncio.gather(*[known(reader) for _ in range(5)]) == [False] * 5
    assert not folder.exists()
    async with opened(url("sqlite", folder)) as models:
        await models.take(ours.due())
        assert await known(reader)
    await reader.close()


async def test_a_file_without_tables_reads_as_empty(tmp_path: Path) -> None:
    (tmp_path / f"{STORE_NAME}.sqlite").touch()
    reader = Reader(settings(url("sqlite", tmp_path)))
    assert not await known(reader)
    store = Store(settings(url("sqlite", tmp_path)), name=STORE_NAME, metadata=METADATA)
    await store.start()
    assert not await known(reader)
    await store.stop()
    await reader.close()
