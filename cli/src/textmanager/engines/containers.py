"""The engines as containers, for running the suite as a deployment has them."""

import secrets
import socket
import time
from typing import Any

from textmanager.engines.ports import HOST, free_port
from textmanager.errors import UserError

KAFKA_IMAGE = "apache/kafka:4.3.1"
VALKEY_IMAGE = "valkey/valkey:9.1"
POSTGRESQL_IMAGE = "postgres:17"
READY_SECONDS = 120.0
POLL_SECONDS = 0.1


def docker_answers() -> str | None:
    """None when a Docker engine answers; else why there is none."""
    # A development dependency, absent from an installation of the command line.
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415
    import docker.errors  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        client = docker.from_env()
        try:
            client.ping()
        finally:
            client.close()
    except docker.errors.DockerException as error:
        return f"no Docker engine answers ({str(error).splitlines()[0][:80]})"
    return None


class _Container:
    """A container whose one port is published on a port of 127.0.0.1 that is known before."""

    def __init__(self, image: str, inner_port: int) -> None:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - as above

        self.port = free_port()
        self.container: Any = DockerContainer(image).with_bind_ports(inner_port, self.port)

    def start(self) -> None:
        """Pull the image if need be, and start it."""
        self.container.start()

    def wait_ready(self) -> None:
        """Return once the port takes connections."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection((HOST, self.port), timeout=1):
                    return
            except OSError:
                time.sleep(POLL_SECONDS)
        raise UserError(f"{self.container.image} did not answer within {READY_SECONDS:.0f} s.")

    def kill(self) -> None:
        """Remove the container with its data."""
        self.container.stop()


class KafkaContainer(_Container):
    """Apache Kafka's own image, one node."""

    def __init__(self) -> None:
        super().__init__(KAFKA_IMAGE, 9092)
        settings = {
            "NODE_ID": "1",
            "PROCESS_ROLES": "broker,controller",
            "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "ADVERTISED_LISTENERS": f"PLAINTEXT://{self.url}",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "AUTO_CREATE_TOPICS_ENABLE": "false",
        }
        for name, value in settings.items():
            self.container.with_env(f"KAFKA_{name}", value)

    @property
    def url(self) -> str:
        """The bootstrap server."""
        return f"{HOST}:{self.port}"


class ValkeyContainer(_Container):
    """Valkey's own image."""

    def __init__(self) -> None:
        super().__init__(VALKEY_IMAGE, 6379)

    @property
    def url(self) -> str:
        """The address, as redis clients take it."""
        return f"redis://{HOST}:{self.port}/0"


class PostgreSQLContainer(_Container):
    """PostgreSQL's own image."""

    def __init__(self) -> None:
        super().__init__(POSTGRESQL_IMAGE, 5432)
        self._password = secrets.token_urlsafe(16)
        self.container.with_env("POSTGRES_USER", "textmanager")
        self.container.with_env("POSTGRES_PASSWORD", self._password)
        self.container.with_command("postgres -c max_connections=300")

    @property
    def url(self) -> str:
        """The address with the password."""
        return f"postgresql://textmanager:{self._password}@{HOST}:{self.port}/textmanager"

    def wait_ready(self) -> None:
        """Return once the image has made its database and takes connections for good."""
        from testcontainers.core.waiting_utils import wait_for_logs  # noqa: PLC0415 - as above

        # It starts twice, the first time for itself alone.
        wait_for_logs(self.container, r"(?s)(ready to accept connections.*){2}", READY_SECONDS)
        super().wait_ready()
