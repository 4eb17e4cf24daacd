"""X-6: what is paused waits, what is cancelled never leaves; no stop waits for the log."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.databases import ABOUT_SQLITE
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    ORGANIZATION,
    ask,
    books_agree,
    claims,
    enter,
    follow,
    ledger,
    numbers,
    opened,
    page_of,
    rows,
    set_limits,
    states,
    step,
    sweep,
    take,
    told,
)
from tests.sender.singles import requested

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.audience import Reason, RecipientsResolved
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignEdited,
    CampaignPaused,
    CampaignResumed,
    CampaignStatus,
    Mode,
    WriteTo,
)
from contracts.events.message import Accepted, MessageSubmitted, RecipientExcluded
from contracts.events.organization import SendingStop
from contracts.events.run import RunCancelRequested, RunResendRequested
from sender.adapters.controls import SqlControls
from sender.adapters.resends import SqlResends
from sender.adapters.sweeps import waiting_of
from sender.adapters.tables import CAMPAIGN_CONTROLS, RUNS
from sender.domain.controls import EVERYTHING
from sender.domain.messages import State
from sender.ports import Result

STOPPED = {"stopped": SendingStop(since=NOW, by="staff")}


async def left_out(store: Store) -> list[RecipientExcluded]:
    return [event for event in await told(store) if isinstance(event, RecipientExcluded)]


def cancel_run(page: RecipientsResolved, organization: UUID = ORGANIZATION) -> RunCancelRequested:
    return RunCancelRequested(
        organization_id=organization,
        occurred_at=NOW,
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        by="staff",
    )


async def cancel(store: Store, *commands: RunCancelRequested) -> None:
    async with store.transaction() as transaction:
        await SqlControls(transaction).cancel([seal(each) for each in commands])


async def test_x6_a_paused_campaign_s_texts_wait_and_leave_when_it_is_resumed(store: Store) -> None:
    page = await take(store, numbers(3))
    other = await take(store, numbers(2, start=20))
    await follow(store, step(page, CampaignPaused, 2))
    book = ledger(store)
    assert {claim.run_id for claim in await claims(book)} == {other.run_id}
    await follow(store, step(page, CampaignEdited, 3, status=CampaignStatus.PAUSED))
    assert await claims(book) == []
    await sweep(store)
    assert await left_out(store) == []
    await follow(store, step(page, CampaignResumed, 4))
    assert len(await claims(book)) == 3


@pytest.mark.parametrize("event", [CampaignCancelled, CampaignDeleted])
async def test_x6_what_is_not_claimed_of_a_cancelled_campaign_is_left_out_with_its_reason(
    store: Store, event: type[CampaignCancelled]
) -> None:
    page = await take(store, numbers(600))
    book = ledger(store)
    [under_way] = await claims(book, budget=1)
    await follow(store, step(page, event, 2, cancels_runs=True))
    assert await claims(book) == []
    await sweep(store)
    excluded = await left_out(store)
    assert len(excluded) == len({each.message_id for each in excluded}) == 599
    assert {(each.reason, each.from_number, each.mode, each.write_to) for each in excluded} == {
        (Reason.CANCELLED, LANE.from_number, Mode.LIVE, WriteTo.ACTIVITY)
    }
    assert {each.to for each in excluded} == set(numbers(600)) - {under_way.to_number}
    # What was under way is finished.
    await book.settle([Result(under_way, Accepted(sid="SM1"))], at=NOW)
    assert (await states(store)).count(State.ACCEPTED) == 1
    await books_agree(store)


async def test_x6_what_comes_later_of_something_cancelled_is_left_out_too(store: Store) -> None:
    first = page_of(numbers(2))
    await cancel(store, cancel_run(first))
    await enter(store, first)
    second = page_of(numbers(2), mode=Mode.TEST)
    await follow(store, step(second, CampaignCancelled, 2))
    await enter(store, second)
    assert [each.reason for each in await left_out(store)] == [Reason.CANCELLED] * 4
    assert await claims(ledger(store)) == []


async def test_x6_a_text_that_was_certainly_not_sent_is_cancelled_when_it_waits_again(
    store: Store,
) -> None:
    page = await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await follow(store, step(page, CampaignCancelled, 2))
    await book.settle([Result(claim, None, again_at=NOW)], at=NOW)
    assert await claims(book, at=NOW + LEASE) == []
    await sweep(store)
    assert await states(store) == [State.EXCLUDED]
    await books_agree(store)


async def test_x6_a_cancelled_run_ends_alone(store: Store) -> None:
    """The campaign's next run is its own, and nobody cancels another organisation's."""
    page = await take(store, numbers(2))
    run = page_of(numbers(2, start=10)).model_copy(update={"campaign_id": page.campaign_id})
    await enter(store, run)
    await cancel(store, cancel_run(page), cancel_run(page), cancel_run(run, uuid4()))
    await sweep(store)
    assert {claim.run_id for claim in await claims(ledger(store))} == {run.run_id}
    assert {each.run_id for each in await left_out(store)} == {page.run_id}


@pytest.mark.parametrize("live", [True, False])
async def test_x6_deleting_a_campaign_ends_its_runs_only_when_told_to(
    store: Store, *, live: bool
) -> None:
    page = await take(store, numbers(2))
    await follow(store, step(page, CampaignDeleted, 5, cancels_runs=not live))
    assert len(await claims(ledger(store))) == (2 if live else 0)


async def test_x6_an_archived_cancelled_campaign_stays_cancelled(store: Store) -> None:
    page = await take(store, numbers(2))
    archived = step(page, CampaignArchived, 3, returns_to=CampaignStatus.CANCELLED)
    await follow(store, archived)
    await sweep(store)
    assert await states(store) == [State.EXCLUDED] * 2


LIFE = [
    (CampaignPaused, 2),
    (CampaignResumed, 3),
    (CampaignPaused, 4),
    (CampaignEdited, 5),
    (CampaignCancelled, 6),
    (CampaignCompleted, 7),
]


@settings(max_examples=25, deadline=None)
@given(st.permutations(LIFE), st.lists(st.sampled_from(LIFE), max_size=4), st.integers(1, 6))
def test_x6_the_newest_step_counts_however_steps_arrive(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[tuple[type[CampaignPaused], int]],
    repeats: list[tuple[type[CampaignPaused], int]],
    length: int,
) -> None:
    """Any order and any repeat of a life's first steps leaves what its last step says."""
    page = page_of(numbers(1))

    async def run() -> str:
        async with opened(f"sqlite:///{tmp_path_factory.mktemp('fold')}") as store:
            heard = [each for each in order if each in LIFE[:length]]
            await follow(store, *(step(page, event, n) for event, n in heard))
            for event, n in repeats:
                if (event, n) in LIFE[:length]:
                    await follow(store, step(page, event, n))
            async with store.read() as connection:
                found = await connection.execute(select(CAMPAIGN_CONTROLS.c.state))
                return str(found.scalar_one())

    last, _ = LIFE[length - 1]
    expected = {"CampaignPaused": "paused", "CampaignCancelled": "cancelled"}
    state = expected.get(last.__name__, "sending")
    assert asyncio.run(run()) == ("cancelled" if length >= 5 else state)


