"""Fairness between runs, what a budget pays for, and what a doubt's listing means."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from sender.domain.doubts import CLOCK_SKEW, Found, Judged, Listed, judge
from sender.domain.fairness import fit, take_turns
from sender.domain.messages import Doubt

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
costs = st.lists(st.integers(1, 24), max_size=40)


@given(costs, st.integers(0, 200))
def test_a_budget_pays_for_whole_messages_in_order_and_for_no_fewer_than_it_can(
    wanted: list[int], budget: int
) -> None:
    count = fit(wanted, budget)
    assert sum(wanted[:count]) <= budget
    assert count == len(wanted) or sum(wanted[: count + 1]) > budget


@given(st.lists(st.lists(st.integers(), max_size=20), max_size=6))
def test_runs_take_turns_and_nobody_is_left_out(queues: list[list[int]]) -> None:
    marked = [[(run, n) for n in range(len(queue))] for run, queue in enumerate(queues)]
    turns = take_turns(marked)
    assert sorted(turns) == sorted(each for queue in marked for each in queue)
    for queue in marked:
        assert [each for each in turns if each in queue] == queue
    for position, (_, n) in enumerate(turns):
        assert all(m <= n for _, m in turns[:position])


def doubt() -> Doubt:
    return Doubt(uuid4(), uuid4(), uuid4(), "+18885550100", "+12025550143", "Hi", NOW, 0)


def listed(**changes: object) -> Listed:
    known: dict[str, object] = {
        "sid": "SM1",
        "to_number": "+12025550143",
        "from_number": "+18885550100",
        "body": "Hi",
        "created_at": NOW + timedelta(seconds=1),
    }
    return Listed(**(known | changes))  # type: ignore[arg-type]


def test_one_that_it_may_be_is_it() -> None:
    assert judge(doubt(), [listed()], known=set()) == Found("SM1")


def test_what_differs_is_not_it() -> None:
    others = [
        listed(to_number="+12025550144"),
        listed(from_number="+18885550101"),
        listed(body="Hi!"),
        listed(created_at=NOW - CLOCK_SKEW - timedelta(seconds=1)),
    ]
    assert judge(doubt(), others, known=set()) == Judged("absent")


def test_one_that_is_another_message_s_is_not_it() -> None:
    assert judge(doubt(), [listed()], known={"SM1"}) == Judged("absent")
    two = [listed(), listed(sid="SM2")]
    assert judge(doubt(), two, known={"SM1"}) == Found("SM2")


def test_two_that_can_not_be_told_apart_are_a_person_s_business() -> None:
    assert judge(doubt(), [listed(), listed(sid="SM2")], known=set()) == Judged("ambiguous")
