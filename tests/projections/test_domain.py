"""How facts become rows, and rows figures."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections import facts
from tests.status.facts import (
    CAMPAIGN,
    ORGANIZATION,
    RUN,
    at,
    excluded,
    message,
    page,
    queued,
    rejected,
    submitted,
)

from contracts.events.audience import Reason
from contracts.events.base import Event
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus, Unresolved
from projections.domain.figures import NOTHING, Figures, Standing, day_of, standing
from projections.domain.row import ROW_EVENTS, Row, Rows, messages_of
from readmodels.views import RowStatus


def left_out(reason: Reason = Reason.OPTED_OUT, *, sequence: int = 1) -> Event:
    return excluded(1, reason).model_copy(update={"sequence": sequence})


def folded(*given_facts: Event) -> Row:
    rows = Rows()
    for each in given_facts:
        rows.take(each)
    return rows.by_message[message(1)]


def again(row: Row, fact: Event) -> Row:
    """Let a row that was read take one more fact."""
    rows = Rows()
    rows.by_message[message(1)] = copy(row)
    rows.by_message[message(1)].changed = False
    rows.take(fact)
    return rows.by_message[message(1)]


@pytest.mark.parametrize("reason", list(Reason))
def test_tm_14_a_bad_number_is_an_error_and_all_else_is_left_out(reason: Reason) -> None:
    bad = reason in {Reason.NO_NUMBER, Reason.INVALID_NUMBER}
    shown = folded(rejected(1, reason)).status
    assert shown == (RowStatus.ERROR if bad else RowStatus.EXCLUDED)


def test_a_status_may_come_before_its_message() -> None:
    late = folded(facts.status(1, 2, MessageStatus.DELIVERED, segments=2), queued(1))
    assert (late.status, late.segments, late.addressed) == (RowStatus.DELIVERED, 2, 1)
    assert late.text == "Hello"


def test_an_older_status_and_a_repeat_change_nothing() -> None:
    row = folded(queued(1), facts.status(1, 2, MessageStatus.DELIVERED), facts.written(1))
    for old in (
        facts.status(1, 1, MessageStatus.SENT),
        facts.status(1, 2, MessageStatus.DELIVERED),
        page([1]),
        queued(1),
        facts.refused(1),
        facts.written(1),
    ):
        assert not again(row, old).changed


def test_a_recipient_left_out_stays_so_when_its_page_comes_late() -> None:
    over = left_out(Reason.OVER_RUN_LIMIT)
    assert folded(over, page([1])) == folded(page([1]), over)
    assert folded(over, page([1])).status is RowStatus.EXCLUDED


@pytest.mark.parametrize("told", [MessageStatus.PREPARING, MessageStatus.UNKNOWN])
def test_a_text_that_is_left_out_afterwards_is_neither_preparing_nor_unknown(
    told: MessageStatus,
) -> None:
    status, out = facts.status(1, 1, told), left_out(Reason.GIVEN_UP, sequence=4)
    for row in (folded(queued(1), status, out), folded(queued(1), out, status)):
        assert (row.status, row.reason) == (RowStatus.EXCLUDED, "given_up")
        assert standing(row).figure is None


def test_a_text_that_someone_saw_leave_is_shown_as_what_became_of_it() -> None:
    sent, out = facts.status(1, 1, MessageStatus.DELIVERED), left_out(Reason.GIVEN_UP)
    for row in (folded(queued(1), sent, out), folded(queued(1), out, sent)):
        assert row.status is RowStatus.DELIVERED
        assert standing(row).figure == "sent_messages"


def test_the_newest_reason_stays() -> None:
    old, new = left_out(Reason.OVER_DAY_LIMIT, sequence=2), left_out(sequence=3)
    assert folded(old, new).reason == folded(new, old).reason == "opted_out"


def test_other_effects_and_other_answers_are_not_shown() -> None:
    assert messages_of(facts.written(1, kind="TEXTUNSUB")) == ()
    assert messages_of(submitted(1)) == ()
    assert messages_of(submitted(1, Unresolved(reason="timeout"))) == (message(1),)


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
    row = folded(queued(1), facts.status(1, 1, status, segments=2, mode=mode))
    moved = moves(NOTHING, standing(row))
    assert {name: value for (_, _, name), value in moved.days.items()} == figures
    assert {day_of(day) for _, day, _ in moved.days} == {date(2026, 5, 1)}


def test_a_row_that_was_never_attempted_counts_on_no_day() -> None:
    assert not moves(NOTHING, standing(folded(rejected(1)))).days


def moves(was: Standing, now: Standing) -> Figures:
    return Figures.of(Counter({(ORGANIZATION, RUN, CAMPAIGN, was, now): 1}))


ROW_FACTS: list[Event] = [
    page([1]),
    queued(1),
    left_out(Reason.OVER_DAY_LIMIT),
    left_out(Reason.GIVEN_UP, sequence=4),
    rejected(1),
    facts.status(1, 1, MessageStatus.UNKNOWN, segments=2),
    facts.status(1, 2, MessageStatus.SENT, segments=2, attempted_at=at(90_000)),
    facts.status(1, 3, MessageStatus.FAILED, segments=2, attempted_at=at(90_000)),
]


def test_the_facts_below_are_of_every_type_that_moves_figures() -> None:
    silent = {type(submitted(1)), type(facts.written(1)), type(facts.refused(1))}
    assert {type(each) for each in ROW_FACTS} == ROW_EVENTS - silent


@settings(deadline=None)
@given(st.lists(st.sampled_from(ROW_FACTS), min_size=1))
def test_the_figures_of_every_step_add_up_to_the_last_row(given_facts: Sequence[Event]) -> None:
    steps: Counter[object] = Counter()
    rows, was = Rows(), NOTHING
    for fact in given_facts:
        rows.take(fact)
        now = standing(rows.by_message[message(1)])
        for name in ("messages", "segments", "days", "runs"):
            steps.update({(name, k): v for k, v in getattr(moves(was, now), name).items()})
        was = now
    whole: Counter[object] = Counter()
    for name in ("messages", "segments", "days", "runs"):
        whole.update({(name, k): v for k, v in getattr(moves(NOTHING, was), name).items()})
    assert {k: v for k, v in steps.items() if v} == {k: v for k, v in whole.items() if v}
