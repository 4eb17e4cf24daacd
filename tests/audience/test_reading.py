"""Paging an IQA that doesn't keep still."""

import pytest

from audience.domain.failures import wait_after
from audience.domain.reading import Reading


def read(
    reading: Reading, *totals: int, rows: int = 500, added: int | None = None, checksum: int = 0
) -> Reading:
    """Read a pass, a page for each total, with so many rows (all new unless said) in each."""
    for place, total in enumerate(totals):
        reading = reading.after_page(
            total=total,
            next_offset=reading.offset + rows,
            has_next=place < len(totals) - 1,
            added=rows if added is None else added,
            checksum=checksum,
        )
    return reading


def test_one_pass_is_enough_when_every_row_is_different() -> None:
    reading = read(Reading(), 1000, 1000)
    assert (reading.at_end, reading.done, reading.rows) == (True, False, 1000)
    assert reading.after_pass(distinct=1000).done


def test_nobody_is_an_audience_too() -> None:
    assert read(Reading(), 0, rows=0).after_pass(distinct=0).done


@pytest.mark.parametrize(
    ("totals", "distinct"), [((1000, 1000), 997), ((1000, 1001), 1000), ((1000, 999), 1000)]
)
def test_repeats_or_a_changed_total_cost_a_second_pass(
    totals: tuple[int, ...], distinct: int
) -> None:
    reading = read(Reading(), *totals).after_pass(distinct=distinct)
    assert (reading.done, reading.passes, reading.offset) == (False, 2, 0)
    assert (reading.rows, reading.takes_repeats, reading.is_first_page) == (1000, False, False)


def test_a_pass_that_gives_just_the_rows_of_the_one_before_is_the_last() -> None:
    first = read(Reading(), 1000, 1000, checksum=5).after_pass(distinct=990)
    assert read(first, 1000, 1000, added=0, checksum=5).after_pass(distinct=990).done
    # Nothing new came, but not all that is known either: the rows still move.
    assert not read(first, 1000, 1000, added=0, checksum=6).after_pass(distinct=990).done


def test_there_are_three_passes_at_most() -> None:
    reading = read(Reading(), 1000, 1000).after_pass(distinct=900)
    reading = read(reading, 1000, 1001, added=5).after_pass(distinct=910)
    assert (reading.done, reading.passes) == (False, 3)
    reading = read(reading, 1001, 1002, added=5)
    assert reading.after_pass(distinct=920).done


def test_an_imis_that_always_has_more_is_not_read_for_ever() -> None:
    reading, pages = Reading(), 0
    while not reading.at_end:
        reading = reading.after_page(
            total=1_700, next_offset=reading.offset + 500, has_next=True, added=500, checksum=1
        )
        pages += 1
    assert pages * 500 > 2 * 1_700, "one whose total drifts is read to its end"
    assert pages < 20


@pytest.mark.parametrize(
    ("failures", "asked", "seconds"),
    [
        *((1, None, 1), (2, None, 2), (5, None, 16), (9, None, 256)),
        *((10, None, 300), (99, None, 300)),
        *((1, 20.0, 20), (9, 20.0, 256), (1, 1e9, 3600)),
    ],
)
def test_imis_is_left_alone_longer_and_longer(
    failures: int, asked: float | None, seconds: int
) -> None:
    assert wait_after(failures, asked_seconds=asked).total_seconds() == seconds
