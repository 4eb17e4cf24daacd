"""One process that is started again whenever it dies."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from textmanager.processes import Command, signal_group
from textmanager.runfile import Kind, Running, start_time


@dataclass(frozen=True, slots=True)
class Spec:
    """What to keep running: its command, where it answers, and how to tell that it does."""

    name: str
    kind: Kind
    command: Command
    port: int
    url: str
    is_ready: Callable[[], Awaitable[bool]]
    # The log to read, when it is not the one that takes the output.
    own_log: Path | None = None

    @property
    def log(self) -> Path:
        """The log that tells most about it."""
        return self.own_log or self.command.log


class Change(StrEnum):
    """What can happen to a process."""

    STARTED = "started"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """A process started or exited; `code` is its exit code, negative for a signal."""

    name: str
    change: Change
    pid: int
    restarts: int
    code: int | None
    at: float


@dataclass(slots=True)
class Backoff:
    """Waits that double while a process keeps dying young."""

    first_seconds: float = 0.2
    longest_seconds: float = 10.0
    healthy_after_seconds: float = 30.0
    _next: float | None = None

    def after(self, lifetime_seconds: float) -> float:
        """How long to wait before the next start, given how long the last life was."""
        if self._next is None or lifetime_seconds >= self.healthy_after_seconds:
            self._next = self.first_seconds
        wait = self._next
        self._next = min(wait * 2, self.longest_seconds)
        return wait


class Child:
    """Keeps one process running until told to stop."""

    def __init__(
        self,
        spec: Spec,
        *,
        announce: Callable[[ProcessEvent], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.spec = spec
        self.pid: int | None = None
        self.restarts = 0
        self._started: float | None = None
        self._announce = announce
        self._backoff = backoff or Backoff()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin keeping the process; call it once."""
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")

    async def stop(self, grace_seconds: float) -> None:
        """End the process for good: SIGTERM, and SIGKILL when it is still there after the grace."""
        self._stopping.set()
        if self._task is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(self._task), grace_seconds)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._task

    def kill(self) -> int | None:
        """End the process with SIGKILL, as a crash would; it comes back. Returns the pid."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return self.pid

    def now(self) -> Running:
        """Its line in `run.json`."""
        spec = self.spec
        return Running(
            name=spec.name,
            kind=spec.kind,
            pid=self.pid,
            port=spec.port,
            log=str(spec.log),
            restarts=self.restarts,
            url=spec.url,
            started=self._started,
        )

    async def _keep(self) -> None:
        while not self._stopping.is_set():
            born = time.monotonic()
            # What can't be started, as on a full disk that has no room for its log, is tried
            # again like what died.
            with suppress(OSError):
                await self._live()
            if self._stopping.is_set():
                return
            self.restarts += 1
            wait = self._backoff.after(time.monotonic() - born)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def _live(self) -> None:
        """One life of the process, from its start to its end."""
        log = self.spec.command.open_log()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.spec.command.tethered,
                env=self.spec.command.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self.pid, self._started = process.pid, start_time(process.pid)
        self._tell(Change.STARTED, process.pid, None)
        if self._stopping.is_set():
            # Asked to stop while the process was being made, when there was no pid to signal.
            self._signal(signal.SIGTERM)
        code = await process.wait()
        # What the process itself had started must not outlive it and hold its port.
        signal_group(process.pid, signal.SIGKILL)
        self.pid = self._started = None
        self._tell(Change.EXITED, process.pid, code)

    def _signal(self, signum: signal.Signals) -> None:
        if self.pid is not None:
            signal_group(self.pid, signum)

    def _tell(self, change: Change, pid: int, code: int | None) -> None:
        self._announce(ProcessEvent(self.spec.name, change, pid, self.restarts, code, time.time()))
