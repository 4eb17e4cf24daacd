"""CSV that leaves: no cell of it is a formula when a spreadsheet opens it."""

import codecs
import csv
import io
import re
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_AFTER_A_SEPARATOR = re.compile(r"([;\t\r\n]\s*)([=+\-@＝＋－＠])")
"""Where a spreadsheet whose lists are parted by semicolons would begin another cell."""


def neutral(cell: object) -> str:
    """Return a cell as text: an apostrophe goes before what a spreadsheet would calculate.

    A phone number gets one too, `'+14155552671`: a spreadsheet shows it whole as text, where it
    would else read a sum and round it. Every number that comes in may have that apostrophe.
    """
    text = "" if cell is None else str(cell)
    text = _AFTER_A_SEPARATOR.sub(r"\1'\2", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows as CSV (RFC 4180), UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    # A number may be what iMIS gave: it is shown as far as UTF-8 can hold it.
    return out.getvalue().encode("utf-8", "replace")


def csv_head(columns: Iterable[str]) -> bytes:
    """Return a file's beginning; by its mark, Excel knows that it is UTF-8."""
    return codecs.BOM_UTF8 + csv_lines([columns])
