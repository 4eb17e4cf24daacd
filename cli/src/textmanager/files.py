"""Files that are never seen half written, and locks that a dead process cannot keep."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textmanager.errors import UserError, unusable

MEBIBYTE = 1 << 20


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace the file as a whole: a reader sees the old text or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file alone, waiting for whoever has it; the kernel frees it at our death."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def require_free_space(directory: Path, *, mebibytes: int) -> None:
    """Make the directory; raise UserError when its disk has less than this free."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(directory, error) from error
    free = shutil.disk_usage(directory).free // MEBIBYTE
    if free < mebibytes:
        raise UserError(
            f"The disk that holds {directory} has only {free} MB free, and {mebibytes} MB are "
            "needed: free some space, or choose a directory on another disk."
        )


def tail(path: Path, *, lines: int = 3) -> str:
    """The last lines of a log on one line, for a message about why its process died."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())


def rotate(path: Path, *, above_mebibytes: int = 20) -> None:
    """Move a log that has grown large aside, keeping one older generation."""
    if path.exists() and path.stat().st_size > above_mebibytes * MEBIBYTE:
        path.replace(path.with_name(f"{path.name}.1"))
