"""Where an installation keeps what operators' tools look at: its environment, or its `up`."""

import os
from pathlib import Path

from pydantic import SecretStr

from chassis.settings import ServiceSettings
from textmanager import keys, runfile


def database_of(state_dir: Path) -> str:
    """Return the services' database: the environment's, else that of the directory's `up`."""
    if given := os.environ.get("TEXTMANAGER_DATABASE_URL"):
        return given
    for process in runfile.read(state_dir):
        if process.name == "postgresql":
            return process.url
    return f"sqlite:///{state_dir.resolve() / 'data'}"


def service_settings(state_dir: Path) -> ServiceSettings:
    """Return what a service of this installation is told, for tools that read its database."""
    key = os.environ.get("TEXTMANAGER_SECRET_KEY") or keys.secret_key(state_dir)
    return ServiceSettings(
        kafka_url=os.environ.get("TEXTMANAGER_KAFKA_URL", ""),
        database_url=database_of(state_dir),
        secret_key=SecretStr(key),
        instance="operators-tools",
    )
