"""TM-14: what staff see of a message, whatever comes in whatever order."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.status.facts import STRANGER, at, callback, held, queued, sid, submitted

from contracts.events.campaign import Mode
from contracts.events.message import (
    Accepted,
    MessageStatus,
    Outcome,
    Refused,
    Simulated,
    Unresolved,
)
from contracts.events.provider import TwilioCallbackReceived
from status.domain.folding import Fact, Refusal, fold, refusals
from status.domain.message import UNKNOWN, Message, Standing, standing, view
from status.domain.provider import MEANINGS, Callback

OTHER_SID = "SM" + "f" * 32
STATUSES = [*MEANINGS, "receiving", "levitating"]
STAGE = {
    MessageStatus.SENT: 1,
    MessageStatus.FAILED: 2,
    MessageStatus.ERROR: 2,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.DELIVERED: 4,
}
CODES = ["", "30003", "30004", "21610", "21211", "21614"]


def folded(*facts: Fact) -> Message:
    return reduce(fold, facts, UNKNOWN)


def shown(*facts: Fact) -> tuple[MessageStatus, int | None, str | None]:
    seen = view(folded(*facts))
    assert seen is not None
    return seen.status, seen.error_code, seen.sid


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Accepted(sid=sid(1)), (MessageStatus.SENT, None, sid(1))),
        (Refused(code=21610), (MessageStatus.FAILED, 21610, None)),
        (Refused(code=21614, invalid_number=True), (MessageStatus.ERROR, 21614, None)),
        (Simulated(), (MessageStatus.SIMULATED, None, None)),
        (Unresolved(reason="timeout"), (MessageStatus.UNKNOWN, None, None)),
    ],
)
def test_tm_14_an_answer_becomes_a_status(
    outcome: Outcome, expected: tuple[MessageStatus, int | None, str | None]
) -> None:
    assert shown(queued(1), submitted(1, outcome)) == expected


@pytest.mark.parametrize(
    ("raw", "code", "status"),
    [
        ("accepted", "", MessageStatus.SENT),
        ("scheduled", "", MessageStatus.SENT),
        ("queued", "", MessageStatus.SENT),
        ("sending", "", MessageStatus.SENT),
        ("sent", "", MessageStatus.SENT),
        ("delivered", "", MessageStatus.DELIVERED),
        ("read", "", MessageStatus.DELIVERED),
        ("partially_delivered", "", MessageStatus.DELIVERED),
        ("undelivered", "30003", MessageStatus.UNDELIVERED),
        ("failed", "21610", MessageStatus.FAILED),
        ("failed", "30004", MessageStatus.FAILED),
        ("failed", "21211", MessageStatus.ERROR),
        ("failed", "21614", MessageStatus.ERROR),
        ("canceled", "", MessageStatus.FAILED),
    ],
)
def test_tm_14_a_report_becomes_a_status(raw: str, code: str, status: MessageStatus) -> None:
    expected = (status, int(code) if code else None, sid(1))
    assert shown(queued(1), submitted(1), callback(1, raw, code)) == expected


@pytest.mark.parametrize(
    ("reports", "status", "code"),
    [
        ([("delivered", ""), ("sent", "")], MessageStatus.DELIVERED, None),
        ([("undelivered", "30003"), ("sent", "")], MessageStatus.UNDELIVERED, 30003),
        ([("undelivered", "30003"), ("undelivered", "")], MessageStatus.UNDELIVERED, 30003),
        ([("undelivered", ""), ("undelivered", "30003")], MessageStatus.UNDELIVERED, 30003),
        ([("undelivered", "30003"), ("delivered", "")], MessageStatus.DELIVERED, None),
        ([("delivered", ""), ("undelivered", "30003")], MessageStatus.DELIVERED, None),
        ([("failed", "30008"), ("queued", "")], MessageStatus.FAILED, 30008),
        ([("failed", ""), ("delivered", "")], MessageStatus.DELIVERED, None),
        ([("failed", "thirty"), ("sent", "")], MessageStatus.FAILED, None),
    ],
)
def test_a_status_never_goes_backwards(
    reports: list[tuple[str, str]], status: MessageStatus, code: int | None
) -> None:
    heard = [callback(1, raw, code) for raw, code in reports]
    assert shown(queued(1), submitted(1), *heard) == (status, code, sid(1))


def test_an_unknown_message_becomes_nothing_until_it_is_known() -> None:
    early = folded(callback(1, "delivered"), submitted(1))
    assert view(early) is None
    assert early.sequence == 0
    known = fold(early, queued(1))
    assert known.sequence == 1
    assert shown(callback(1, "delivered"), submitted(1), queued(1))[0] is MessageStatus.DELIVERED


def test_a_queued_message_is_preparing_and_makes_no_event() -> None:
    message = folded(queued(1))
    assert view(message) is not None
    assert (message.sequence, standing(message)) == (0, Standing.WAITING)


def test_a_report_before_the_answer_is_taken_and_the_answer_adds_when_it_was_sent() -> None:
    early = folded(queued(1), callback(1, "delivered"))
    late = fold(early, submitted(1))
    before, after = view(early), view(late)
    assert before is not None and after is not None
    assert (before.status, before.attempted_at) == (MessageStatus.DELIVERED, None)
    assert (after.status, after.attempted_at) == (MessageStatus.DELIVERED, at(1.9))
    assert (early.sequence, late.sequence) == (1, 2)


@pytest.mark.parametrize("settling", [submitted(1, sequence=3), callback(1, "sent")])
def test_x_10_a_doubt_is_settled_by_a_later_answer_or_a_report(settling: Fact) -> None:
    doubt = submitted(1, Unresolved(reason="timeout"))
    for facts in ([queued(1), doubt, settling], [queued(1), settling, doubt]):
        assert shown(*facts) == (MessageStatus.SENT, None, sid(1))


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        (callback(1, "failed", "30004", organization=STRANGER), Refusal.ORGANIZATION),
        (callback(1, "failed", "30004", to="+12025559999"), Refusal.NUMBER),
        (callback(1, "failed", "30004", from_number="+18885559999"), Refusal.NUMBER),
        (callback(1, "failed", "30004", under=OTHER_SID), Refusal.SID),
    ],
)
def test_a_report_of_another_message_is_refused_and_changes_nothing(
    foreign: Fact, reason: Refusal
) -> None:
    own: list[Fact] = [queued(1), submitted(1)]
    before = folded(*own)
    after = fold(before, foreign)
    assert refusals(before, after, foreign) == [reason]
    assert (view(after), after.sequence) == (view(before), before.sequence)
    assert shown(foreign, *own) == shown(own[0], foreign, own[1]) == shown(*own)


def test_a_parked_report_is_judged_when_the_message_is_known() -> None:
    parked = folded(callback(1, "failed", organization=STRANGER), callback(1, "delivered"))
    known = fold(parked, queued(1))
    assert refusals(parked, known, queued(1)) == [Refusal.ORGANIZATION]
    assert known.parked == ()


def test_an_answer_disowns_the_reports_under_another_sid() -> None:
    before = folded(queued(1), callback(1, "delivered", under=OTHER_SID))
    after = fold(before, submitted(1))
    assert refusals(before, after, submitted(1)) == [Refusal.SID]
    assert refusals(after, fold(after, submitted(1)), submitted(1)) == []
    assert shown(queued(1), callback(1, "delivered", under=OTHER_SID), submitted(1)) == (
        MessageStatus.SENT,
        None,
        sid(1),
    )


def test_tm_6_no_report_moves_a_test_message() -> None:
    facts: list[Fact] = [
        queued(1, mode=Mode.TEST),
        submitted(1, Simulated()),
        callback(1, "delivered"),
    ]
    assert shown(*facts)[0] is MessageStatus.SIMULATED
    assert refusals(folded(*facts[:2]), folded(*facts), facts[2]) == [Refusal.TEST]


def test_a_report_without_numbers_contradicts_nothing() -> None:
    assert shown(queued(1), callback(1, "sent", to="", from_number=""))[0] is MessageStatus.SENT


def test_an_unmapped_status_is_kept_and_shows_nothing() -> None:
    message = folded(queued(1), submitted(1), callback(1, "levitating"))
    assert message.reports[0].unmapped == ("levitating",)
    assert message.sequence == 1


CALLBACKS = st.builds(
    callback,
    st.just(1),
    st.sampled_from(STATUSES),
    st.sampled_from(CODES),
    under=st.sampled_from([sid(1), OTHER_SID]),
    organization=st.sampled_from([queued(1).organization_id] * 3 + [STRANGER]),
    to=st.sampled_from([None, None, "", "+12025559999"]),
)
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Accepted(sid=sid(1)),
        Accepted(sid=OTHER_SID),
        Refused(code=21610),
        Refused(code=21211, invalid_number=True),
        Simulated(),
        Unresolved(reason="timeout"),
    ]
)
SUBMISSIONS = st.lists(OUTCOMES, max_size=3).map(
    lambda outcomes: [submitted(1, each, sequence=2 + n) for n, each in enumerate(outcomes)]
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """Some facts, and the same facts in another order with some of them repeated."""
    mode = draw(st.sampled_from(Mode))
    facts: list[Fact] = [
        *draw(st.sampled_from([[], [queued(1, mode=mode)]])),
        *draw(SUBMISSIONS),
        *draw(st.lists(st.integers(2, 5).map(lambda number: held(1, sequence=number)), max_size=2)),
        *draw(st.lists(CALLBACKS, max_size=6)),
    ]
    repeats = draw(st.lists(st.sampled_from(facts), max_size=5)) if facts else []
    return facts, draw(st.permutations([*facts, *repeats]))


@settings(deadline=None)
@given(histories())
def test_any_order_and_any_repeats_end_in_the_same_state(
    history: tuple[Sequence[Fact], Sequence[Fact]],
) -> None:
    once, again = (replace(folded(*facts), sequence=0) for facts in history)
    assert once == again


@settings(deadline=None)
@given(histories())
def test_the_sequence_rises_exactly_when_the_view_changes(
    history: tuple[Sequence[Fact], Sequence[Fact]],
) -> None:
    message = UNKNOWN
    for fact in history[1]:
        after = fold(message, fact)
        seen = view(after)
        news = (
            seen is not None
            and seen != view(message)
            and seen.status is not MessageStatus.PREPARING
        )
        assert after.sequence == message.sequence + news
        over = {Standing.SETTLED, Standing.EXCLUDED}
        assert standing(after) in over or standing(message) not in over
        message = after
    assert folded(*history[1], *history[1]) == message


@settings(deadline=None)
@given(histories())
def test_a_status_of_the_messages_own_sid_is_never_taken_back(
    history: tuple[Sequence[Fact], Sequence[Fact]],
) -> None:
    message = folded(queued(1), submitted(1))
    for fact in history[1]:
        if isinstance(fact, TwilioCallbackReceived):
            before, message = view(message), fold(message, fact)
            after = view(message)
            assert before is not None and after is not None
            assert STAGE[before.status] <= STAGE[after.status]
            if before.status is after.status:
                assert (before.error_code or 0) <= (after.error_code or 0)


def test_a_callback_keeps_what_decides() -> None:
    assert Callback.of(callback(1, "failed", "1" * 12)).code == 0
