"""Fairness between runs, and what a doubt's listing means."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from sender.domain.doubts import (
    CLOCK_SKEW,
    Ambiguous,
    Found,
    Listed,
    LookAgain,
    NotThere,
    conclude,
    judge,
)
from sender.domain.fairness import Turns, take_turns
from sender.domain.messages import Doubt

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)


@given(st.lists(st.lists(st.integers(), max_size=20), max_size=6))
def test_runs_take_turns_and_nobody_is_left_out(queues: list[list[int]]) -> None:
    marked = [[(run, n) for n in range(len(queue))] for run, queue in enumerate(queues)]
    turns = take_turns(marked)
    assert sorted(turns) == sorted(each for queue in marked for each in queue)
    for queue in marked:
        assert [each for each in turns if each in queue] == queue
    for position, (_, n) in enumerate(turns):
        assert all(m <= n for _, m in turns[:position])


@given(st.lists(st.lists(st.integers(0, 4), max_size=3), max_size=40))
def test_x8_whoever_waits_the_longest_is_first_however_few_are_served(
    served: list[list[int]],
) -> None:
    """With room for one message at a time, nobody is served twice while somebody waits."""
    turns = Turns[int]()
    last: dict[int, int] = {}
    count = 0
    for keys in served:
        order = turns.order(range(5))
        assert sorted(order) == list(range(5))
        assert [last.get(key, 0) for key in order] == sorted(last.get(key, 0) for key in order)
        turns.served(keys)
        for key in keys:
            count += 1
            last[key] = count


def doubt(*, looks: int = 0) -> Doubt:
    return Doubt(uuid4(), uuid4(), uuid4(), "+18885550100", "+12025550143", "Hi", NOW, looks)


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
    assert judge(doubt(), others, known=set()) == NotThere()


def test_one_that_is_another_message_s_is_not_it() -> None:
    assert judge(doubt(), [listed()], known={"SM1"}) == NotThere()
    two = [listed(), listed(sid="SM2")]
    assert judge(doubt(), two, known={"SM1"}) == Found("SM2")


def test_two_that_can_not_be_told_apart_are_a_person_s_business() -> None:
    assert judge(doubt(), [listed(), listed(sid="SM2")], known=set()) == Ambiguous()


LATER = NOW + timedelta(minutes=1)


def test_one_empty_list_is_not_enough_to_send_again() -> None:
    first = conclude(doubt(), [], known=set(), read_to_end=True, later=LATER)
    assert first == LookAgain(LATER, shown_nothing=True)
    second = conclude(doubt(looks=1), [], known=set(), read_to_end=True, later=LATER)
    assert second == NotThere()


def test_nothing_is_concluded_while_callbacks_are_unread() -> None:
    for looks, there in ((0, []), (1, []), (0, [listed()]), (1, [listed(), listed(sid="SM2")])):
        verdict = conclude(doubt(looks=looks), there, known=set(), read_to_end=False, later=LATER)
        assert verdict == LookAgain(LATER)
