"""Every service's revisions lead to its tables, once, whoever runs them and however often."""

import asyncio
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Column, Integer, MetaData, String, Table, inspect, select, text
from sqlalchemy.engine import Connection
from tests.databases import DATABASES

from chassis import migrating
from chassis.database import alone, make_engine
from chassis.revisions import REVISION, SchemaBehind, newest, numbered
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.store import Store
from textmanager.errors import UserError
from textmanager.migrate import migrate, run
from textmanager.services import SERVICES, migrations_of, package_of

ON_BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

FIRST = '''"""First."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table("things", sa.Column("name", sa.String(20), primary_key=True))
'''
SECOND = '''"""Weights."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go on from the revision before."""
    op.add_column("things", sa.Column("weight", sa.Integer, server_default="0"))
'''
BROKEN = '''"""Broken."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Fail half-way."""
    op.add_column("things", sa.Column("height", sa.Integer))
    op.execute("INSERT INTO nowhere VALUES (1)")
'''


def settings_on(kind: str, folder: Path) -> ServiceSettings:
    return ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=DATABASES.make(folder) if kind == "postgresql" else f"sqlite:///{folder}",
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
    )


def things() -> MetaData:
    metadata = MetaData()
    Table("things", metadata, Column("name", String(20), primary_key=True))
    return metadata


def revisions(folder: Path, *files: str) -> Path:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files, 1):
        (versions / f"{number:04}_it.py").write_text(file)
    return folder / "migrations"


