"""The databases of the tests: SQLite files, or on PostgreSQL one database for each folder.

`TEXTMANAGER_TEST_DATABASE=postgresql` runs every test that has a database on PostgreSQL, except
those that name theirs (a port's suite runs on both).
"""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from textmanager.engines.postgresql import binaries

ON_POSTGRESQL = os.environ.get("TEXTMANAGER_TEST_DATABASE", "sqlite") == "postgresql"

DATABASE = "postgresql" if ON_POSTGRESQL else "sqlite"
"""What `textmanager up` and `textmanager demo` call the database that the run is for."""

ABOUT_SQLITE = pytest.mark.skipif(ON_POSTGRESQL, reason="it is about SQLite's one writer")
"""A test of what PostgreSQL doesn't have."""


class Databases:
    """What was made on the server for the test that runs now."""

    def __init__(self) -> None:
        self.server = ""
        self._made: dict[Path, str] = {}

    def make(self, folder: Path) -> str:
        """The database of a folder on PostgreSQL: made when it is asked for the first time."""
        if folder not in self._made:
            name = f"t_{uuid4().hex[:16]}"
            self._say(f"CREATE DATABASE {name}")
            self._made[folder] = name
        return urlsplit(self.server)._replace(path=f"/{self._made[folder]}").geturl()

    def drop(self) -> None:
        """Drop what the test that ends had, whoever is still connected."""
        for name in self._made.values():
            self._say(f"DROP DATABASE {name} WITH (FORCE)")
        self._made.clear()

    def _say(self, statement: str) -> None:
        psql = [str(binaries() / "psql"), self.server, "-XqAt", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*psql, "-c", statement], check=True, capture_output=True)


DATABASES = Databases()


def database_in(folder: Path) -> str:
    """The address of the database that belongs to a folder of the test's own."""
    return DATABASES.make(folder) if ON_POSTGRESQL else f"sqlite:///{folder}"
