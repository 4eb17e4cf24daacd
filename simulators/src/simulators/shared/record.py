"""The record of what a simulator took: the other side's truth, whatever is killed."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson


class Record:
    """An append-only file of JSON lines that survives the death of its process.

    A line is in the operating system's hands when `append` returns. It is not fsynced: it
    outlives kill -9 of the process, not a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(path)
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self.end = os.fstat(self._fd).st_size

    def append(self, entry: dict[str, Any]) -> int:
        """Write one entry; durable against the process's death on return. Gives its offset."""
        return self._write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def append_all(self, entries: Iterable[dict[str, Any]]) -> None:
        """Write several entries at the price of one system call."""
        lines = b"".join(orjson.dumps(e, option=orjson.OPT_APPEND_NEWLINE) for e in entries)
        self._write(lines)

    def entry_at(self, offset: int) -> dict[str, Any]:
        """Read one entry again by the offset that `append` gave."""
        size = 2048
        while (end := (line := os.pread(self._fd, size, offset)).find(b"\n")) < 0:
            if len(line) < size:
                raise ValueError("no entry begins there")
            size *= 4
        entry: dict[str, Any] = orjson.loads(line[:end])
        return entry

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield every entry, oldest first."""
        for _, entry in self.entries_from(0):
            yield entry

    def entries_from(self, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield every entry from an offset on, each with its own offset."""
        with self.path.open("rb") as lines:
            lines.seek(offset)
            for line in lines:
                yield offset, orjson.loads(line)
                offset += len(line)

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, lines: bytes) -> int:
        # A regular file takes a write whole, except when the disk fills or a signal comes.
        written = os.write(self._fd, lines)
        while written < len(lines):
            written += os.write(self._fd, lines[written:])
        begin = self.end
        self.end += len(lines)
        return begin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _cut_torn_line(path: Path) -> None:
    """Remove a last line without its end: nobody was answered on the strength of it."""
    if not path.exists():
        return
    block = 65_536
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        keep, start = 0, end
        while start > 0:
            start = max(0, start - block)
            file.seek(start)
            newline = file.read(min(block, end - start)).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
        if keep != end:
            file.truncate(keep)
