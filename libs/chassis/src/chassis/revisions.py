"""Which revision a service's tables are at, and whether its code can work on them.

A service's package keeps its revisions in `migrations/versions`, one file each, numbered without
gaps: `0001_first.py`, `0002_words.py`. Forward only: each adds to what the one before left, in a
way that the code of before still works on, so that processes can be replaced one by one.
"""

from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table, delete, insert, inspect, select
from sqlalchemy.engine import Connection

REVISION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


class SchemaBehind(Exception):
    """The tables are older than the code; `textmanager migrate` brings them up to it."""


def numbered(migrations: Path) -> dict[str, Path]:
    """Return the revisions of a service in their order, each with its file."""
    files = sorted((migrations / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
    return {file.name[:4]: file for file in files}


def newest(migrations: Path) -> str | None:
    """Return the newest revision of a service's code, or None when it has no tables yet."""
    return next(reversed(numbered(migrations)), None)


def present(connection: Connection) -> str | None:
    """Return the revision that the tables are at, or None when there are none."""
    if not inspect(connection).has_table(REVISION.name):
        return None
    found: str | None = connection.scalar(select(REVISION.c.version_num))
    return found


def is_behind(connection: Connection, migrations: Path) -> bool:
    """Whether the tables are older than the code; newer ones are what forward-only is for."""
    return (present(connection) or "") < (newest(migrations) or "")


def require(connection: Connection, migrations: Path, *, name: str) -> None:
    """Raise SchemaBehind unless the code can work on the tables."""
    if is_behind(connection, migrations):
        raise SchemaBehind(
            f"The tables of {name} are at revision {present(connection) or 'none'}, and this "
            f"version needs {newest(migrations)}: run `textmanager migrate` first."
        )


def stamp(connection: Connection, migrations: Path) -> None:
    """Write down that the tables are as of the newest revision."""
    if (revision := newest(migrations)) is not None:
        REVISION.create(connection, checkfirst=True)
        connection.execute(delete(REVISION))
        connection.execute(insert(REVISION).values(version_num=revision))
