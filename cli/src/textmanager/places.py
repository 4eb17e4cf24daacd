"""Where an installation keeps what operators' tools look at: its environment, or its `up`."""

import os
from pathlib import Path

from pydantic import SecretStr

from chassis.settings import ServiceSettings
from textmanager import keys
from textmanager.databases import database_of


def service_settings(state_dir: Path) -> ServiceSettings:
    """Return what a service of this installation is told, for tools that read its database."""
    key = os.environ.get("TEXTMANAGER_SECRET_KEY") or keys.secret_key(state_dir)
    return ServiceSettings(
        kafka_url=os.environ.get("TEXTMANAGER_KAFKA_URL", ""),
        database_url=database_of(state_dir, os.environ),
        secret_key=SecretStr(key),
        instance="operators-tools",
    )