def made(service: str, settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service as it is put together, so that its tables are those that it uses."""
    monkeypatch.setenv("TEXTMANAGER_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("TEXTMANAGER_PUBLIC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TEXTMANAGER_TWILIO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TEXTMANAGER_OPERATOR_TOKEN", "0" * 43)
    service_made: Service = importlib.import_module(f"{package_of(service)}.app").make(settings)
    return service_made


def shape(connection: Connection) -> dict[str, Any]:
    """Everything about the tables that a statement can meet, as the database says it."""
    found: dict[str, Any] = {}
    looking = inspect(connection)
    for name in sorted(set(looking.get_table_names()) - {REVISION.name}):
        found[name] = {
            "columns": sorted(
                (each["name"], str(each["type"]), each["nullable"], str(each["default"]))
                for each in looking.get_columns(name)
            ),
            "key": looking.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(str(each) for each in looking.get_unique_constraints(name)),
            "foreign": sorted(str(each) for each in looking.get_foreign_keys(name)),
            "checks": sorted(str(each) for each in looking.get_check_constraints(name)),
        }
    if connection.dialect.name == "postgresql":
        indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    else:
        indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        options = "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main'"
        found["options"] = sorted(
            str(each) for each in connection.execute(text(options)) if each.name != REVISION.name
        )
        sequences = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
        found["sequences"] = sorted(connection.scalars(text(sequences)))
    found["indexes"] = sorted(
        each for each in connection.scalars(text(indexes)) if REVISION.name not in each
    )
    return found


async def shape_of(settings: ServiceSettings, name: str) -> dict[str, Any]:
    engine = make_engine(settings, name, power_safe=False)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(shape)
    finally:
        await engine.dispose()


@ON_BOTH
@pytest.mark.parametrize("service", SERVICES)
async def test_the_revisions_of_a_service_lead_to_exactly_its_tables(
    service: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_revisions = settings_on(kind, tmp_path / "revisions")
    at_once = settings_on(kind, tmp_path / "at-once")
    store = made(service, at_once, monkeypatch).store
    await store.create_tables()
    await migrate(by_revisions.database_url, [service])
    wanted = await shape_of(at_once, service)
    assert await shape_of(by_revisions, service) == wanted
    assert "outbox" in wanted

    async with store.read() as connection:
        assert await connection.run_sync(migrating.differences, store.metadata) == []
    await store.stop()
    # Again, it finds nothing to do.
    said: list[str] = []
    await migrate(by_revisions.database_url, [service], say=said.append)
    assert said == [f"{package_of(service)}: nothing to do."]
    assert await shape_of(by_revisions, service) == wanted


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_starts_on_no_tables_that_are_older_than_its_code(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made(service, settings_on("sqlite", tmp_path), monkeypatch).store
    with pytest.raises(SchemaBehind, match="run `textmanager migrate` first"):
        await store.start()
    await store.stop()


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_numbered_without_a_gap_and_each_follows_the_one_before(
    service: str,
) -> None:
    files = numbered(migrations_of(service))
    assert list(files) == [f"{number:04}" for number in range(1, len(files) + 1)]
    before = "None"
    for number, file in files.items():
        written = file.read_text()
        assert f'\nrevision = "{number}"\n' in written
        assert f"\ndown_revision = {before}\n" in written
        assert "def downgrade" not in written
        before = f'"{number}"'


@ON_BOTH
async def test_tables_of_a_later_version_are_worked_on(kind: str, tmp_path: Path) -> None:
    settings = settings_on(kind, tmp_path / "data")
    older = revisions(tmp_path / "older", FIRST)
    later = revisions(tmp_path / "later", FIRST, SECOND)
    assert await migrating.migrate(settings, name="x", migrations=later) == (None, "0002")
    store = Store(settings, name="x", metadata=things(), migrations=older)
    await store.start()
    async with store.transaction() as transaction:
        await transaction.execute(text("INSERT INTO things (name) VALUES ('old')"))
    await store.stop()
    # A deployment of the older version changes nothing back.
    assert await migrating.migrate(settings, name="x", migrations=older) == ("0002", "0002")


@ON_BOTH
async def test_data_outlives_an_upgrade_and_a_service_waits_for_it(
    kind: str, tmp_path: Path
) -> None:
    settings = settings_on(kind, tmp_path / "data")
    older = revisions(tmp_path / "older", FIRST)
    later = revisions(tmp_path / "later", FIRST, SECOND)
    await migrating.migrate(settings, name="x", migrations=older)
    store = Store(settings, name="x", metadata=things(), migrations=later)
    async with store.transaction() as transaction:
        await transaction.execute(text("INSERT INTO things (name) VALUES ('kept')"))
    with pytest.raises(SchemaBehind, match="are at revision 0001, and this version needs 0002"):
        await store.start()
    assert await migrating.migrate(settings, name="x", migrations=later) == ("0001", "0002")
    await store.start()
    async with store.read() as connection:
        assert (await connection.execute(text("SELECT * FROM things"))).all() == [("kept", 0)]
    await store.stop()


@ON_BOTH
async def test_an_upgrade_that_fails_half_way_leaves_all_as_it_was(
    kind: str, tmp_path: Path
) -> None:
    settings = settings_on(kind, tmp_path / "data")
    await migrating.migrate(settings, name="x", migrations=revisions(tmp_path / "one", FIRST))
    before = await shape_of(settings, "x")
    broken = revisions(tmp_path / "two", FIRST, SECOND, BROKEN)
    with pytest.raises(Exception, match="nowhere"):
        await migrating.migrate(settings, name="x", migrations=broken)
    assert await shape_of(settings, "x") == before
    engine = make_engine(settings, "x", power_safe=False)
    async with engine.connect() as connection:
        assert (await connection.scalars(select(REVISION.c.version_num))).all() == ["0001"]
    await engine.dispose()


@ON_BOTH
async def test_several_at_once_wait_for_each_other(kind: str, tmp_path: Path) -> None:
    url = settings_on(kind, tmp_path / "data").database_url
    environment = {**os.environ, "TEXTMANAGER_DATABASE_URL": url}
    command = [sys.executable, "-m", "textmanager", "migrate", "gateway", "sender"]
    running = [
        await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    told = [await each.communicate() for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], told
    assert sum(out.count(b"sender: from nothing") for out, _ in told) >= 1


@ON_BOTH
async def test_every_generation_of_a_store_is_migrated(kind: str, tmp_path: Path) -> None:
    settings = settings_on(kind, tmp_path / "data")
    for name in ("projections_g2", "projections_g3", "projections_pointer"):
        engine = make_engine(settings, name, power_safe=False)
        async with alone(engine, name) as connection:
            await connection.execute(text("CREATE TABLE other (n INTEGER)"))
        await engine.dispose()
    said: list[str] = []
    await migrate(settings.database_url, ["projections"], say=said.append)
    to = newest(migrations_of("projections"))
    assert said == [
        f"{name}: from nothing to {to}."
        for name in ("projections", "projections_g2", "projections_g3")
    ]


@ON_BOTH
async def test_the_next_revision_is_written_from_the_difference(kind: str, tmp_path: Path) -> None:
    settings = settings_on(kind, tmp_path / "data")
    migrations = revisions(tmp_path, FIRST)
    await migrating.migrate(settings, name="x", migrations=migrations)
    grown = things()
    grown.tables["things"].append_column(Column("weight", Integer))
    engine = make_engine(settings, "x", power_safe=False)
    async with alone(engine, "x") as connection:
        written = await connection.run_sync(
            migrating.write_next, grown, migrations, words="Weigh things"
        )
    assert written == migrations / "versions" / "0002_weigh_things.py"
    await migrating.migrate(settings, name="x", migrations=migrations)
    async with alone(engine, "x") as connection:
        again = await connection.run_sync(
            migrating.write_next, grown, migrations, words="Nothing is left"
        )
    await engine.dispose()
    assert again is None


def test_a_database_that_is_away_is_told_in_one_sentence() -> None:
    with pytest.raises(UserError, match="The database does not answer"):
        run("postgresql://nobody@127.0.0.1:1/nothing", ["status"], lambda _: None)


def test_an_image_of_one_service_migrates_without_the_command_line(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules.update(typer=None, rich=None, psutil=None);"
        "sys.argv = ['textmanager', 'migrate', 'status'];"
        "from textmanager.main import main; main()"
    )
    environment = {**os.environ, "TEXTMANAGER_DATABASE_URL": f"sqlite:///{tmp_path}"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (0, "status: from nothing to 0001.\n"), told.stderr


def test_a_service_does_not_load_what_migrates() -> None:
    imports = ", ".join(f"{package_of(service)}.app" for service in SERVICES)
    code = f"import sys, {imports}; sys.exit(any('alembic' in each for each in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
