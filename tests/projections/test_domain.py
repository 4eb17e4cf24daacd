"""How facts become rows, and rows figures."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections import facts
from tests.status.facts import CAMPAIGN, ORGANIZATION, RUN, at, message, number, recipient

from contracts.events.audience import Reason
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from projections.domain import Addressed, Figures, LeftOut, Omission, Row, RowFact, fold
from readmodels.views import RowStatus


def addressed(row: int = 1, *, segments: int = 1, queued: bool = False) -> Addressed:
    return Addressed(
        message_id=message(row),
        organization_id=ORGANIZATION,
        run_id=RUN,
        campaign_id=CAMPAIGN,
        recipient_id=recipient(row),
        row=row,
        imis_id=str(row),
        to=number(row),
        text="Hello",
        segments=segments,
        mode=Mode.LIVE,
        queued_at=at(1) if queued else None,
    )


def left_out(reason: Reason, *, by: Omission = Omission.REJECTED) -> LeftOut:
    return LeftOut(
        message_id=message(1),
        organization_id=ORGANIZATION,
        run_id=RUN,
        campaign_id=CAMPAIGN,
        recipient_id=recipient(1),
        row=1,
        imis_id="1",
        by=by,
        reason=reason,
    )


def folded(*given: RowFact) -> Row:
    row = reduce(fold, given, None)
    assert row is not None
    return row


@pytest.mark.parametrize("reason", list(Reason))
def test_tm_14_a_bad_number_is_an_error_and_all_else_is_left_out(reason: Reason) -> None:
    bad = reason in {Reason.NO_NUMBER, Reason.INVALID_NUMBER}
    assert folded(left_out(reason)).status == (RowStatus.ERROR if bad else RowStatus.EXCLUDED)


def test_a_status_may_come_before_its_message() -> None:
    late = folded(facts.status(1, 2, MessageStatus.DELIVERED, segments=2), addressed(segments=1))
    assert (late.status, late.segments, late.addressed) == (RowStatus.DELIVERED, 2, True)


def test_an_older_status_and_a_repeat_change_nothing() -> None:
    row = folded(addressed(queued=True), facts.status(1, 2, MessageStatus.DELIVERED))
    for old in (
        facts.status(1, 1, MessageStatus.SENT),
        facts.status(1, 2, MessageStatus.DELIVERED),
        addressed(),
        addressed(queued=True),
    ):
        assert fold(row, old) is row


def test_a_recipient_left_out_stays_so_when_its_page_comes_late() -> None:
    excluded = left_out(Reason.OVER_RUN_LIMIT, by=Omission.EXCLUDED)
    assert folded(excluded, addressed()) == folded(addressed(), excluded)
    assert folded(excluded, addressed()).status is RowStatus.EXCLUDED


@pytest.mark.parametrize(
    ("status", "mode", "figures"),
    [
        (MessageStatus.SENT, Mode.LIVE, {"sent_messages": 1, "sent_segments": 2}),
        (MessageStatus.DELIVERED, Mode.LIVE, {"sent_messages": 1, "sent_segments": 2}),
        (MessageStatus.UNDELIVERED, Mode.LIVE, {"sent_messages": 1, "sent_segments": 2}),
        (MessageStatus.FAILED, Mode.LIVE, {"failed_messages": 1}),
        (MessageStatus.ERROR, Mode.LIVE, {"failed_messages": 1}),
        (MessageStatus.UNKNOWN, Mode.LIVE, {"unknown_messages": 1}),
        (MessageStatus.SIMULATED, Mode.TEST, {"simulated_messages": 1}),
    ],
)
def test_tm_22_what_counts_as_what_on_its_day(
    status: MessageStatus, mode: Mode, figures: dict[str, int]
) -> None:
    moved = Figures()
    before = folded(addressed(segments=2))
    moved.move(None, before)
    after = fold(before, facts.status(1, 1, status, segments=2, mode=mode))
    moved.move(before, after)
    assert {name: value for (_, _, name), value in moved.days.items()} == figures
    assert {day for _, day, _ in moved.days} == {date(2026, 5, 1)}


def test_a_row_that_was_never_attempted_counts_on_no_day() -> None:
    moved = Figures()
    moved.move(None, folded(left_out(Reason.INVALID_NUMBER)))
    assert not moved.days


ROW_FACTS: list[RowFact] = [
    addressed(segments=2),
    addressed(segments=2, queued=True),
    left_out(Reason.OVER_DAY_LIMIT, by=Omission.EXCLUDED),
    left_out(Reason.INVALID_NUMBER),
    facts.status(1, 1, MessageStatus.UNKNOWN, segments=2),
    facts.status(1, 2, MessageStatus.SENT, segments=2, attempted_at=at(90_000)),
    facts.status(1, 3, MessageStatus.FAILED, segments=2, attempted_at=at(90_000)),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(ROW_FACTS), min_size=1))
def test_the_figures_of_every_step_add_up_to_the_last_row(given_facts: Sequence[RowFact]) -> None:
    steps, whole = Figures(), Figures()
    row: Row | None = None
    for fact in given_facts:
        after = fold(row, fact)
        steps.move(row, after)
        row = after
    assert row is not None
    whole.move(None, row)
    for name in ("messages", "segments", "days", "runs"):
        ours: Counter[object] = getattr(steps, name)
        theirs: Counter[object] = getattr(whole, name)
        assert {k: v for k, v in ours.items() if v} == {k: v for k, v in theirs.items() if v}
