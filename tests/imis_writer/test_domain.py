"""TM-8, X-10: what belongs into iMIS, and what an attempt or a look makes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.imis_writer.doubles import candidate
from tests.imis_writer.facts import NOON, effect

from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from imis_writer.domain.doubts import Candidate, Surroundings, recognise
from imis_writer.domain.effects import Effect, State, succeeds
from imis_writer.domain.holds import Hold
from imis_writer.domain.outcomes import (
    Absent,
    Ambiguous,
    Deleted,
    Doubtful,
    LoginRefused,
    Look,
    NoAnswer,
    NotTried,
    Opened,
    Outcome,
    Patience,
    Postponed,
    Present,
    Refused,
    TooEarly,
    Unneeded,
    Written,
    delay,
    overtaken,
    resolve,
)
from imis_writer.settings import ImisWriterSettings

PATIENCE = Patience(timedelta(seconds=5), timedelta(seconds=60))
SENT, DELIVERED = MessageStatus.SENT, MessageStatus.DELIVERED


@pytest.mark.parametrize("status", list(MessageStatus))
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("success", [SENT, DELIVERED])
@pytest.mark.parametrize("accepted", [True, False])
def test_tm_8_which_status_is_a_success(
    status: MessageStatus, mode: Mode, success: MessageStatus, accepted: bool
) -> None:
    """A text that Twilio accepted was Sent, even when the report that it failed came first."""
    live = {SENT, DELIVERED} if success is SENT else {DELIVERED}
    if accepted and success is SENT:
        live |= {MessageStatus.UNDELIVERED, MessageStatus.FAILED}
    wanted = live if mode is Mode.LIVE else {MessageStatus.SIMULATED}
    assert succeeds(status, mode, accepted=accepted, success=success) == (status in wanted)


@pytest.mark.parametrize(
    ("outcome", "looks", "state", "seconds", "looks_then"),
    [
        (Written("7"), 0, State.WRITTEN, None, 0),
        (Refused("no"), 0, State.REFUSED, None, 0),
        (Unneeded(), 0, State.UNNEEDED, None, 0),
        (LoginRefused(), 0, State.READY, 0, 0),
        (NotTried(), 0, State.READY, 0, 0),
        (Postponed(), 0, State.READY, 2, 0),
        (Postponed(90), 0, State.READY, 90, 0),
        (Doubtful(), 0, State.IN_DOUBT, 5, 0),
        (TooEarly(), 0, State.WAITING, None, 0),
        (Opened("5"), 0, State.READY, 0, 0),
        (Deleted(), 0, State.DELETED, None, 0),
        (Present(), 1, State.READY, 0, 1),
        (Absent(), 0, State.IN_DOUBT, 60, 1),
        (Absent(), 1, State.READY, 0, 0),
        (Ambiguous(), 1, State.UNKNOWN, None, 1),
        (NoAnswer(), 1, State.IN_DOUBT, 60, 1),
        (NoAnswer(300), 0, State.IN_DOUBT, 300, 0),
        (Written("7"), 1, State.WRITTEN, None, 1),
    ],
)
def test_what_follows(
    outcome: Outcome | Look, looks: int, state: State, seconds: int | None, looks_then: int
) -> None:
    change = resolve(effect(looks=looks), outcome, at=NOON, patience=PATIENCE)
    assert (change.state, change.after.looks) == (state, looks_then)
    assert change.not_before == (None if seconds is None else NOON + timedelta(seconds=seconds))


def test_tm_8_refusals_are_spaced_and_the_last_one_is_told() -> None:
    patience, wanted = replace(PATIENCE, refusals=3), effect()
    waits = []
    while (change := resolve(wanted, Refused("no"), at=NOON, patience=patience)).event is None:
        assert change.not_before is not None
        waits.append((change.not_before - NOON).total_seconds())
        wanted = change.after
    assert (waits, change.state) == ([5, 10], State.REFUSED)


def test_tm_8_what_never_works_is_listed_in_the_end_and_may_be_tried_again() -> None:
    often = effect(attempts=PATIENCE.most_tries, looks=1)
    change = resolve(often, Absent(), at=NOON, patience=PATIENCE)
    assert isinstance(change.event, ActivityRefused)
    again = replace(change.after, attempts=PATIENCE.most_tries + 1)
    assert resolve(again, Absent(), at=NOON, patience=PATIENCE).state is State.READY


@pytest.mark.parametrize(
    ("wanted", "outcome", "state", "told"),
    [
        (effect(), Written("7"), State.READY, True),
        (effect(), Refused("no"), State.MOOT, False),
        (effect(), Postponed(), State.MOOT, False),
        (effect(), Doubtful(), State.IN_DOUBT, False),
        (effect(), Ambiguous(), State.UNKNOWN, True),
        (effect(seqn="7"), Deleted(), State.READY, True),
        (effect(seqn="7"), Postponed(), State.WRITTEN, False),
        (effect(seqn="7"), Refused("no"), State.WRITTEN, False),
        (effect(seqn="7"), Doubtful(), State.IN_DOUBT, False),
    ],
)
def test_tm_21_what_is_done_when_it_is_not_wanted_any_more_is_undone(
    wanted: Effect, outcome: Outcome | Look, state: State, told: bool
) -> None:
    resolved = resolve(wanted, outcome, at=NOON, patience=PATIENCE)
    change = overtaken(resolved, undo=True, delivered=False)
    assert (change.state, change.event is not None) == (state, told)
    # A SEQN means that there is something to delete; after a deletion it is written anew.
    if state is State.READY:
        assert (change.after.seqn is None) == isinstance(outcome, Deleted)
        assert change.not_before == NOON
    assert overtaken(resolved, undo=False, delivered=False) == resolved


def test_what_the_others_are_told() -> None:
    wanted = effect(sequence=1)
    written = resolve(wanted, Written("7"), at=NOON, patience=PATIENCE).event
    refused = resolve(effect(), Refused("no"), at=NOON, patience=PATIENCE).event
    assert isinstance(written, ActivityWritten)
    assert (written.seqn, written.sequence, written.kind) == ("7", 2, "TEXTMSG")
    assert (written.effect_id, written.transaction_date) == (wanted.effect_id, NOON)
    assert isinstance(refused, ActivityRefused)
    assert (refused.reason, refused.sequence) == ("no", 1)
    assert resolve(wanted, Doubtful(), at=NOON, patience=PATIENCE).event is None


MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TWIN = effect(text="Another text")
SAME = effect()


@pytest.mark.parametrize(
    ("name", "candidates", "around", "looked"),
    [
        ("nothing there", [], Surroundings(), Absent()),
        ("there", [candidate()], Surroundings(), Written("7")),
        ("there, its text cut", [candidate(note="Hello")], Surroundings(), Written("7")),
        ("there, said briefly", [candidate(imis_id="", kind="")], Surroundings(), Written("7")),
        ("another's", [candidate()], Surroundings(frozenset({"7"})), Absent()),
        ("another member's", [candidate(imis_id="102")], Surroundings(), Absent()),
        ("another kind", [candidate(kind="CALL")], Surroundings(), Absent()),
        ("another number", [candidate(number="+12025550199")], Surroundings(), Absent()),
        (
            "the same text, a week ago",
            [candidate(transaction_date=NOON.replace(microsecond=0) - 7 * 24 * HOUR)],
            Surroundings(),
            Absent(),
        ),
        (
            "another text, an hour ago",
            [candidate(transaction_date=NOON.replace(microsecond=0) - HOUR, note="Another")],
            Surroundings(),
            Absent(),
        ),
        (
            "its time shifted by a zone",
            [candidate(transaction_date=NOON.replace(microsecond=0) - 5 * HOUR)],
            Surroundings(),
            Ambiguous(),
        ),
        ("its time cut", [candidate(transaction_date=MIDNIGHT)], Surroundings(), Ambiguous()),
        ("its time unreadable", [candidate(transaction_date=None)], Surroundings(), Ambiguous()),
        ("twice", [candidate(), candidate("8")], Surroundings(), Ambiguous()),
        (
            "two, one of them ours by its text",
            [candidate(), candidate("8", note="Another text")],
            Surroundings(open=[TWIN]),
            Written("7"),
        ),
        (
            "only the rival's",
            [candidate("8", note="Another text")],
            Surroundings(open=[TWIN]),
            Absent(),
        ),
        (
            "one that may be either's",
            [candidate("8", note="")],
            Surroundings(open=[TWIN]),
            Ambiguous(),
        ),
        ("an equal rival", [candidate()], Surroundings(open=[SAME]), Ambiguous()),
        ("an equal rival, nothing there", [], Surroundings(open=[SAME]), Absent()),
    ],
)
def test_what_is_recognised(
    name: str, candidates: list[Candidate], around: Surroundings, looked: Look
) -> None:
    assert recognise(effect(), candidates, around) == looked


SECONDS = st.sampled_from([timedelta(), timedelta(seconds=1)])
TEXTS = st.sampled_from(["one", "two"])


@given(
    st.lists(st.tuples(SECONDS, TEXTS), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_whatever_is_recognised_is_right(
    wanted: list[tuple[timedelta, str]], written: list[bool]
) -> None:
    """Several doubts about one member at once: none takes another's, none is called absent."""
    effects = [effect(transaction_date=NOON + later, text=text) for later, text in wanted]
    held = {
        str(number): (
            each,
            candidate(
                str(number),
                transaction_date=each.transaction_date.replace(microsecond=0),
                note=each.text,
            ),
        )
        for number, each in enumerate(effects)
        if written[number]
    }
    for number, each in enumerate(effects):
        looked = recognise(each, [found for _, found in held.values()], Surroundings(open=effects))
        if isinstance(looked, Written):
            assert held[looked.seqn][0] == each
        if isinstance(looked, Absent):
            assert not written[number]


def test_delays_double_and_stop_growing() -> None:
    assert [delay(n).total_seconds() for n in (0, 1, 2, 8, 9, 5_000)] == [1, 2, 4, 256, 300, 300]
    assert delay(0, 900).total_seconds() == 900


def after(hold: Hold, *outcomes: Outcome | Look) -> Hold:
    return hold.after(outcomes, at=NOON)


def test_a_site_that_can_t_now_is_asked_less_and_less() -> None:
    hold, waits = Hold(), []
    for _ in range(3):
        hold = after(hold, Postponed())
        assert hold.until is not None
        waits.append((hold.until - NOON).total_seconds())
        assert hold.holds(at=NOON)
    assert waits == [1, 2, 4]
    assert after(hold, Postponed(), Written("1")) == Hold()
    assert not after(hold, Doubtful()).holds(at=NOON)


def test_nothing_personal_in_what_may_be_logged() -> None:
    shown = repr(effect()) + repr(candidate())
    assert "+1202" not in shown
    assert "Hello" not in shown


def test_a_second_look_comes_after_the_request_s_end() -> None:
    with pytest.raises(ValidationError):
        ImisWriterSettings(request_timeout=30, second_look=30)
