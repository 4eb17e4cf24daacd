"""What both engines share: prepared once, spawned, waited for, stopped or killed."""

import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from textmanager.engines.ports import HOST
from textmanager.errors import UserError
from textmanager.files import tail
from textmanager.processes import Command, end, spawn

POLL_SECONDS = 0.02


class Engine(ABC):
    """A server of ours on 127.0.0.1 whose data outlives it, however it ends.

    Use `start`, `wait_ready`, `stop` and `kill` to run it from here; a supervisor that keeps
    processes by itself uses `prepare`, `command` and `answers` instead.
    """

    name: str
    ready_timeout_seconds: float = 60.0

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that clients are given."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory ready; changes nothing that is there already."""

    @abstractmethod
    def command(self) -> Command:
        """The server's command line, valid after `prepare`."""

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except OSError:
            return False

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server on the port and the data of last time."""
        if self.pid is not None:
            return
        self.prepare()
        self._process = spawn(self.command())

    def wait_ready(self, timeout_seconds: float | None = None) -> None:
        """Return once the server answers; raise UserError, naming its log, when it does not."""
        limit = timeout_seconds or self.ready_timeout_seconds
        deadline = time.monotonic() + limit
        while not self.answers():
            if self.pid is None:
                raise UserError(self.failure("ended before it was ready"))
            if time.monotonic() > deadline:
                raise UserError(self.failure(f"did not answer within {limit:.0f} s"))
            time.sleep(POLL_SECONDS)

    def failure(self, what: str) -> str:
        """One sentence about why the server does not run, with where to read more."""
        last = tail(self.command().log) or tail(self.log, lines=1)
        return f"{self.name} {what}: see {self.log} (it ended with: {last})."

    def stop(self, grace_seconds: float = 8.0) -> None:
        """Stop it in order; past the grace it is killed, which loses nothing acknowledged."""
        if self._process is not None:
            end(self._process, grace_seconds=grace_seconds)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
