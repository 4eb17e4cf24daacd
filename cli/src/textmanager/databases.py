"""Which database an installation keeps its data in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast, get_args

from textmanager.engines.postgresql import PostgreSQL
from textmanager.errors import UserError

Database = Literal["sqlite", "postgresql"]


def chosen(name: str) -> Database | None:
    """The database of that name; None for no name: then it is the one that the state has."""
    if not name:
        return None
    if name not in get_args(Database):
        raise UserError(f"--database is sqlite or postgresql, not {name!r}.")
    return cast("Database", name)


def kept_in(state_dir: Path) -> Database | None:
    """The database that a state directory has its data in; None while it has none."""
    if PostgreSQL.is_in(state_dir):
        return "postgresql"
    if any((state_dir / "data").glob("*.sqlite")):
        return "sqlite"
    return None


def decided(state_dir: Path, asked: Database | None, environ: Mapping[str, str]) -> Database | None:
    """The embedded database to run on; None when the environment names one of the user's.

    Raises UserError rather than begin anew beside data that the state directory has already.
    """
    if environ.get("TEXTMANAGER_DATABASE_URL"):
        if asked is not None:
            raise UserError(
                "TEXTMANAGER_DATABASE_URL names a database, and --database asks for one of our "
                "own: leave one of them out."
            )
        return None
    kept = kept_in(state_dir)
    if asked is not None and kept is not None and asked != kept:
        raise UserError(
            f"{state_dir} keeps its data in {kept}, and {asked} would begin without it: leave "
            "--database out, or name another directory with --state."
        )
    return asked or kept or "sqlite"


def database_of(state_dir: Path, environ: Mapping[str, str]) -> str:
    """The database's address, with its password, for tools that look at an installation."""
    if given := environ.get("TEXTMANAGER_DATABASE_URL"):
        return given
    if kept_in(state_dir) == "postgresql":
        return PostgreSQL.address(state_dir)
    return sqlite_in(state_dir)


def sqlite_in(state_dir: Path) -> str:
    """The address of the SQLite files of a state directory."""
    return f"sqlite:///{state_dir.resolve() / 'data'}"
