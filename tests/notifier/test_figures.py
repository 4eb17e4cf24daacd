"""TM-4: the report's figures, and its table of messages, however many there are."""

import codecs
import csv
import io
import random
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notifier.doubles import row

from chassis.cells import neutral
from contracts.events.organization import Prices
from notifier.adapters.sheet import COLUMNS, Sheet
from notifier.domain.figures import Figures, Row, changed

STATUSES = ("delivered", "sent", "undelivered", "failed", "error", "excluded", "unknown")
ROWS = st.lists(
    st.builds(
        row,
        st.integers(1, 10**6),
        st.sampled_from(STATUSES),
        error_code=st.none() | st.sampled_from([21610, 30003]),
        reason=st.sampled_from(["", "opted_out", "invalid_number"]),
        segments=st.integers(0, 10),
    ),
    max_size=40,
)


def counted(rows: list[Row]) -> Figures:
    figures = Figures()
    for each in rows:
        figures.take(each)
    return figures


@given(ROWS)
def test_tm4_each_row_is_in_one_status_and_the_segments_add_up(rows: list[Row]) -> None:
    figures = counted(rows)
    assert sum(each.messages for each in figures.by_status.values()) == len(rows)
    segments = sum(each.segments for each in rows)
    assert sum(each.segments for each in figures.by_status.values()) == segments
    assert figures.rows.segments == segments
    coded = [each for each in rows if each.error_code is not None]
    assert sum(each.messages for each in figures.by_error.values()) == len(coded)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert not changed(figures.as_facts(), counted(shuffled))


def test_tm22_charged_is_what_twilio_took_and_did_not_fail() -> None:
    rows = [row(number, status, segments=2) for number, status in enumerate(STATUSES, 1)]
    figures = counted([*rows, row(9, "sent", sid="", segments=1)])
    assert (figures.charged.messages, figures.charged.segments) == (3, 6)


def test_tm22_the_cost_is_that_of_charged_segments_and_of_failed_texts() -> None:
    rows = [row(number, status, segments=2) for number, status in enumerate(STATUSES, 1)]
    refused = [row(8, "failed", sid=""), row(9, "failed", error_code=21610)]
    figures = counted([*rows, *refused])
    prices = Prices(segment=Decimal("0.0083"), failed_message=Decimal("0.001"))
    assert figures.cost(prices) == 6 * Decimal("0.0083") + 2 * Decimal("0.001")
    assert figures.cost(Prices(failed_message=Decimal(1))) is None


@pytest.mark.parametrize("cell", ["=1+1", "+14155550100", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_shown_as_the_text_that_it_is(cell: str) -> None:
    sheet = Sheet("run")
    sheet.write([(row(1, imis_id=cell, to="+14155550100"), "")])
    made = sheet.attachment()
    assert made is not None
    [header, only] = csv.reader(io.StringIO(made.content.decode("utf-8-sig"), newline=""))
    assert made.content.startswith(codecs.BOM_UTF8)
    assert tuple(header) == COLUMNS
    assert (only[1], only[2]) == (neutral(cell), "'+14155550100")


def test_tm4_a_large_table_is_packed_and_whole() -> None:
    sheet = Sheet("run", plain_bytes=1000)
    for first in range(0, 1000, 100):
        sheet.write((row(number), "") for number in range(first, first + 100))
    made = sheet.attachment()
    assert made is not None
    assert (made.name, made.subtype) == ("run.zip", "zip")
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        rows = list(
            csv.DictReader(io.StringIO(archive.read("run.csv").decode("utf-8-sig"), newline=""))
        )
    assert [int(each["row"]) for each in rows] == list(range(1000))


def test_tm4_a_table_that_no_server_takes_is_left_out() -> None:
    sheet = Sheet("run", plain_bytes=1000, longest_bytes=5000)
    chances = random.Random(1)
    for number in range(2000):
        sheet.write([(row(number, sid=f"SM{chances.getrandbits(128):032x}"), "")])
    assert sheet.attachment() is None
