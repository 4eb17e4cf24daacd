"""How facts become rows, and rows figures."""

from collections import Counter
from collections.abc import Sequence
from copy import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections import facts
from tests.projections.fakes import SUMS
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
from contracts.events.message import MessageStatus, Unresolved
from projections.domain.figures import NOTHING, Figures, Standing, standing
from projections.domain.row import ROW_EVENTS, Row, Rows, messages_of
from readmodels.views import ChargeOutcome, RowStatus


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
    row = folded(queued(1), facts.status(1, 2, MessageStatus.DELIVERED))
    for old in (
        facts.status(1, 1, MessageStatus.SENT),
        facts.status(1, 2, MessageStatus.DELIVERED),
        page([1]),
        queued(1),
    ):
        assert not again(row, old).changed


def test_a_recipient_left_out_stays_so_when_its_page_comes_late() -> None:
    over = left_out(Reason.OVER_RUN_LIMIT)
    assert folded(over, page([1])) == folded(page([1]), over)
    assert folded(over, page([1])).status is RowStatus.EXCLUDED


@pytest.mark.parametrize(
    "told", [MessageStatus.PREPARING, MessageStatus.HELD, MessageStatus.UNKNOWN]
)
def test_a_text_that_is_left_out_afterwards_is_neither_waiting_nor_unknown(
    told: MessageStatus,
) -> None:
    status, out = facts.status(1, 1, told), left_out(Reason.GIVEN_UP, sequence=4)
    for row in (folded(queued(1), status, out), folded(queued(1), out, status)):
        assert (row.status, row.reason) == (RowStatus.EXCLUDED, "given_up")
        assert standing(row).outcome is None


def test_a_text_that_someone_saw_leave_is_shown_as_what_became_of_it() -> None:
    sent, out = facts.status(1, 1, MessageStatus.DELIVERED), left_out(Reason.GIVEN_UP)
    for row in (folded(queued(1), sent, out), folded(queued(1), out, sent)):
        assert row.status is RowStatus.DELIVERED
        assert standing(row).outcome is ChargeOutcome.CHARGED


def test_the_newest_reason_stays() -> None:
    old, new = left_out(Reason.OVER_DAY_LIMIT, sequence=2), left_out(sequence=3)
    assert folded(old, new).reason == folded(new, old).reason == "opted_out"


def test_other_answers_say_nothing_of_a_row() -> None:
    assert messages_of(submitted(1)) == ()
    assert messages_of(submitted(1, Unresolved(reason="timeout"))) == (message(1),)


@pytest.mark.parametrize(
    ("status", "code", "sid", "outcome"),
    [
        (MessageStatus.PREPARING, None, None, None),
        (MessageStatus.HELD, None, None, None),
        (MessageStatus.SENT, None, "SM1", "charged"),
        (MessageStatus.DELIVERED, None, "SM1", "charged"),
        (MessageStatus.UNDELIVERED, 30003, "SM1", "charged"),
        (MessageStatus.FAILED, 30001, "SM1", "failed"),
        (MessageStatus.FAILED, 30001, None, "refused"),
        (MessageStatus.FAILED, 21610, None, "opted_out"),
        (MessageStatus.FAILED, 21610, "SM1", "opted_out"),
        (MessageStatus.ERROR, 21211, None, "refused"),
        (MessageStatus.UNKNOWN, None, None, "unknown"),
        (MessageStatus.SIMULATED, None, None, "simulated"),
    ],
)
def test_tm22_what_an_attempt_is_charged_as(
    status: MessageStatus, code: int | None, sid: str | None, outcome: str | None
) -> None:
    told = facts.status(1, 1, status, segments=2, code=code).model_copy(update={"sid": sid})
    moved = moves(NOTHING, standing(folded(queued(1), told)))
    quarter = int(at(1).timestamp()) // 900
    wanted = {} if outcome is None else {(ORGANIZATION, quarter, CAMPAIGN, outcome): (1, 2)}
    assert moved.charges == wanted


def test_tm22_a_late_failure_takes_the_charge_away() -> None:
    sent = folded(queued(1), facts.status(1, 1, MessageStatus.SENT))
    failed = again(sent, facts.status(1, 2, MessageStatus.FAILED, code=30008))
    moved = moves(standing(sent), standing(failed)).charges
    assert {key[-1]: added for key, added in moved.items()} == {
        "charged": (-1, -1),
        "failed": (1, 1),
    }


def test_a_row_that_was_never_attempted_is_charged_to_nobody() -> None:
    moved = moves(NOTHING, standing(folded(rejected(1))))
    assert (moved.charges, moved.hours) == ({}, {})


def test_tm12_what_was_the_matter_is_counted_by_code_or_by_reason() -> None:
    bad = moves(NOTHING, standing(folded(rejected(1))))
    late = moves(
        NOTHING, standing(folded(facts.status(1, 1, MessageStatus.UNDELIVERED, code=30003)))
    )
    well = moves(NOTHING, standing(folded(facts.status(1, 1, MessageStatus.DELIVERED))))
    assert bad.errors == {(RUN, RowStatus.ERROR, 0, "invalid_number"): (1, 0)}
    assert late.errors == {(RUN, RowStatus.UNDELIVERED, 30003, ""): (1, 1)}
    assert well.errors == {}


def moves(was: Standing, now: Standing) -> Figures:
    return Figures.of(Counter({(ORGANIZATION, RUN, CAMPAIGN, was, now): 1}))


ROW_FACTS: list[Event] = [
    page([1]),
    facts.requested(message_id=message(1), run=RUN, campaign_id=CAMPAIGN),
    facts.reply(message_id=message(1), run=RUN, campaign_id=CAMPAIGN),
    queued(1),
    left_out(Reason.OVER_DAY_LIMIT),
    left_out(Reason.GIVEN_UP, sequence=4),
    rejected(1),
    facts.status(1, 1, MessageStatus.UNKNOWN, segments=2),
    facts.status(1, 2, MessageStatus.SENT, segments=2, attempted_at=at(90_000)),
    facts.status(1, 3, MessageStatus.FAILED, segments=2, attempted_at=at(90_000)),
]


def test_the_facts_below_are_of_every_type_that_moves_figures() -> None:
    assert {type(each) for each in ROW_FACTS} == ROW_EVENTS - {type(submitted(1))}


@settings(deadline=None)
@given(st.lists(st.sampled_from(ROW_FACTS), min_size=1))
def test_tm22_the_figures_of_every_step_add_up_to_the_last_row(
    given_facts: Sequence[Event],
) -> None:
    steps: Counter[object] = Counter()
    rows, was = Rows(), NOTHING
    for fact in given_facts:
        rows.take(fact)
        now = standing(rows.by_message[message(1)])
        steps.update(in_one(moves(was, now)))
        was = now
    whole = in_one(moves(NOTHING, was))
    assert {k: v for k, v in steps.items() if v} == {k: v for k, v in whole.items() if v}


def in_one(figures: Figures) -> Counter[object]:
    """Every figure by its name and key."""
    found: Counter[object] = Counter()
    found.update({("runs", key): value for key, value in figures.runs.items()})
    for name in SUMS:
        for key, added in getattr(figures, name).items():
            found[name, key, "messages"] += added.messages
            found[name, key, "segments"] += added.segments
    return found
