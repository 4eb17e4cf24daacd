"""X-3: an opt-out counts at once, whatever order its transaction and a claim's come in."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    ORGANIZATION,
    books_agree,
    claims,
    consent,
    hear,
    ledger,
    numbers,
    opened,
    page_of,
    rows,
    states,
    take,
    told,
    until_done,
)

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.audience import Reason
from contracts.events.campaign import Mode
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
)
from sender.adapters.consents import SqlConsents
from sender.adapters.intake import SqlIntake
from sender.adapters.proofs import SqlProofs
from sender.domain.messages import State
from sender.ports import Result, Witness

ONE = numbers(1)[0]


async def left_out(store: Store) -> list[RecipientExcluded]:
    return [event for event in await told(store) if isinstance(event, RecipientExcluded)]


@pytest.mark.parametrize("scope", [LANE.from_number, ""])
async def test_an_opt_out_settles_what_waits_and_start_lets_new_messages_go(
    store: Store, scope: str
) -> None:
    await take(store, [ONE, *numbers(2, start=10)])
    await hear(store, consent(ONE, 1, out=True, from_number=scope))
    assert await states(store) == [State.EXCLUDED, State.QUEUED, State.QUEUED]
    [event] = await left_out(store)
    assert (event.reason, event.row, event.imis_id, event.sequence) == (Reason.OPTED_OUT, 1, "1", 2)
    await hear(store, consent(ONE, 2, out=False, from_number=scope))
    assert len(await claims(ledger(store))) == 2
    await take(store, [ONE])
    assert [claim.to_number for claim in await claims(ledger(store))] == [ONE]


async def test_an_opt_out_of_one_number_or_organization_is_no_other_one_s(store: Store) -> None:
    await hear(
        store,
        consent(ONE, 1, out=True, from_number="+18885550199"),
        consent(ONE, 1, out=True, from_number="", organization=uuid4()),
    )
    await take(store, [ONE])
    assert len(await claims(ledger(store))) == 1


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.TEST])
async def test_who_is_opted_out_already_is_left_out_at_the_door(store: Store, mode: Mode) -> None:
    await hear(store, consent(ONE, 1, out=True))
    page = await take(store, [ONE, *numbers(1, start=5)], mode=mode)
    async with store.transaction() as transaction:
        assert await SqlIntake(transaction).take([seal(page)], at=NOW) == []
    [event] = await left_out(store)
    assert event.message_id == page.recipients[0].message_id
    assert [e.message_id for e in await told(store) if isinstance(e, MessageQueued)] == [
        page.recipients[1].message_id
    ]
    [first, second] = await states(store)
    assert first == State.EXCLUDED
    assert second == (State.QUEUED if mode is Mode.LIVE else State.SIMULATED)


async def test_an_old_start_replayed_after_a_stop_changes_nothing(store: Store) -> None:
    start = consent(ONE, 1, out=False, at=NOW - timedelta(hours=1))
    await hear(store, start, consent(ONE, 2, out=True))
    await hear(store, start)
    await take(store, [ONE])
    assert await states(store) == [State.EXCLUDED]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(1, 5)), st.lists(st.integers(1, 4), max_size=4), st.booleans())
def test_the_newest_word_counts_however_words_arrive(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    repeats: list[int],
    out_first: bool,
) -> None:
    """Words alternate; they come in any order, with repeats, one by one or in one batch."""
    words = {n: consent(ONE, n, out=(n % 2 == 1) is out_first) for n in range(1, 5)}

    async def run() -> list[str]:
        async with opened(f"sqlite:///{tmp_path_factory.mktemp('fold')}") as store:
            for n in order:
                await hear(store, words[n])
            if repeats:
                await hear(store, *(words[n] for n in repeats))
            await take(store, [ONE])
            return await states(store)

    expected = State.QUEUED if out_first else State.EXCLUDED
    assert asyncio.run(run()) == [expected]


async def test_a_claim_looks_once_more_for_what_the_opt_out_s_own_sweep_missed(
    store: Store,
) -> None:
    """The page's transaction began before the opt-out's and committed after it."""
    page = page_of([ONE])
    async with store.transaction() as transaction:
        # As if it had read before the opt-out was committed.
        for envelope in await SqlIntake(transaction).take([seal(page)], at=NOW):
            transaction.publish_sealed(envelope)
        consents = SqlConsents(transaction)
        consents.leave_out = nothing  # type: ignore[method-assign, assignment]
        await consents.fold([seal(consent(ONE, 1, out=True))], at=NOW)
    assert await states(store) == [State.QUEUED]
    picked = await ledger(store).claim(LANE, at=NOW, until=NOW + LEASE, budget=9, limit=9)
    assert (len(picked.claims), picked.left_out) == (0, 1)
    assert await states(store) == [State.EXCLUDED]
    assert [event.reason for event in await left_out(store)] == [Reason.OPTED_OUT]


async def nothing(*_: object, **__: object) -> list[None]:
    return []


async def test_on_postgresql_no_claim_commits_while_an_opt_out_is_being_committed(
    postgresql: Store,
) -> None:
    """A claim that began to read before the opt-out's commit would not see it."""
    store = postgresql
    await take(store, numbers(1, start=5))
    claiming: asyncio.Task[list[object]] | None = None
    async with store.transaction() as transaction:
        await SqlConsents(transaction).fold([seal(consent(ONE, 1, out=True))], at=NOW)
        # A message to the same number enters meanwhile; the opt-out's sweep can't see it.
        await take(store, [ONE])
        claiming = asyncio.create_task(claims(ledger(store)))  # type: ignore[arg-type]
        done, _ = await asyncio.wait({claiming}, timeout=0.5)
        assert not done
    found = await claiming
    assert [claim.to_number for claim in found] == numbers(1, start=5)  # type: ignore[attr-defined]


