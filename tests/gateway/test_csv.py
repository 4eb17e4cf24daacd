"""CSV in and out: what is read doesn't depend on how it comes, and no cell is a formula."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cells import csv_head, csv_lines, neutral
from gateway.domain.csv_reading import CsvReading, Record, Rejected, Unreadable
from texting.phones import PhoneNumber, normalise

CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
) | st.sampled_from(['a "b" c', "x,y", "two\nlines", "a\r\nb", "", '"', "Żółć", "  "])
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)
DELIMITERS = st.sampled_from(",;\t")


def written(table: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["ID", "Name", "Phone", "Else"][: len(table[0])], *table])
    return out.getvalue().encode()


def read(parts: list[bytes]) -> list[Record | Rejected]:
    reading = CsvReading()
    found = [each for part in parts for each in reading.feed(part)]
    return [*found, *reading.end()]


@given(TABLES, DELIMITERS)
def test_x11_what_was_written_is_read(table: list[list[str]], delimiter: str) -> None:
    records = read([written(table, delimiter)])
    assert [list(each.cells) for each in records[1:] if isinstance(each, Record)] == table


@given(TABLES, DELIMITERS, st.integers(1, 9))
def test_x11_in_whatever_parts_a_file_comes_it_says_the_same(
    table: list[list[str]], delimiter: str, size: int
) -> None:
    whole = written(table, delimiter)
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert read(parts) == read([whole])


@given(st.binary(max_size=80), st.integers(1, 5))
def test_x11_whatever_a_file_holds_reading_it_ends(body: bytes, size: int) -> None:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    try:
        found = read(parts)
    except ValueError as error:
        assert "UTF-8" in str(error)
        return
    assert [each.line for each in found] == sorted({each.line for each in found})


def test_x11_a_line_that_does_not_end_costs_no_more_than_its_length() -> None:
    """Looked for at every place anew, its end kept all others waiting for minutes."""
    long = b"1," + b"x" * 60_000
    parts = [b"ID,Name\n", *(long[at : at + 1000] for at in range(0, len(long), 1000))]
    assert read(parts)[1:] == read([b"ID,Name\n", long])[1:] == [Record(2, ("1", "x" * 60_000))]


def test_x11_a_file_in_another_encoding_is_refused_with_the_line() -> None:
    with pytest.raises(Unreadable, match="near line 3"):
        read(["ID,Name\n1,Ann\n2,José\n".encode("cp1252")])


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=5))
def test_x11_no_cell_that_leaves_is_a_formula(rows: list[list[str]]) -> None:
    out = csv_head(["a", "b"]) + csv_lines(rows)
    found = list(csv.reader(io.StringIO(out.decode("utf-8-sig"), newline="")))[1:]
    assert found == [[neutral(cell) for cell in row] for row in rows]
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in found for cell in row
    )


def test_x11_a_number_that_left_is_read_again() -> None:
    assert neutral("+14155552671") == "'+14155552671"
    assert normalise(neutral("+14155552671"), default_country="GB") == PhoneNumber(
        "+14155552671", "US"
    )
    assert [neutral(each) for each in (None, 0, "-1", "=cmd()", "a=b")] == [
        "",
        "0",
        "'-1",
        "'=cmd()",
        "a=b",
    ]


@pytest.mark.parametrize("cell", ["Ann;=HYPERLINK(1)", "Ann\n+1", "Ann; @SUM(A1)", "\n=1", "＝1"])
def test_no_cell_hides_a_formula_behind_another_separator(cell: str) -> None:
    shown = neutral(cell)
    assert not re.search(r"(^|[;\t\r\n])\s*[=+@＝-]", shown)
    assert shown.replace("'", "") == cell