async def test_x6_a_stop_that_the_log_has_not_told_yet_counts_until_the_log_knows_better(
    store: Store,
) -> None:
    """What the limiter hands over is newer than the tables, or older than a resume in them."""
    page = await take(store, numbers(2))
    other = await take(store, numbers(2, start=10))
    book = ledger(store)
    paused = {str(page.campaign_id): 4}
    assert {c.run_id for c in await claims(book, budget=1, stops=paused)} == {other.run_id}
    await follow(store, step(page, CampaignPaused, 4), step(page, CampaignResumed, 5))
    assert page.run_id in {c.run_id for c in await claims(book, stops=paused)}
    await books_agree(store)


async def test_x6_a_run_s_cancelling_counts_before_the_log_tells_it(store: Store) -> None:
    page = await take(store, numbers(1))
    await ask(store, requested(numbers(1, start=5)[0]))
    urgent = requested(numbers(1, start=5)[0]).run_id
    book = ledger(store)
    assert await claims(book, stops={str(page.run_id): 1, str(urgent): 1}) == []
    assert len(await claims(book)) == 2


async def test_x6_the_panic_stop_keeps_everything_urgent_texts_included(store: Store) -> None:
    await take(store, numbers(2))
    await ask(store, requested(numbers(1, start=5)[0]))
    book = ledger(store)
    assert await claims(book, stops={EVERYTHING: 2}) == []
    await set_limits(store, sequence=2, limits=STOPPED)
    assert await claims(book) == []
    assert await claims(book, stops={EVERYTHING: 2}) == []
    assert await left_out(store) == []
    await set_limits(store, sequence=3)
    assert len(await claims(book, stops={EVERYTHING: 2})) == 3


