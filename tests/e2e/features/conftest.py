"""One running system for every test of a feature; each founds an organisation of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.features.organization import Organization
from tests.e2e.features.system import System, running_system


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything, started once."""
    folder: Path = tmp_path_factory.mktemp("system")
    with running_system(folder) as running:
        yield running


@pytest.fixture
def org(system: System) -> Organization:
    """An organisation of this test's own, with somebody of its staff signed in."""
    return system.organization()
