"""The real engines, started once for a whole run of the suite and shared by its workers.

A test that takes `kafka_url`, `redis_url` or `postgresql_url` gets the real thing. Every test has
the same broker, so each makes its topics under a `topic_prefix` of its own; its databases are its
own as well (`database_url`, tests/databases.py). TEXTMANAGER_TEST_KAFKA_URL, ..._REDIS_URL and
..._POSTGRES_URL name engines that run already; ENGINES=containers takes them from Docker.
TEXTMANAGER_TEST_DATABASE=postgresql runs the whole suite on PostgreSQL.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.databases import DATABASES, ON_POSTGRESQL, database_in
from textmanager.engines.containers import docker_answers
from textmanager.engines.shared import Kind, shared, wait_closed

RUN_DIRECTORY = pytest.StashKey[Path]()
ENGINE_NAMES = ("kafka", "valkey", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Agree on a directory: the controlling process makes it and tells the workers."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[RUN_DIRECTORY] = (
        Path(tempfile.mkdtemp(prefix="textmanager-tests-"))
        if worker is None
        else Path(worker["textmanager_run_directory"])
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the shared engines are."""
    node.workerinput["textmanager_run_directory"] = str(node.config.stash[RUN_DIRECTORY])


def pytest_unconfigure(config: pytest.Config) -> None:
    """See the shared engines end with the run, so that it leaves no process behind."""
    if hasattr(config, "workerinput"):
        return
    directory = config.stash[RUN_DIRECTORY]
    for name in ENGINE_NAMES:
        wait_closed(directory / name)
    shutil.rmtree(directory, ignore_errors=True)


def _engine(request: pytest.FixtureRequest, name: str, variable: str) -> Iterator[str]:
    if given := os.environ.get(variable):
        yield given
        return
    kind = cast("Kind", name)
    if os.environ.get("ENGINES") == "containers":
        if (reason := docker_answers()) is not None:
            pytest.skip(f"ENGINES=containers, but {reason}")
        kind = cast("Kind", f"{name}-container")
    with shared(kind, request.config.stash[RUN_DIRECTORY] / name) as url:
        yield url


@pytest.fixture(scope="session")
def kafka_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The bootstrap server of a real Kafka that the whole run shares."""
    yield from _engine(request, "kafka", "TEXTMANAGER_TEST_KAFKA_URL")


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a real Valkey that the whole run shares."""
    yield from _engine(request, "valkey", "TEXTMANAGER_TEST_REDIS_URL")


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a real PostgreSQL that the whole run shares."""
    for url in _engine(request, "postgresql", "TEXTMANAGER_TEST_POSTGRES_URL"):
        DATABASES.server = url
        yield url


@pytest.fixture(autouse=True)
def own_databases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start PostgreSQL for a test that needs it, and drop what was the test's own."""
    callspec: Any = getattr(request.node, "callspec", None)
    named = callspec is not None and "postgresql" in callspec.params.values()
    if named or ON_POSTGRESQL:
        request.getfixturevalue("postgresql_server")
    yield
    DATABASES.drop()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The address of a database of this test's own, on the database that the run is for."""
    return database_in(tmp_path / "data")


@pytest.fixture
def postgresql_url(postgresql_server: str, tmp_path: Path) -> str:
    """The address of a database of this test's own on PostgreSQL."""
    del postgresql_server
    return DATABASES.make(tmp_path)


@pytest.fixture
def topic_prefix() -> str:
    """What this test's topics are named with, so that it shares the broker with all others."""
    return f"t-{uuid.uuid4().hex[:10]}."
