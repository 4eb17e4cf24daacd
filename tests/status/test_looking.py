"""X-1: when Twilio is asked about a message, and what of its answer is worth telling."""

from datetime import timedelta
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.status.facts import PATIENCE, at, callback, excluded, message, polled, queued, sid
from tests.status.facts import submitted as submitted_

from contracts.events.campaign import Mode
from contracts.events.message import Accepted, MessageStatus, Refused, Simulated, Unresolved
from status.domain.folding import Fact, fold
from status.domain.looking import Answer, first_look, news, next_look
from status.domain.message import UNKNOWN, Message, Standing, standing, view
from status.domain.pace import Pace

SENT_AT = at(1.9)


def folded(*facts: Fact) -> Message:
    return reduce(fold, facts, UNKNOWN)


@pytest.mark.parametrize(
    "facts",
    [
        [queued(1), submitted_(1)],
        [queued(1), submitted_(1), callback(1, "sent")],
        [queued(1), submitted_(1), callback(1, "levitating")],
        [queued(1), submitted_(1), callback(1, "delivered", to="+12025559999")],
    ],
)
def test_a_message_without_its_end_is_asked_for(facts: list[Fact]) -> None:
    assert first_look(folded(*facts), PATIENCE) == SENT_AT + PATIENCE.first


@pytest.mark.parametrize(
    "facts",
    [
        [],
        [queued(1)],
        [submitted_(1)],
        [queued(1), submitted_(1), callback(1, "delivered")],
        [queued(1), submitted_(1), callback(1, "undelivered", "30003")],
        [queued(1), submitted_(1), callback(1, "failed", "21211")],
        [queued(1), submitted_(1, Refused(code=21610))],
        [queued(1), submitted_(1, Unresolved(reason="timeout"))],
        [queued(1, mode=Mode.TEST), submitted_(1, Simulated())],
        [queued(1, mode=Mode.TEST), submitted_(1, Accepted(sid=sid(1)))],
    ],
)
def test_nothing_else_is_asked_for(facts: list[Fact]) -> None:
    assert first_look(folded(*facts), PATIENCE) is None


def test_the_questions_thin_out_and_end() -> None:
    moments, looks, now = [], 0, SENT_AT + PATIENCE.first
    while (again := next_look(sent_at=SENT_AT, looks=looks + 1, at=now, patience=PATIENCE)) is not (
        None
    ):
        looks, now = looks + 1, again
        moments.append(again)
    waits = [b - a for a, b in pairwise(moments)]
    assert moments[0] - (SENT_AT + PATIENCE.first) == 2 * PATIENCE.first
    assert all(b == min(2 * a, PATIENCE.longest) for a, b in pairwise(waits[:-1]))
    assert moments[-1] == SENT_AT + PATIENCE.give_up
    assert len(moments) < 25


@given(st.integers(0, 10**6), st.floats(0, 80 * 3600))
def test_the_next_look_is_later_and_never_after_the_end(looks: int, seconds: float) -> None:
    now = SENT_AT + timedelta(seconds=seconds)
    again = next_look(sent_at=SENT_AT, looks=looks, at=now, patience=PATIENCE)
    if again is None:
        assert now >= SENT_AT + PATIENCE.give_up
    else:
        assert now < again <= SENT_AT + PATIENCE.give_up


@pytest.mark.parametrize(
    ("known", "answer", "told"),
    [
        ([], Answer(sid(1), "delivered"), True),
        ([], Answer(sid(1), "undelivered", "30003"), True),
        ([], Answer(sid(1), "not_found"), True),
        ([], Answer(sid(1), "levitating"), True),
        # An accepted message is `sent` already: that it is under way adds nothing.
        ([], Answer(sid(1), "queued"), False),
        ([], Answer(sid(1), "sent"), False),
        ([polled(1, "not_found")], Answer(sid(1), "not_found"), False),
        ([callback(1, "delivered")], Answer(sid(1), "delivered"), False),
        ([callback(1, "delivered")], Answer(sid(1), "sent"), False),
        ([callback(1, "undelivered", "30003")], Answer(sid(1), "undelivered"), False),
        ([callback(1, "undelivered")], Answer(sid(1), "undelivered", "30003"), True),
    ],
)
def test_only_what_changes_something_is_told(known: list[Fact], answer: Answer, told: bool) -> None:
    before = folded(queued(1), submitted_(1), *known)
    event = news(message(1), before, answer, looks=3, at=at(9))
    assert (event is not None) is told
    if event is not None:
        assert (event.message_sid, event.sequence, event.occurred_at) == (sid(1), 3, at(9))
        assert event.subject == message(1)


@pytest.mark.parametrize(
    ("raw", "code", "status"),
    [
        ("delivered", "", MessageStatus.DELIVERED),
        ("undelivered", "30003", MessageStatus.UNDELIVERED),
        ("failed", "21211", MessageStatus.ERROR),
        ("failed", "30008", MessageStatus.FAILED),
        ("sent", "", MessageStatus.SENT),
        ("not_found", "", MessageStatus.SENT),
    ],
)
def test_an_answer_is_taken_exactly_as_a_report(raw: str, code: str, status: MessageStatus) -> None:
    asked = folded(queued(1), submitted_(1), polled(1, raw, code))
    reported = folded(queued(1), submitted_(1), callback(1, raw, code))
    assert asked == reported
    seen = view(asked)
    assert seen is not None
    assert (seen.status, seen.error_code) == (status, int(code) if code else None)


def test_an_answer_neither_regresses_a_status_nor_erases_a_code() -> None:
    known = folded(queued(1), submitted_(1), callback(1, "undelivered", "30003"))
    for late in (polled(1, "sent"), polled(1, "undelivered"), polled(1, "not_found")):
        assert view(fold(known, late)) == view(known)


def test_a_message_counts_in_one_way_at_a_time() -> None:
    unknown: list[Fact] = [queued(1), submitted_(1, Unresolved(reason="timeout"))]
    assert standing(UNKNOWN) is Standing.UNHEARD
    assert standing(folded(queued(1))) is Standing.WAITING
    assert standing(folded(excluded(1))) is Standing.EXCLUDED
    assert standing(folded(queued(1), excluded(1))) is Standing.EXCLUDED
    assert standing(folded(*unknown)) is Standing.SETTLED
    assert standing(folded(*unknown, excluded(1))) is Standing.EXCLUDED
    assert standing(folded(*unknown, excluded(1), callback(1, "delivered"))) is Standing.SETTLED


@given(st.lists(st.floats(0, 3), min_size=2, max_size=60), st.sampled_from([0.5, 3.0, 10.0]))
def test_no_second_has_more_questions_than_allowed(pauses: list[float], rate: float) -> None:
    pace, now, moments = Pace(rate), 0.0, []
    for pause in pauses:
        now += pause
        moments.append(now + pace.wait_seconds(now))
    assert moments == sorted(moments)
    for a, b in pairwise(moments):
        assert b - a >= 1 / rate - 1e-9
