"""The send ledger on SQL: claims, leases, doubts, lanes."""

import asyncio
from datetime import timedelta

import pytest
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    ORGANIZATION,
    claims,
    ledger,
    numbers,
    page_of,
    published,
    states,
    take,
    until_done,
)

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.message import Accepted
from sender.adapters.intake import SqlIntake
from sender.adapters.proofs import SqlProofs
from sender.domain.doubts import Ambiguous, Found, NotThere
from sender.domain.messages import State
from sender.ports import Conclusion, Result, Witness


async def test_a_page_that_comes_again_adds_nothing(store: Store) -> None:
    page = await take(store, numbers(3))
    async with store.transaction() as transaction:
        assert await SqlIntake(transaction).take([seal(page)], at=NOW) == []
    assert await published(store) == ["message.queued"] * 3


async def test_a_claim_is_one_process_s_alone(store: Store) -> None:
    await take(store, numbers(5))
    one, other = ledger(store), ledger(store, instance="sender-2")
    first, second = await claims(one, budget=3), await claims(other)
    assert [len(first), len(second)] == [3, 2]
    assert not {c.message_id for c in first} & {c.message_id for c in second}
    assert await claims(one) == []


async def test_a_number_is_texted_one_at_a_time(store: Store) -> None:
    """Two members share a phone: the second text waits for the first one's outcome."""
    await take(store, [*numbers(2), *numbers(2)])
    book = ledger(store)
    first = await claims(book)
    assert sorted(c.to_number for c in first) == numbers(2)
    assert await claims(book) == []
    await book.settle([Result(c, Accepted(sid=f"SM{c.claim_id.hex}")) for c in first], at=NOW)
    assert len(await claims(book)) == 2


async def test_runs_of_one_number_take_turns(store: Store) -> None:
    await take(store, numbers(50))
    small = await take(store, numbers(3, start=100))
    picked = await claims(ledger(store), budget=6)
    assert [c.run_id == small.run_id for c in picked].count(True) == 3


@pytest.mark.parametrize("budget", [1, 7])
async def test_x8_a_run_of_100_beside_one_of_9_000_is_done_within_200_sends(
    store: Store, budget: int
) -> None:
    """However little may leave at once."""
    await take(store, numbers(9_000))
    small = await take(store, numbers(100, start=9_500))
    book = ledger(store)
    sent, left = 0, 100
    while left:
        found = await claims(book, budget=budget)
        await book.settle([Result(c, Accepted(sid=f"SM{c.claim_id.hex}")) for c in found], at=NOW)
        sent += len(found)
        left -= sum(claim.run_id == small.run_id for claim in found)
    assert sent <= 200 + budget


async def test_a_message_that_does_not_fit_whole_waits_whole(store: Store) -> None:
    await take(store, numbers(3), segments=4)
    picked = await ledger(store).claim(LANE, at=NOW, until=NOW + LEASE, budget=7, limit=100)
    assert (len(picked.claims), picked.segments, picked.next_cost) == (1, 4, 4)