async def test_no_interleaving_posts_after_the_opt_out_and_no_message_is_claimed_by_two(
    postgresql: Store,
) -> None:
    """Three processes claim, with SKIP LOCKED, while opt-outs come in."""
    store = postgresql
    everyone = numbers(120)
    await asyncio.gather(*(take(store, everyone[n::4]) for n in range(4)))
    books = [ledger(store, instance=f"sender-{n}") for n in range(3)]
    out: set[str] = set()
    after: list[str] = []
    claimed: list[object] = []

    async def send(n: int) -> None:
        for _ in range(30):
            before = set(out)
            found = await until_done(lambda: claims(books[n], budget=3))
            after.extend(c.to_number for c in found if c.to_number in before)
            claimed.extend(c.message_id for c in found)

    async def opt_out() -> None:
        for number in reversed(everyone[60:]):
            await until_done(lambda number=number: hear(store, consent(number, 1, out=True)))
            out.add(number)

    await asyncio.gather(*(send(n) for n in range(3)), opt_out())
    assert after == []
    assert len(claimed) == len(set(claimed))
    told_out = [event.message_id for event in await left_out(store)]
    assert len(told_out) == len(set(told_out))
    assert sorted([*claimed, *told_out], key=str) == sorted(
        (row.message_id for row in await rows(store)), key=str
    )
    await books_agree(store)


async def refuse(store: Store, code: int = 21610) -> None:
    """Another text to the same number waits while Twilio refuses the first."""
    await take(store, [ONE, *numbers(1, start=5)])
    await take(store, [ONE])
    book = ledger(store)
    [claim] = [each for each in await claims(book) if each.to_number == ONE]
    await book.settle([Result(claim, Refused(code=code))], at=NOW)


async def test_21610_at_once_keeps_the_other_messages_from_that_number_until_a_start(
    store: Store,
) -> None:
    await refuse(store)
    assert len(await left_out(store)) == 1
    assert await claims(ledger(store)) == []
    await take(store, [ONE])
    assert len(await left_out(store)) == 2
    await hear(store, consent(ONE, 3, out=False, at=NOW + timedelta(minutes=1)))
    await take(store, [ONE])
    assert len(await claims(ledger(store))) == 1
    await books_agree(store)


async def test_any_other_refusal_stops_nothing_else(store: Store) -> None:
    await refuse(store, code=21614)
    assert [each.to_number for each in await claims(ledger(store))] == [ONE]


async def test_a_start_from_before_the_refused_text_does_not_undo_the_refusal(
    store: Store,
) -> None:
    await refuse(store)
    await hear(store, consent(ONE, 3, out=False, at=NOW - timedelta(minutes=1)))
    await take(store, [ONE])
    assert await claims(ledger(store)) == []


@pytest.mark.parametrize("scope", [LANE.from_number, ""])
async def test_21610_again_by_callback_after_a_start_stops_nobody(store: Store, scope: str) -> None:
    """Twilio tells it at once and by callback; the callback comes when the START has come."""
    await refuse(store)
    await hear(store, consent(ONE, 3, out=False, from_number=scope, at=NOW + timedelta(minutes=1)))
    refused = next(row for row in await rows(store) if row.state == State.REFUSED)
    witness = Witness(
        refused.message_id, ORGANIZATION, "SM1", LANE.from_number, ONE, error_code=21610
    )
    async with store.transaction() as transaction:
        await SqlProofs(transaction).take([witness], at=NOW)
    await take(store, [ONE])
    assert len(await claims(ledger(store))) == 1


@pytest.mark.parametrize("answered", [True, False])
async def test_21610_by_callback_stops_what_waits_for_that_number(
    store: Store, *, answered: bool
) -> None:
    await take(store, [ONE])
    book = ledger(store)
    [claim] = await claims(book)
    if answered:
        await book.settle([Result(claim, Accepted(sid="SM1"))], at=NOW)
    await take(store, [ONE])
    witness = Witness(
        claim.message_id, ORGANIZATION, "SM1", LANE.from_number, ONE, error_code=21610
    )
    async with store.transaction() as transaction:
        for envelope in await SqlProofs(transaction).take([witness], at=NOW):
            transaction.publish_sealed(envelope)
    assert sorted(await states(store)) == [State.ACCEPTED, State.EXCLUDED]
    assert len([e for e in await told(store) if isinstance(e, MessageSubmitted)]) == 1


async def test_a_callback_of_another_account_neither_settles_nor_hides_a_true_one(
    store: Store,
) -> None:
    """Both are in one batch, the forged one last; the true one is the only proof there is."""
    await take(store, [ONE])
    [claim] = await claims(ledger(store))
    true = Witness(claim.message_id, ORGANIZATION, "SM1", LANE.from_number, ONE)
    forged = Witness(claim.message_id, uuid4(), "SM2", LANE.from_number, ONE, error_code=21610)
    elsewhere = Witness(claim.message_id, ORGANIZATION, "SM3", LANE.from_number, numbers(2)[1])
    async with store.transaction() as transaction:
        assert await SqlProofs(transaction).take([forged, elsewhere], at=NOW) == []
        await SqlProofs(transaction).take([true, forged], at=NOW)
    [row] = await rows(store)
    assert (row.state, row.sid) == (State.ACCEPTED, "SM1")
    await take(store, [ONE])
    assert len(await claims(ledger(store))) == 1
