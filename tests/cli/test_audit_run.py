"""`audit run` (X-2, X-9): every row that the IQA returned has its fate, from the log alone."""

import random
from uuid import uuid4

import pytest
from tests.cli.logbook import OURS, LogBook, reader

from contracts.events.message import RecipientExcluded
from contracts.events.run import RunAlarmRaised, RunResent
from textmanager.audit_run import RunStory, fate_of, story
from textmanager.audit_run_lines import lines, plain
from textmanager.errors import UserError


async def told(book: LogBook, *, seed: int = 0) -> RunStory:
    records = [*book.records, *book.records[::3]]
    random.Random(seed).shuffle(records)
    return await story("", book.run, read=reader(records))


@pytest.mark.parametrize("seed", range(5))
async def test_each_row_is_a_message_or_left_out_whatever_order_the_log_is_read_in(
    seed: int,
) -> None:
    run = await told(LogBook(rows=6), seed=seed)
    assert [fate_of(run.rows[row]) for row in range(1, 7)] == ["delivered"] * 5 + [
        "left out: invalid_number"
    ]
    assert run.counts() == {
        "rows_returned": 6,
        "accounted": 6,
        "messages": 5,
        "statuses": {"delivered": 5},
        "left_out": {"invalid_number": 1},
        "errors": {},
        "activities": {"written": 5},
        "segments_accepted": 5,
    }
    assert run.end == "completed"


async def test_an_exclusion_an_alarm_and_a_later_run_are_told() -> None:
    book = LogBook()
    person = book.recipient(1)
    book.write(
        RecipientExcluded,
        sequence=2,
        message_id=person.message_id,
        recipient_id=person.recipient_id,
        row=1,
        imis_id="1",
        reason="opted_out",
        **book.of_run,
    )
    book.write(RunAlarmRaised, alarm="stalled", detail="2 of 3 rows", **book.of_run)
    later = uuid4()
    book.write(
        RunResent,
        run_id=later,
        earlier_run_id=book.run,
        campaign_id=book.campaign,
        mode="LIVE",
        write_to="activity",
        from_number=OURS,
        recipients=1,
        segments=1,
    )
    run = await told(book)
    text = "\n".join(lines(run, recipients=True))
    assert "3 of 3 rows accounted for: 1 messages, 2 left out" in text
    assert "left out: opted_out" in text
    assert "ALARM stalled: 2 of 3 rows" in text
    assert f"was sent by run {later}" in text
    assert len(plain(run, recipients=True)["rows"]) == 3
    assert OURS not in text


async def test_a_run_that_nobody_knows_is_told() -> None:
    with pytest.raises(UserError, match=r"The log has no run .*: check the id"):
        await story("", uuid4(), read=reader(LogBook().records))
