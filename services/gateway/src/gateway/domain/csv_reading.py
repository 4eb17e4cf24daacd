"""CSV that comes in, read as it comes: the memory is that of a line, whatever the file's size.

RFC 4180, and what spreadsheets make of it: semicolons or tabs instead of commas, a byte order
mark, line breaks within quotation marks.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LINE = 64 * 1024
"""Characters of one record, its line breaks included; a longer one is no list of members."""
MOST_BREAKS = 200
"""Line breaks within one record; a quotation mark that is never closed is found by them."""
_DELIMITERS = ",;\t"
# A carriage return at the very end may be half of a line's end: it is looked at with what follows.
_LINE_END = re.compile(r"\r\n|\n|\r(?=[^\n])")
_QUOTE = '"'


class Unreadable(ValueError):
    """The file as a whole is nothing that can be read; the text says why, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A line's cells; `line` is where it begins, counted from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is left out, and why."""

    line: int
    reason: str


class CsvReading:
    """Takes a file's bytes in parts of any size, and gives its records."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._rest = ""
        self._line = 0
        self._open: list[str] = []
        self._open_size = 0
        self._opened_at = 0
        self._delimiter = ""

    def feed(self, part: bytes) -> Iterator[Record | Rejected]:
        """Return the records that end within this part."""
        # What was looked through before holds no line's end, but for that carriage return.
        looked_through = max(0, len(self._rest) - 1)
        text, begin = self._rest + self._decoded(part, final=False), 0
        for found in _LINE_END.finditer(text, looked_through):
            yield from self._take(text[begin : found.end()])
            begin = found.end()
        self._rest = text[begin:]
        if len(self._rest) > LONGEST_LINE:
            raise Unreadable(f"Line {self._line + 1} is longer than any list's line can be.")

    def end(self) -> Iterator[Record | Rejected]:
        """Return what is left at the file's end."""
        self._rest += self._decoded(b"", final=True)
        if self._rest:
            yield from self._take(self._rest)
        self._rest = ""
        if self._open:
            yield Rejected(self._opened_at, "A quotation mark is opened and never closed.")
            self._open = []

    def _decoded(self, part: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(part, final)
        except UnicodeDecodeError as error:
            line = self._line + 1 + error.object.count(b"\n", 0, error.start)
            raise Unreadable(
                f"The file is not UTF-8 (near line {line}). Save it as “CSV UTF-8”: "
                "other encodings can't be told apart, and names would be spoiled."
            ) from error

    def _take(self, line: str) -> Iterator[Record | Rejected]:
        self._line += 1
        if not self._open and not line.strip():
            return
        if not self._delimiter:
            self._delimiter = _delimiter_of(line)
        if not self._open and _QUOTE not in line:
            yield Record(self._line, tuple(line.rstrip("\r\n").split(self._delimiter)))
            return
        if not self._open:
            self._opened_at, self._open_size = self._line, 0
        self._open.append(line)
        self._open_size += len(line)
        if self._open_size > LONGEST_LINE or len(self._open) > MOST_BREAKS:
            raise Unreadable(
                f"A quotation mark that is opened in line {self._opened_at} is not closed."
            )
        record = "".join(self._open)
        if _within_quotes(record, self._delimiter):
            return
        self._open = []
        yield self._parsed(record)

    def _parsed(self, record: str) -> Record | Rejected:
        try:
            # The line's end is cut off, so that the reader doesn't wait for another line.
            reader = csv.reader([record.rstrip("\r\n")], delimiter=self._delimiter, strict=True)
            cells = tuple(next(reader))
        except (csv.Error, StopIteration):
            return Rejected(self._opened_at, "The quotation marks don't match.")
        return Record(self._opened_at, cells)


def _delimiter_of(header: str) -> str:
    """Return what parts the cells: what the header has most of, outside quotation marks."""
    bare = "".join(header.split(_QUOTE)[::2])
    return max(_DELIMITERS, key=bare.count)


def _within_quotes(record: str, delimiter: str) -> bool:
    """Whether a record so far ends within a quoted cell; a mark within a bare cell is a letter."""
    at, size = 0, len(record)
    while at < size:
        if record[at] == _QUOTE:
            at = _end_of_quoted(record, at + 1)
            if at < 0:
                return True
        following = record.find(delimiter, at)
        if following < 0:
            return False
        at = following + 1
    return False


def _end_of_quoted(record: str, start: int) -> int:
    """Return where a quoted cell's text is over; -1 if it isn't."""
    at = record.find(_QUOTE, start)
    while at >= 0 and record[at + 1 : at + 2] == _QUOTE:
        at = record.find(_QUOTE, at + 2)
    return at + 1 if at >= 0 else -1
