"""The table of a run's messages as a file that can be mailed, however many there are."""

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import IO

from chassis.cells import neutral
from notifier.domain.figures import Row
from notifier.domain.letters import Attachment

COLUMNS = (
    "row",
    "imis_id",
    "to",
    "status",
    "reason",
    "error_code",
    "error_meaning",
    "segments",
    "sent_at",
    "status_at",
    "sid",
    "activity",
    "activity_seqn",
)
PLAIN_BYTES = 1024 * 1024
"""A larger table is packed."""
LONGEST_BYTES = 8 * 1024 * 1024
"""A packed table that is larger still is left out: many mail servers take no more."""
_EXCELS_MARK = "\ufeff"
"""By it Excel knows that the file is UTF-8."""


class Sheet:
    """Takes rows and keeps no more of them than fits into a mail."""

    def __init__(
        self, name: str, *, plain_bytes: int = PLAIN_BYTES, longest_bytes: int = LONGEST_BYTES
    ) -> None:
        self._name = name
        self._plain_bytes = plain_bytes
        self._longest_bytes = longest_bytes
        self._lines = io.StringIO(newline="")
        self._packed = io.BytesIO()
        self._archive: zipfile.ZipFile | None = None
        self._entry: IO[bytes] | None = None
        self._too_large = False
        self._lines.write(_EXCELS_MARK)
        csv.writer(self._lines).writerow(COLUMNS)

    def write(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Add rows, each with its error code's meaning."""
        if self._too_large:
            return
        csv.writer(self._lines).writerows(_cells(row, meaning) for row, meaning in rows)
        if self._lines.tell() > self._plain_bytes:
            self._pack()

    def attachment(self) -> Attachment | None:
        """Return the file, packed when it is large; None when it is too large."""
        if self._archive is None:
            return Attachment(f"{self._name}.csv", "csv", self._lines.getvalue().encode())
        self._pack()
        if self._too_large:
            return None
        if self._entry is not None:
            self._entry.close()
        self._archive.close()
        return Attachment(f"{self._name}.zip", "zip", self._packed.getvalue())

    def _pack(self) -> None:
        if self._archive is None:
            self._archive = zipfile.ZipFile(self._packed, "w", zipfile.ZIP_DEFLATED)
            self._entry = self._archive.open(f"{self._name}.csv", "w", force_zip64=True)
        if self._entry is not None:
            self._entry.write(self._lines.getvalue().encode())
        self._lines = io.StringIO(newline="")
        if self._packed.tell() > self._longest_bytes:
            self._too_large = True


def _cells(row: Row, meaning: str) -> list[str]:
    cells = (
        str(row.row),
        row.imis_id,
        row.to,
        row.status,
        row.reason,
        "" if row.error_code is None else str(row.error_code),
        meaning,
        str(row.segments),
        _moment(row.attempted_at),
        _moment(row.status_at),
        row.sid,
        row.activity,
        row.activity_seqn,
    )
    return [neutral(each) for each in cells]


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")