async def test_what_was_certainly_not_sent_waits_and_is_claimed_again(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    again_at = NOW + timedelta(seconds=10)
    await book.settle([Result(claim, None, again_at=again_at)], at=NOW)
    assert await claims(book) == []
    assert len(await claims(book, at=again_at)) == 1
    assert "message.submitted" not in await published(store)


@pytest.mark.parametrize("dead", ["lease over", "same instance, another process"])
async def test_a_dead_process_s_claims_are_in_doubt_and_never_claimed_again(
    store: Store, dead: str
) -> None:
    await take(store, numbers(2))
    await claims(ledger(store))
    later = NOW + (LEASE * 2 if dead == "lease over" else timedelta(seconds=1))
    instance = "sender-2" if dead == "lease over" else "sender-1"
    other = ledger(store, instance=instance)
    assert await other.doubt_overdue(at=later, look_at=later) == 2
    assert await states(store) == [State.IN_DOUBT] * 2
    assert await claims(other, at=later) == []
    assert len(await other.doubts(at=later, until=later, limit=10)) == 2


async def test_another_process_s_living_claims_are_left_alone(store: Store) -> None:
    await take(store, numbers(2))
    await claims(ledger(store))
    other = ledger(store, instance="sender-2")
    assert await other.doubt_overdue(at=NOW, look_at=NOW) == 0


async def test_a_late_outcome_of_the_claim_s_own_process_settles_the_doubt(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await book.doubt_overdue(at=NOW + LEASE * 2, look_at=NOW)
    await book.settle([Result(claim, Accepted(sid="SM1"))], at=NOW)
    assert await states(store) == [State.ACCEPTED]


async def test_an_outcome_of_a_claim_that_is_over_changes_nothing(store: Store) -> None:
    """The message was confirmed absent and claimed anew: the old process has no say any more."""
    await take(store, numbers(1))
    book = ledger(store)
    [old] = await claims(book)
    await book.doubt_overdue(at=NOW + LEASE * 2, look_at=NOW)
    [doubt] = await book.doubts(at=NOW, until=NOW, limit=10)
    await book.conclude([Conclusion(doubt, NotThere())])
    [new] = await claims(book, at=NOW + LEASE * 2)
    assert new.claim_id != old.claim_id
    await book.settle([Result(old, Accepted(sid="SM1"))], at=NOW)
    assert await states(store) == [State.CLAIMED]


async def test_an_answer_that_comes_after_all_keeps_a_waiting_message_from_being_sent_again(
    store: Store,
) -> None:
    await take(store, numbers(2))
    book = ledger(store)
    answered, called_back = await claims(book)
    await book.doubt_overdue(at=NOW + LEASE * 2, look_at=NOW)
    due = await book.doubts(at=NOW, until=NOW, limit=10)
    await book.conclude([Conclusion(doubt, NotThere()) for doubt in due])
    assert await states(store) == [State.QUEUED] * 2
    await book.settle([Result(answered, None)], at=NOW)
    assert await states(store) == [State.QUEUED] * 2
    await book.settle([Result(answered, Accepted(sid="SM1"))], at=NOW)
    witness = Witness(
        called_back.message_id, ORGANIZATION, "SM2", LANE.from_number, called_back.to_number
    )
    async with store.transaction() as transaction:
        await SqlProofs(transaction).take([witness], at=NOW)
    assert await states(store) == [State.ACCEPTED] * 2
    assert await claims(book, at=NOW + LEASE * 2) == []


async def test_a_callback_for_a_message_that_was_never_claimed_settles_nothing(
    store: Store,
) -> None:
    page = await take(store, numbers(1))
    [recipient] = page.recipients
    witness = Witness(recipient.message_id, ORGANIZATION, "SM1", LANE.from_number, recipient.to)
    async with store.transaction() as transaction:
        assert await SqlProofs(transaction).take([witness], at=NOW) == []
    assert await states(store) == [State.QUEUED]


async def test_a_settled_doubt_is_told_once(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    await claims(book)
    await book.doubt_overdue(at=NOW + LEASE * 2, look_at=NOW)
    [doubt] = await book.doubts(at=NOW, until=NOW, limit=10)
    await book.conclude([Conclusion(doubt, Found("SM1"))])
    await book.conclude([Conclusion(doubt, Found("SM1"))])
    await book.conclude([Conclusion(doubt, Ambiguous())])
    assert await states(store) == [State.ACCEPTED]
    assert (await published(store)).count("message.submitted") == 1
    assert await book.known_sids(["SM1", "SM2"]) == {"SM1"}


async def test_lanes_are_forgotten_when_empty_and_found_when_not(store: Store) -> None:
    book = ledger(store)
    await take(store, numbers(1))
    assert await book.lanes() == [LANE]
    [claim] = await claims(book)
    await book.settle([Result(claim, Accepted(sid="SM1"))], at=NOW)
    await book.refresh_lanes()
    assert await book.lanes() == []
    await take(store, numbers(1, start=5))
    await book.refresh_lanes()
    assert await book.lanes() == [LANE]


async def test_a_run_whose_page_comes_while_lanes_are_looked_for_is_not_forgotten(
    store: Store,
) -> None:
    """All that it had is sent, and its next page isn't committed yet."""
    book = ledger(store)
    page = await take(store, numbers(1))
    [claim] = await claims(book)
    await book.settle([Result(claim, Accepted(sid="SM1"))], at=NOW)
    more = page_of(numbers(1, start=5)).recipients
    next_page = page.model_copy(update={"sequence": 2, "recipients": more})
    async with store.transaction() as transaction:
        await SqlIntake(transaction).take([seal(next_page)], at=NOW)
        # On PostgreSQL it waits for us; on SQLite it hasn't begun.
        looking = asyncio.create_task(book.refresh_lanes())
        await asyncio.wait([looking], timeout=0.2)
    await looking
    assert len(await claims(book)) == 1


async def test_two_processes_look_for_lanes_at_once(store: Store) -> None:
    await take(store, numbers(1))
    books = [ledger(store), ledger(store, instance="sender-2")]
    for _ in range(10):
        await asyncio.gather(*(until_done(book.refresh_lanes) for book in books * 2))
    assert await books[0].lanes() == [LANE]
