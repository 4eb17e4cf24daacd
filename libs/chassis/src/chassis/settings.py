"""What every service is told by its environment."""

import socket
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """The addresses and the identity of one process."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_", extra="ignore", frozen=True)

    kafka_url: str
    """`host:port`, several by commas."""
    database_url: str
    """`sqlite:///FOLDER` (one file a service) or `postgresql://...` (one schema a service)."""
    database_connections: int = Field(default=8, ge=2)
    """At most so many connections of a process to PostgreSQL at once."""
    secret_key: SecretStr
    """The Fernet key under which credentials are kept."""
    instance: str = Field(default_factory=socket.gethostname)
    """The slot that this process fills; a process that takes its place has the same name."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    topic_prefix: str = ""
    log_level: str = "INFO"
    relay_idle_seconds: float = 1.0
    orphan_seconds: float = 10.0
    """After how long without a sign of life another process's outbox rows are taken over."""

    def topic(self, name: str) -> str:
        """Return a topic's name on the broker."""
        return self.topic_prefix + name

    def database_folder(self) -> Path | None:
        """Return the folder of the SQLite files, or None on PostgreSQL."""
        scheme, _, path = self.database_url.partition("://")
        return (
            Path(path.removeprefix("/") if path.startswith("//") else path)
            if (scheme == "sqlite")
            else None
        )
