"""One process that is started again whenever it dies."""

import asyncio
import math
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
    # Whether it is alive at all, ready or not; None for what nobody need ask.
    answers: Callable[[], Awaitable[bool]] | None = None
    # The log to read, when it is not the one that takes the output.
    own_log: Path | None = None

    @property
    def log(self) -> Path:
        """The log that tells most about it."""
        return self.own_log or self.command.log


class Change(StrEnum):
    """What can happen to a process."""

    STARTED = "started"
    UNREACHABLE = "unreachable"
    """It is alive and didn't answer for too long; it is killed now."""
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """What happened to a process; `code` is its exit code, negative for a signal."""

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


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process that is alive may leave a question unanswered before it is killed.

    Whoever holds a lease and can't be reached might still act on it one day: only once it is
    known to be dead may what it had in hand be found undone.
    """

    seconds: float = 20.0
    # Until a service has answered for the first time in its life. It can't hold a lease before
    # that, so this only frees one that hangs. An engine may have hours of data to read first.
    starting_seconds: float = 300.0
    poll_seconds: float = 0.5
    answer_seconds: float = 2.0


class Child:
    """Keeps one process running until told to stop."""

    def __init__(
        self,
        spec: Spec,
        *,
        announce: Callable[[ProcessEvent], None],
        backoff: Backoff | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.spec = spec
        self.pid: int | None = None
        self.restarts = 0
        # How many lives in a row ended, by no kill of ours, before they were ready.
        self.failed_starts = 0
        self._was_ready = self._was_killed = False
        self._patience = patience or Patience()
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
            self._was_killed = True
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return self.pid

    async def is_ready(self) -> bool:
        """Whether it runs and does its work."""
        pid = self.pid
        ready = pid is not None and await self.spec.is_ready() and pid == self.pid
        if ready:
            self._was_ready, self.failed_starts = True, 0
        return ready

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
        self._was_ready = self._was_killed = False
        self._tell(Change.STARTED, process.pid, None)
        if self._stopping.is_set():
            # Asked to stop while the process was being made, when there was no pid to signal.
            self._signal(signal.SIGTERM)
        watching = asyncio.create_task(self._watch(process.pid))
        try:
            code = await process.wait()
        finally:
            watching.cancel()
        if not (self._was_ready or self._was_killed):
            self.failed_starts += 1
        # What the process itself had started must not outlive it and hold its port.
        signal_group(process.pid, signal.SIGKILL)
        self.pid = self._started = None
        self._tell(Change.EXITED, process.pid, code)

    async def _watch(self, pid: int) -> None:
        """Kill the process when it is alive and doesn't answer: paused, dead-locked, cut off."""
        if self.spec.answers is None:
            return
        patience, silent = self._patience, 0.0
        limit = math.inf if self.spec.kind == "engine" else patience.starting_seconds
        while silent < limit:
            asked = time.monotonic()
            await asyncio.sleep(patience.poll_seconds)
            answered = await self._answers(patience.answer_seconds)
            if answered or self._was_ready:
                # Whoever has found it ready may have been answered before we ever were.
                limit = patience.seconds
            if answered:
                silent = 0.0
            else:
                # However long we were held up ourselves, it is one question without an answer.
                longest = patience.poll_seconds + patience.answer_seconds
                silent += min(time.monotonic() - asked, longest)
        if self.pid == pid and not self._stopping.is_set():
            self._tell(Change.UNREACHABLE, pid, None)
            self._signal(signal.SIGKILL)

    async def _answers(self, within_seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                if self.spec.answers is None or not await self.spec.answers():
                    return False
                if not self._was_ready:
                    await self.is_ready()
                return True
        return False

    def _signal(self, signum: signal.Signals) -> None:
        if self.pid is not None:
            signal_group(self.pid, signum)

    def _tell(self, change: Change, pid: int, code: int | None) -> None:
        self._announce(ProcessEvent(self.spec.name, change, pid, self.restarts, code, time.time()))
