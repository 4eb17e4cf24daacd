"""Child processes: started in a group of their own, tied to our life, ended as a whole group."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from textmanager.files import rotate

TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and the file that takes its output; `env` is added to `inherited`."""

    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    # The environment that it starts from; our own unless said otherwise.
    inherited: Mapping[str, str] | None = None

    @property
    def tethered(self) -> list[str]:
        """The arguments that start it so that it cannot outlive this process."""
        return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.argv]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment that it gets."""
        inherited = os.environ if self.inherited is None else self.inherited
        return {**inherited, **self.env}

    def open_log(self) -> int:
        """A descriptor to append its output to; the caller closes it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.log)
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start the command, out of reach of the terminal's Ctrl-C, which is ours to handle.

    On Linux the tie is to the calling thread: call this from one that lives as long.
    """
    log = command.open_log()
    try:
        return subprocess.Popen(
            command.tethered,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def signal_group(pid: int, signum: signal.Signals) -> None:
    """Signal the process and whatever it started; nothing happens when all have ended."""
    # EPERM is what macOS answers for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signum)


def end(process: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    """Ask the process to stop; when it has not by then, or left children behind, kill."""
    if process.poll() is None:
        signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()
