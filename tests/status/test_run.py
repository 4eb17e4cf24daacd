"""A run starts once and ends once, with exact counts."""

from datetime import timedelta
from uuid import UUID

import pytest
from tests.status.facts import CAMPAIGN, ORGANIZATION, RUN, at, totals

from contracts.events.run import RunCompleted, RunFailed, RunStarted
from status.domain.run import Phase, Run, Tally, advance


def run(**counts: object) -> Run:
    return Run(RUN, ORGANIZATION, CAMPAIGN, **counts)  # type: ignore[arg-type]


def test_the_first_page_starts_the_run() -> None:
    after, told = advance(run(pages=1, recipients=2), at=at(3))
    assert [type(each) for each in told] == [RunStarted]
    assert (after.phase, after.sequence, told[0].sequence) == (Phase.STARTED, 1, 1)
    assert advance(after, at=at(4)) == (after, [])


def test_facts_about_messages_alone_start_nothing() -> None:
    ready = run(settled=3, rejected=1, excluded=1)
    assert advance(ready, at=at(3)) == (ready, [])


@pytest.mark.parametrize(("settled", "excluded", "over"), [(3, 1, True), (2, 1, False)])
def test_a_run_is_over_when_each_recipient_is_settled_or_left_out(
    settled: int, excluded: int, over: bool
) -> None:
    ready = run(
        pages=2, recipients=4, settled=settled, excluded=excluded, totals=totals(4, rejected=2)
    )
    after, told = advance(ready, at=at(3))
    assert [type(each) for each in told] == [RunStarted, *[RunCompleted] * over]
    if over:
        completed = told[1]
        assert isinstance(completed, RunCompleted)
        assert (completed.rows, completed.messages) == (6, 3)
        assert (completed.rejected, completed.excluded) == (2, 1)
        assert completed.sequence == 2
    assert advance(after, at=at(4)) == (after, [])


def test_an_empty_audience_is_over_at_once() -> None:
    _, told = advance(run(pages=1, totals=totals(0)), at=at(3))
    assert [type(each) for each in told] == [RunStarted, RunCompleted]


def test_a_run_whose_audience_fails_fails_once_and_never_completes() -> None:
    after, told = advance(run(failure="The IQA has moved."), at=at(3))
    [failed] = told
    assert isinstance(failed, RunFailed)
    assert (failed.reason, after.phase) == ("The IQA has moved.", Phase.FAILED)
    late = run(pages=1, totals=totals(0), failure="x", phase=Phase.FAILED, sequence=1)
    assert advance(late, at=at(4)) == (late, [])


def test_tallies_add_up_and_keep_the_newest_cause() -> None:
    first = Tally(ORGANIZATION, CAMPAIGN, at(1), UUID(int=1), settled=1, totals=totals(2))
    second = Tally(
        ORGANIZATION, CAMPAIGN, at(1) + timedelta(seconds=1), UUID(int=2), settled=2, failure="x"
    )
    for both in (first + second, second + first):
        assert (both.settled, both.because, both.totals) == (3, UUID(int=2), totals(2))
        assert both.failure == "x"
