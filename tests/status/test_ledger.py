"""X-2: each row is accounted for; a ledger that contradicts itself or falls silent is an alarm."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.status.facts import CAMPAIGN, ORGANIZATION, RUN, at, totals

from contracts.events.run import RunAlarm, RunAlarmRaised, RunCompleted
from status.domain.ledger import Patience
from status.domain.run import Phase, Run, advance, give_alarm, wait

PATIENCE = Patience(
    unheard=timedelta(minutes=15), held=timedelta(hours=50), untold=timedelta(hours=24)
)


def run(**counts: object) -> Run:
    return Run(
        RUN,
        ORGANIZATION,
        CAMPAIGN,
        **{"pages": 1, "phase": Phase.STARTED, "sequence": 1, **counts},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("state", "fine"),
    [
        (run(recipients=3), True),
        (run(recipients=3, totals=totals(3, 1)), True),
        (run(recipients=2, totals=totals(3, 1)), True),
        (run(recipients=4, totals=totals(3, 1)), False),
        (run(recipients=3, rejected=2, totals=totals(3, 1)), False),
        (run(recipients=3, heard=4, totals=totals(3, 1)), False),
        (run(recipients=3, settled=3, excluded=1, totals=totals(3, 1)), False),
        (run(totals=totals(3, 1).model_copy(update={"rows": 5})), False),
    ],
)
def test_more_than_the_totals_is_an_alarm_at_once_and_once(state: Run, fine: bool) -> None:
    after, told = advance(state, at=at(3))
    alarms = [each for each in told if isinstance(each, RunAlarmRaised)]
    assert [each.alarm for each in alarms] == ([] if fine else ["does_not_add_up"])
    assert [each.sequence for each in told] == list(range(2, 2 + len(told)))
    assert after.sequence == 1 + len(told)
    again, nothing = advance(replace(after, recipients=9, rejected=9), at=at(4))
    assert [each for each in nothing if isinstance(each, RunAlarmRaised)] == (
        [] if not fine or after.totals is None else nothing
    )
    assert again.alarms >= after.alarms


def test_an_alarm_says_what_was_expected_and_what_was_found() -> None:
    state = run(recipients=4, rejected=1, heard=2, settled=1, totals=totals(3, 1))
    [alarm] = advance(state, at=at(3))[1]
    assert isinstance(alarm, RunAlarmRaised)
    assert alarm.detail == (
        "rows 4; recipients 4 of 3; rejected 1 of 1; heard of 2 of 3; settled 1 and excluded 0 of 3"
    )


def test_too_many_outcomes_do_not_keep_a_run_from_its_end() -> None:
    _, told = advance(run(recipients=3, heard=4, settled=4, totals=totals(3)), at=at(3))
    assert [type(each) for each in told] == [RunCompleted, RunAlarmRaised]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("missing", "after"),
    [
        # Rows that nobody ever spoke of: a page, a rejection, a message.
        ({"recipients": 2, "rejected": 1, "heard": 2, "settled": 2}, timedelta(minutes=15)),
        ({"recipients": 3, "rejected": 0, "heard": 3, "settled": 3}, timedelta(minutes=15)),
        ({"recipients": 3, "rejected": 1, "heard": 2, "settled": 2}, timedelta(minutes=15)),
        # Each was heard of; the sender may hold the rest until the next day.
        ({"recipients": 3, "rejected": 1, "heard": 3, "settled": 2}, timedelta(hours=50)),
        # Nothing is missing.
        ({"recipients": 3, "rejected": 1, "heard": 3, "settled": 2, "excluded": 1}, None),
        # Its audience was begun, and nobody said how many rows there are.
        ({"recipients": 3, "heard": 3, "settled": 3, "totals": None}, timedelta(hours=24)),
        ({"recipients": 3, "totals": None}, timedelta(hours=24)),
    ],
)
def test_a_run_that_falls_silent_before_its_end_is_an_alarm(
    missing: dict[str, Any], after: timedelta | None
) -> None:
    state = wait(run(**{"totals": totals(3, 1), **missing}), at=at(0))
    if after is None:
        assert state.waiting_since is None
        return
    almost = at(0) + after - timedelta(seconds=1)
    assert give_alarm(state, at=almost, patience=PATIENCE) == (state, [])
    alarmed, [told] = give_alarm(state, at=at(0) + after, patience=PATIENCE)
    assert isinstance(told, RunAlarmRaised)
    assert (told.alarm, told.sequence) == ("stalled", 2)
    assert give_alarm(alarmed, at=at(10**6), patience=PATIENCE) == (alarmed, [])
    assert wait(alarmed, at=at(10**6)).waiting_since is None


@pytest.mark.parametrize(
    "state",
    [
        run(recipients=3, phase=Phase.FAILED),
        run(recipients=3, totals=totals(5), phase=Phase.FAILED),
        run(recipients=3, totals=totals(5), alarms=frozenset({RunAlarm.STALLED})),
    ],
)
def test_nothing_is_awaited_of_a_run_that_failed_or_of_which_the_alarm_was_raised(
    state: Run,
) -> None:
    assert wait(state, at=at(0)).waiting_since is None


def test_news_begins_the_wait_anew() -> None:
    state = wait(run(recipients=3, totals=totals(5)), at=at(0))
    later: datetime = at(600)
    state = wait(replace(state, heard=1), at=later)
    assert state.waiting_since == later
