"""`run.json`: every process of an `up`, as it is at this moment."""

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from textmanager.errors import UserError
from textmanager.files import write_atomically
from textmanager.processes import signal_group

Kind = Literal["engine", "simulator", "service"]
LEFTOVER_TIMEOUT_SECONDS = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Running:
    """One process; `pid` is None while it is between two lives."""

    name: str
    kind: Kind
    pid: int | None
    port: int
    log: str
    restarts: int
    url: str
    # The operating system's start time, which tells this process from a later one of its pid.
    started: float | None


def path_in(state_dir: Path) -> Path:
    """Where a state directory keeps it."""
    return state_dir / "run.json"


def write(state_dir: Path, running: list[Running]) -> None:
    """Replace the list as a whole."""
    text = json.dumps([asdict(one) for one in running], indent=1)
    write_atomically(path_in(state_dir), text + "\n")


def read(state_dir: Path) -> list[Running]:
    """The list of the present or the last `up`; empty where there was none."""
    try:
        return [Running(**one) for one in json.loads(path_in(state_dir).read_text())]
    except (FileNotFoundError, NotADirectoryError):
        return []


def start_time(pid: int) -> float | None:
    """When the process was started, in seconds since 1970; None when it has ended."""
    try:
        process = psutil.Process(pid)
        # One that nobody has reaped yet, as in a container without an init, holds nothing.
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def end_leftovers(state_dir: Path) -> None:
    """End what an `up` that was killed left running, and wait until its ports are free.

    On Linux the kernel does the ending, and this only waits for it.
    """
    deadline = time.monotonic() + LEFTOVER_TIMEOUT_SECONDS
    for one in read(state_dir):
        while one.pid is not None and one.started and start_time(one.pid) == one.started:
            if time.monotonic() > deadline:
                raise UserError(
                    f"{one.name} (pid {one.pid}) of an earlier run does not end: end it by hand, "
                    "and start again."
                )
            signal_group(one.pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)


class UpLock:
    """At most one `up` on a state directory; freed by the kernel when its holder dies."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "up.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode() or "unknown"
            os.close(descriptor)
            raise UserError(
                f"Text Manager already runs on {self._path.parent} (pid {holder}): stop it "
                "first, or name another directory with --state."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_up(state_dir: Path) -> bool:
    """Whether an `up` runs on the state directory now."""
    try:
        descriptor = os.open(state_dir / "up.lock", os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