async def test_x6_a_resend_of_the_missed_leaves_what_was_cancelled(store: Store) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_run": 2})
    page = await take(store, numbers(4))
    book = ledger(store)
    while (await book.claim(LANE, at=NOW, until=NOW + LEASE, budget=9, limit=9)).left_out:
        pass
    late = page_of(numbers(2, start=10)).model_copy(
        update={"run_id": page.run_id, "campaign_id": page.campaign_id}
    )
    await cancel(store, cancel_run(page))
    await enter(store, late)
    command = RunResendRequested(
        organization_id=ORGANIZATION,
        occurred_at=NOW + timedelta(hours=1),
        sequence=2,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        by="staff",
    )
    async with store.transaction() as transaction:
        await SqlResends(transaction).take(seal(command), at=NOW)
    resent = [row for row in await rows(store) if row.run_id != page.run_id]
    assert [row.to_number for row in resent] == numbers(4)[2:]
    assert [e for e in await told(store) if isinstance(e, MessageSubmitted)] == []


async def test_x6_what_is_cancelled_of_several_numbers_is_left_out_and_no_more(
    store: Store,
) -> None:
    first, second = page_of(numbers(2)), page_of(numbers(2, start=10))
    second = second.model_copy(update={"from_number": "+18885550199"})
    goes_on = page_of(numbers(2, start=20))
    for page in (first, second, goes_on):
        await enter(store, page)
    await follow(store, step(first, CampaignCancelled, 5), step(second, CampaignCancelled, 5))
    await sweep(store)
    found = {row.message_id: row.state for row in await rows(store)}
    assert {found[each.message_id] for each in goes_on.recipients} == {State.QUEUED}
    cancelled = (*first.recipients, *second.recipients)
    assert {found[each.message_id] for each in cancelled} == {State.EXCLUDED}


@ABOUT_SQLITE
async def test_x6_looking_for_what_is_cancelled_reads_nothing_else(tmp_path: Path) -> None:
    """However many numbers the organisation has: each is looked up whole in the index."""
    plan: list[str] = []
    async with opened(f"sqlite:///{tmp_path}/data") as store:
        pages = [page_of(numbers(1)), page_of(numbers(1, start=10))]
        pages[1] = pages[1].model_copy(update={"from_number": "+18885550199"})
        for page in pages:
            await enter(store, page)
            await follow(store, step(page, CampaignCancelled, 5))
        async with store.read() as connection:
            runs = (await connection.execute(select(RUNS))).all()
            for query in waiting_of(runs):
                said = str(
                    query.compile(
                        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
                    )
                )
                found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")
                plan += [row.detail for row in found if "messages" in row.detail]
    assert len(plan) == 2
    assert all("run_id=? AND state=?" in each for each in plan)
