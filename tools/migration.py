"""Writes the next revision of a service's tables: `python tools/migration.py SERVICE "words"`.

It compares what the revisions so far result in with the tables of the code, on an empty SQLite.
Read what it wrote before you commit it: it sees no renaming and moves no data. Every revision
must leave what the code of before still works on, since processes are replaced one by one.

With `--anew` it writes the first revision again, for tables that nobody has yet.
"""

import argparse
import asyncio
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from chassis import migrating
from chassis.database import alone, make_engine
from chassis.service import Service
from chassis.settings import ServiceSettings
from textmanager.services import SERVICES, migrations_of


def settings_in(folder: str) -> ServiceSettings:
    """Make an environment that every service can be put together in, without an outside."""
    for name, value in {
        "KAFKA_URL": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": f"sqlite:///{folder}",
        "TWILIO_URL": "http://127.0.0.1:1",
        "IMIS_URL": "http://127.0.0.1:1",
        "PUBLIC_URL": "http://127.0.0.1:1",
        "SECRET_KEY": Fernet.generate_key().decode(),
        "OPERATOR_TOKEN": "0" * 43,
    }.items():
        os.environ[f"TEXTMANAGER_{name}"] = value
    return ServiceSettings()


async def write(service: str, words: str, *, anew: bool) -> Path | None:
    """Write the revision; returns its file, or None when the tables are as the code says."""
    migrations = migrations_of(service)
    if anew:
        for file in (migrations / "versions").glob("*.py"):
            file.unlink()
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(folder)
        made: Service = importlib.import_module(f"{service.replace('-', '_')}.app").make()
        await migrating.migrate(settings, name=service, migrations=migrations)
        engine = make_engine(settings, service, power_safe=False)
        async with alone(engine, service) as connection:
            written = await connection.run_sync(
                migrating.write_next, made.store.metadata, migrations, words=words
            )
        await engine.dispose()
        await made.store.stop()
    return written


def main() -> None:
    """Read the command line, write, and format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("service", choices=[*SERVICES, "all"])
    parser.add_argument("words", help="what the revision is for, as in 'waiting since'")
    parser.add_argument("--anew", action="store_true", help="write the first revision again")
    asked = parser.parse_args()
    for service in SERVICES if asked.service == "all" else [asked.service]:
        file = asyncio.run(write(service, asked.words, anew=asked.anew))
        if file is None:
            print(f"{service}: its tables are as the revisions say.")
            continue
        ruff = Path(sys.executable).with_name("ruff")
        subprocess.run([ruff, "format", "--quiet", file], check=True)
        subprocess.run([ruff, "check", "--quiet", "--fix", file], check=True)
        print(f"{service}: wrote {file}; read it before you commit it.")


if __name__ == "__main__":
    main()
