"""TM-15: segments for a run and for a day: never one more, whatever happens in between."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    all_claims,
    books_agree,
    claims,
    ledger,
    numbers,
    page_of,
    rows,
    set_limits,
    states,
    take,
    told,
    until_done,
)

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.audience import Reason
from contracts.events.message import Accepted, RecipientExcluded, Refused
from sender.adapters.intake import SqlIntake
from sender.domain.doubts import NotThere
from sender.domain.limits import DayRoom, RunRoom, allot, day_of
from sender.domain.messages import State
from sender.ports import Conclusion, Result

RUNS = [uuid4(), uuid4()]


@dataclass(frozen=True)
class Text:
    run_id: UUID
    row: int
    segments: int


texts = st.lists(st.tuples(st.sampled_from(RUNS), st.integers(1, 24)), max_size=30).map(
    lambda found: [Text(run, row, cost) for row, (run, cost) in enumerate(found)]
)


@given(
    texts,
    st.integers(0, 200),
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
    st.integers(0, 100),
    st.booleans(),
)
def test_no_limit_is_passed_and_each_message_is_whole_and_in_order(
    waiting: list[Text], budget: int, room: tuple[int, int], day: int, holds: bool
) -> None:
    runs = {run: RunRoom(left) for run, left in zip(RUNS, room, strict=True)}
    done = allot(waiting, budget=budget, runs=runs, day=DayRoom(day, 100, holds=holds))
    assert sum(text.segments for text in done.taken) <= min(budget, day)
    for run, left in zip(RUNS, room, strict=True):
        taken = [text for text in done.taken if text.run_id == run]
        assert sum(text.segments for text in taken) <= left
        over = [text.row for text in done.over_run if text.run_id == run]
        # Once a message doesn't fit, the rest of its run is left out.
        assert not over or all(text.row < min(over) for text in taken)
        assert done.runs[run].full_from == (min(over) if over else None)
    decided = [*done.taken, *done.over_run, *done.over_day]
    assert len(decided) == len(set(decided))
    untouched = [text for text in waiting if text not in decided]
    assert untouched == waiting[len(waiting) - len(untouched) :]
    assert not untouched or done.held or done.next_cost is not None
    assert not (holds and done.over_day)


def test_the_organisation_s_day_begins_at_its_own_midnight() -> None:
    honolulu = ZoneInfo("Pacific/Honolulu")
    assert day_of(datetime(2026, 3, 2, 9, 59, tzinfo=UTC), honolulu) == "2026-03-01"
    assert day_of(datetime(2026, 3, 2, 10, 0, tzinfo=UTC), honolulu) == "2026-03-02"


async def reasons(store: Store) -> list[tuple[int, Reason]]:
    return sorted((e.row, e.reason) for e in await told(store) if isinstance(e, RecipientExcluded))


async def test_what_a_run_may_not_send_is_left_out_from_the_first_that_does_not_fit(
    store: Store,
) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_run": 10})
    await take(store, numbers(6), segments=[4, 4, 3, 1, 1, 1])
    other = await take(store, numbers(2, start=20), segments=4)
    book = ledger(store)
    assert sorted(c.segments for c in await all_claims(book)) == [4, 4, 4, 4]
    over = Reason.OVER_RUN_LIMIT
    assert await reasons(store) == [(3, over), (4, over), (5, over), (6, over)]
    left_out = [e for e in await told(store) if isinstance(e, RecipientExcluded)]
    assert other.run_id not in {e.run_id for e in left_out}
    await books_agree(store)


async def test_the_rest_of_a_run_is_left_out_though_it_comes_on_a_later_page(store: Store) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_run": 10})
    page = page_of(numbers(4), segments=[9, 4, 1, 1])
    first = page.model_copy(update={"recipients": page.recipients[:2]})
    second = page.model_copy(update={"recipients": page.recipients[2:]})
    book = ledger(store)
    for each in (first, second):
        async with store.transaction() as transaction:
            await SqlIntake(transaction).take([seal(each)], at=NOW)
        await all_claims(book)
    assert await states(store) == [State.CLAIMED, *[State.EXCLUDED] * 3]


async def test_the_day_s_limit_holds_whole_messages_until_midnight(store: Store) -> None:
    await set_limits(
        store, sequence=2, limits={"segments_per_day": 10, "time_zone": "America/New_York"}
    )
    await take(store, numbers(4), segments=[4, 4, 4, 1])
    book = ledger(store)
    picked = await book.claim(LANE, at=NOW, until=NOW + LEASE, budget=100, limit=100)
    assert ([c.segments for c in picked.claims], picked.held) == ([4, 4], True)
    evening = datetime(2026, 3, 3, 4, 59, tzinfo=UTC)
    assert await claims(book, at=evening) == []
    assert len(await claims(book, at=evening + timedelta(minutes=1))) == 2
    assert await reasons(store) == []
    await books_agree(store)


async def test_a_limit_that_is_raised_counts_at_once(store: Store) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_day": 2})
    await take(store, numbers(5))
    book = ledger(store)
    assert len(await claims(book)) == 2
    assert await claims(book) == []
    await set_limits(store, sequence=3, limits={"segments_per_day": 4})
    assert len(await claims(book)) == 2
    await set_limits(store, sequence=4, limits={"segments_per_day": 3})
    assert await claims(book) == []


async def test_over_the_day_s_limit_texts_are_left_out_if_staff_said_so(store: Store) -> None:
    await set_limits(
        store, sequence=2, limits={"segments_per_day": 2, "over_day_limit": "leave_out"}
    )
    await take(store, numbers(4))
    assert len(await all_claims(ledger(store))) == 2
    assert await reasons(store) == [(3, Reason.OVER_DAY_LIMIT), (4, Reason.OVER_DAY_LIMIT)]


async def test_a_text_longer_than_a_whole_day_s_limit_does_not_block_the_others(
    store: Store,
) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_day": 10})
    await take(store, numbers(2), segments=[24, 1])
    assert [c.segments for c in await all_claims(ledger(store))] == [1]
    assert await reasons(store) == [(1, Reason.OVER_DAY_LIMIT)]


async def test_only_what_certainly_was_not_sent_is_given_back(store: Store) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_day": 4})
    await take(store, numbers(8))
    book = ledger(store)
    accepted, refused, throttled, doubtful = await claims(book)
    await book.settle(
        [
            Result(accepted, Accepted(sid="SM1")),
            Result(refused, Refused(code=30000)),
            Result(throttled, None, again_at=NOW + timedelta(days=1)),
            Result(doubtful, None),
        ],
        at=NOW,
    )
    await books_agree(store)
    assert len(await claims(book)) == 2
    later = NOW + timedelta(minutes=5)
    [doubt] = await book.doubts(at=later, until=later, limit=9)
    assert await claims(book) == []
    await book.conclude([Conclusion(doubt, NotThere())])
    await books_agree(store)
    assert len(await claims(book)) == 1
    await books_agree(store)


@pytest.mark.parametrize("limit", ["segments_per_day", "segments_per_run"])
async def test_the_limits_are_exact_under_three_processes_and_kills(
    store: Store, limit: str
) -> None:
    """Each process claims on its own; one dies with its claims, which stay counted."""
    await set_limits(store, sequence=2, limits={limit: 50})
    await take(store, numbers(90))
    books = [ledger(store, instance=f"sender-{n}") for n in range(3)]

    async def work(n: int) -> None:
        for turn in range(12):
            found = await until_done(lambda: claims(books[n], budget=4))
            killed = n == 2 and turn > 3
            settled = [
                Result(claim, Refused(code=30000))
                if claim.message_id.int % 5 == 0
                else Result(claim, Accepted(sid=f"SM{claim.message_id.hex}"))
                for claim in found
            ]
            if settled and not killed:
                await until_done(partial(books[n].settle, settled, at=NOW))

    await asyncio.gather(*(work(n) for n in range(3)))
    used = [row.segments for row in await rows(store) if row.state in {"accepted", "claimed"}]
    assert sum(used) <= 50
    assert sum(used) >= 40 if limit == "segments_per_run" else sum(used) == 50
    await books_agree(store)
