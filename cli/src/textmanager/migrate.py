"""`textmanager migrate`: brings every service's tables up to the revision of its code."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import is_database_outage, make_engine, schema_of
from chassis.revisions import is_behind
from chassis.settings import ServiceSettings
from textmanager.errors import UserError
from textmanager.services import installed, known, migrations_of

Say = Callable[[str], None]


def run(database: str, services: Sequence[str], say: Say) -> None:
    """Migrate these services, or all that are installed; tells of each, and what to do."""
    try:
        asyncio.run(migrate(database, services or installed(), say=say))
    except (OSError, SQLAlchemyError) as error:
        if isinstance(error, OSError) or is_database_outage(error):
            raise UserError(
                f"The database does not answer ({type(error).__name__}): start it, or correct "
                "TEXTMANAGER_DATABASE_URL. `textmanager up` migrates by itself."
            ) from error
        raise


async def migrate(database: str, services: Sequence[str], *, say: Say | None = None) -> None:
    """Bring the tables of these services up to their code, each in one transaction.

    Several at once wait for each other. Tables that are newer than the code stay as they are.
    """
    for service in services:
        migrations = migrations_of(known(service))
        # No connection to Kafka is made and no credential is opened here.
        settings = ServiceSettings(
            kafka_url="", database_url=database, secret_key=SecretStr(""), instance="migrate"
        )
        for store in await _stores(settings, service):
            if not await _behind(settings, store, migrations):
                if say is not None:
                    say(f"{store}: nothing to do.")
                continue
            # Loaded only where there is something to do: it takes a while.
            from chassis import migrating  # noqa: PLC0415

            before, after = await migrating.migrate(settings, name=store, migrations=migrations)
            if say is not None:
                say(f"{store}: from {before or 'nothing'} to {after}.")


async def _behind(settings: ServiceSettings, store: str, migrations: Path) -> bool:
    engine = make_engine(settings, store, power_safe=False)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(is_behind, migrations)
    finally:
        await engine.dispose()


async def _stores(settings: ServiceSettings, service: str) -> list[str]:
    """The service's store, and the generations of it that a rebuild has made (`..._g2`)."""
    base = schema_of(service)
    folder = settings.database_folder()
    if folder is not None:
        return [base, *sorted(file.stem for file in folder.glob(f"{base}_g[0-9]*.sqlite"))]
    engine = make_engine(settings, base, power_safe=False)
    query = text("SELECT nspname FROM pg_namespace WHERE nspname ~ :name ORDER BY nspname")
    try:
        async with engine.connect() as connection:
            found = await connection.scalars(query, {"name": f"^{base}_g[0-9]+$"})
            return [base, *found]
    finally:
        await engine.dispose()
