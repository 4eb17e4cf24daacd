"""Brings a service's tables up to its code's revision, and writes the next one (Alembic).

No service imports this: it costs half a second that a process that is started anew would lose.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, event
from sqlalchemy.engine import Connection

from chassis.database import alone, make_engine
from chassis.instants import Instant
from chassis.revisions import REVISION, is_behind, newest, present
from chassis.settings import ServiceSettings

WAIT_MS = 600_000
"""How long a migration waits for another one on the same SQLite file, or for writers."""


async def migrate(
    settings: ServiceSettings, *, name: str, migrations: Path
) -> tuple[str | None, str | None]:
    """Bring the tables of one store up to its newest revision; returns that of before and after.

    Several at once wait for each other, and the later ones find nothing to do. It is done in one
    transaction, so a migration that fails or dies leaves everything as it was.
    """
    engine = make_engine(settings, name, power_safe=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _wait_longer)
    try:
        async with alone(engine, name) as connection:
            return await connection.run_sync(upgrade, migrations)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, migrations: Path) -> tuple[str | None, str | None]:
    """Run the revisions that are missing in the transaction at hand."""
    before = present(connection)
    if not is_behind(connection, migrations):
        return before, before
    script = _script(migrations)

    def missing(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=missing) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
    return before, newest(migrations)


def write_next(
    connection: Connection, metadata: MetaData, migrations: Path, *, words: str
) -> Path | None:
    """Write the revision that leads from the tables at hand to the metadata, if there is any.

    The tables must be at the newest revision. What it writes is a draft: Alembic sees no change
    of a name and knows no data, so a person reads it before it is committed.
    """
    context = MigrationContext.configure(
        connection,
        opts={
            "target_metadata": metadata,
            "compare_type": True,
            "compare_server_default": _other_default,
            "include_name": _is_ours,
        },
    )
    steps = produce_migrations(context, metadata).upgrade_ops
    if steps is None or steps.is_empty():
        return None
    before = newest(migrations)
    number = f"{int(before or 0) + 1:04}"
    file = migrations / "versions" / f"{number}_{'_'.join(words.lower().split())}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_file(number, before, words, steps, context))
    return file


def differences(connection: Connection, metadata: MetaData) -> list[Any]:
    """Return what Alembic would change to make the tables as the metadata says."""
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": _other_default,
            "include_name": _is_ours,
        },
    )
    steps = produce_migrations(context, metadata).upgrade_ops
    return [] if steps is None else list(steps.as_diffs())


def _script(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory(str(migrations))


def _wait_longer(connection: Any, _entry: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={WAIT_MS}")
    cursor.close()


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return not (kind == "table" and name == REVISION.name)


def _other_default(
    _context: Any, _found: Any, _wanted: Any, found: str | None, _default: Any, wanted: str | None
) -> bool:
    """Whether a column's default is another one, however the database writes it."""
    return _bare(found) != _bare(wanted)


def _bare(default: str | None) -> str | None:
    return None if default is None else default.split("::")[0].strip("()'")


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write a column's type as the database has it: a revision must not follow our code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.BigInteger()"
    return False


def _file(
    number: str, before: str | None, words: str, steps: UpgradeOps, context: MigrationContext
) -> str:
    body = render_python_code(
        steps,
        migration_context=context,
        render_item=_render,
        # SQLite changes a column by copying the table.
        render_as_batch=before is not None,
    )
    return "\n".join(
        [
            f'"""{words[:1].upper()}{words[1:]}."""',
            "",
            "import sqlalchemy as sa",
            "from alembic import op",
            "",
            f'revision = "{number}"',
            f"down_revision = {f'{chr(34)}{before}{chr(34)}' if before else None}",
            "",
            "",
            "def upgrade() -> None:",
            f'    """{_promise(number)}"""',
            *_without_advice(body.splitlines()),
            "",
        ]
    )


def _promise(number: str) -> str:
    if number == "0001":
        return "Create the tables."
    return "Go on from the revision before."


def _without_advice(lines: Iterable[str]) -> Iterable[str]:
    """Leave out Alembic's own comments about what it wrote."""
    return (line for line in lines if not line.lstrip().startswith("# ###"))
