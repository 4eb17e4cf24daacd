"""One engine for several processes, alive for as long as any of them is.

A host process (`python -m textmanager.engines.shared KIND DIRECTORY`) runs the engine. Each
user holds a shared lock on a file; the host waits for an exclusive one, which the kernel gives
it when the last user has left or died, however it died. So nothing has to be told to stop, and
nothing is left behind. The data is thrown away at the end.
"""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from textmanager.engines.containers import KafkaContainer, PostgreSQLContainer, ValkeyContainer
from textmanager.engines.kafka import Kafka
from textmanager.engines.postgresql import PostgreSQL
from textmanager.engines.valkey import Valkey
from textmanager.errors import UserError
from textmanager.files import locked, tail, write_atomically

Kind = Literal[
    "kafka",
    "valkey",
    "postgresql",
    "kafka-container",
    "valkey-container",
    "postgresql-container",
]
POLL_SECONDS = 0.02
CLOSING_SECONDS = 20.0


class Runnable(Protocol):
    """An engine that can be started and thrown away."""

    @property
    def url(self) -> str:
        """The address that clients are given."""

    def start(self) -> None:
        """Start it."""

    def wait_ready(self) -> None:
        """Return once it answers."""

    def kill(self) -> None:
        """End it at once."""


def _engine(kind: Kind, directory: Path) -> Runnable:
    match kind:
        case "kafka":
            return Kafka(directory)
        case "valkey":
            return Valkey(directory)
        case "postgresql":
            return PostgreSQL(directory)
        case "kafka-container":
            return KafkaContainer()
        case "valkey-container":
            return ValkeyContainer()
        case "postgresql-container":
            return PostgreSQLContainer()


def _address_of(engine: Runnable) -> str:
    return engine.database_url if isinstance(engine, PostgreSQL) else engine.url


@contextmanager
def shared(kind: Kind, directory: Path) -> Iterator[str]:
    """The address of the engine that everybody who names this directory shares."""
    directory.mkdir(parents=True, exist_ok=True)
    # Every user needs an open file of its own, as the lock belongs to that.
    with (directory / "users.lock").open("a") as users:
        with locked(directory / "start.lock"):
            # Waits here while a former host is closing.
            fcntl.flock(users, fcntl.LOCK_SH)
            url = _address(directory) or _start_host(kind, directory)
        yield url


def wait_closed(directory: Path) -> None:
    """Return once no host runs on the directory, so that a run's end leaves no process."""
    lock = directory / "host.lock"
    deadline = time.monotonic() + CLOSING_SECONDS
    while lock.exists() and time.monotonic() < deadline:
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(POLL_SECONDS)


def _address(directory: Path) -> str | None:
    try:
        return str(json.loads((directory / "address.json").read_text())["url"])
    except FileNotFoundError:
        return None


def _start_host(kind: Kind, directory: Path) -> str:
    log = directory / "host.log"
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not subprocess.Popen, which complains about a child that outlives it, as this one may.
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "textmanager.engines.shared", kind, str(directory)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    while (url := _address(directory)) is None:
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            raise UserError(f"The shared {kind} did not start: {tail(log, lines=1)}")
        time.sleep(POLL_SECONDS)
    return url


def host(kind: Kind, directory: Path) -> None:
    """Run the engine until nobody uses it any more."""
    # A Ctrl-C is for the users; their leaving is what ends this.
    os.setsid()
    with locked(directory / "host.lock"), (directory / "users.lock").open("a") as users:
        engine = _engine(kind, directory / "state")
        try:
            engine.start()
            engine.wait_ready()
            write_atomically(directory / "address.json", json.dumps({"url": _address_of(engine)}))
            fcntl.flock(users, fcntl.LOCK_EX)
        finally:
            (directory / "address.json").unlink(missing_ok=True)
            engine.kill()
            shutil.rmtree(directory / "state", ignore_errors=True)


if __name__ == "__main__":
    try:
        host(sys.argv[1], Path(sys.argv[2]))  # type: ignore[arg-type]
    except UserError as error:
        sys.exit(str(error))
