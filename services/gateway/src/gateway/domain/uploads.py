"""A list of members that staff upload: its columns, and which of its lines are rows (X-11)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway.domain.csv_reading import Record, Rejected

MOST_COLUMNS = 100
LONGEST_NAME = 200
ROWS_A_PART = 500
BYTES_A_PART = 200 * 1024
SHOWN_REJECTIONS = 100
_FEWEST_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Upload:
    """A list that was taken in whole; a campaign can name it instead of a query."""

    upload_id: UUID
    organization_id: UUID
    name: str
    columns: tuple[str, ...]
    rows: int
    by: str
    at: datetime


@dataclass(slots=True)
class Rejections:
    """Lines that were left out: how many, and the first of them with their reasons."""

    count: int = 0
    first: list[Rejected] = field(default_factory=list)

    def add(self, rejected: Rejected) -> None:
        """Count a line."""
        self.count += 1
        if len(self.first) < SHOWN_REJECTIONS:
            self.first.append(rejected)


def columns_of(header: Record) -> tuple[str, ...]:
    """Return a list's columns; ValueError says what is wrong with its first line."""
    columns = tuple(each.strip() for each in header.cells)
    if len(columns) < _FEWEST_COLUMNS:
        raise ValueError(
            "The first line must name at least two columns, the iMIS id and the mobile phone, "
            "parted by commas, semicolons or tabs."
        )
    if len(columns) > MOST_COLUMNS:
        raise ValueError(f"A list has at most {MOST_COLUMNS} columns; this has {len(columns)}.")
    if blank := [str(place) for place, each in enumerate(columns, 1) if not each]:
        raise ValueError(f"The first line must name each column; blank: {', '.join(blank)}.")
    if any(len(each) > LONGEST_NAME or "\0" in each for each in columns):
        raise ValueError(f"A column's name has at most {LONGEST_NAME} characters, and no NUL.")
    if repeated := {each for each in columns if columns.count(each) > 1}:
        raise ValueError(f"The first line names a column twice: {', '.join(sorted(repeated))}.")
    return columns


def row_of(record: Record, columns: Sequence[str]) -> tuple[str, ...] | Rejected:
    """Return a line's values, or why it is no row."""
    found, wanted = len(record.cells), len(columns)
    if found != wanted:
        return Rejected(record.line, f"It has {found} cells where the first line names {wanted}.")
    if any("\0" in each for each in record.cells):
        return Rejected(record.line, "It holds a NUL character.")
    return record.cells


@dataclass(slots=True)
class Part:
    """Rows that leave in one event."""

    number: int = 0
    first_row: int = 0
    rows: list[tuple[str, ...]] = field(default_factory=list)
    size: int = 0

    def has_room_for(self, row: tuple[str, ...]) -> bool:
        """Whether the row fits."""
        fits = self.size + _size(row) <= BYTES_A_PART
        return not self.rows or (len(self.rows) < ROWS_A_PART and fits)

    def add(self, row: tuple[str, ...]) -> None:
        """Take a row."""
        self.rows.append(row)
        self.size += _size(row)

    def following(self) -> "Part":
        """Return the part after this one, empty."""
        return Part(self.number + 1, self.first_row + len(self.rows))


def _size(row: tuple[str, ...]) -> int:
    """Return how many bytes a row takes in an event, nearly."""
    return sum(len(each.encode()) + 3 for each in row)
