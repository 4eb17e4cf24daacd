"""One suite for the ports, on their fakes and on their SQL adapters."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.status import facts
from tests.status.fakes import FakeMessages, FakeRuns
from tests.status.stores import BACKENDS, status_store

from contracts.envelope import seal
from status.adapters.messages import SqlMessages
from status.adapters.runs import SqlRuns
from status.domain.folding import fold
from status.domain.ledger import Alarm
from status.domain.message import UNKNOWN, Message
from status.domain.run import Phase, Run, Tally, advance
from status.ports import Messages, Runs

Opened = AbstractAsyncContextManager[tuple[Messages, Runs]]
Open = Callable[[], Opened]


@pytest.fixture(params=BACKENDS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """The ports, each time in a transaction of their own."""
    if request.param == "fake":
        both = FakeMessages(), FakeRuns()

        @asynccontextmanager
        async def remembered() -> AsyncIterator[tuple[Messages, Runs]]:
            yield both

        yield remembered
        return
    async with status_store(request.param, tmp_path) as store:

        @asynccontextmanager
        async def stored() -> AsyncIterator[tuple[Messages, Runs]]:
            async with store.transaction() as transaction:
                yield SqlMessages(transaction, facts.PATIENCE), SqlRuns(transaction)

        yield stored


def full(row: int) -> Message:
    message: Any = UNKNOWN
    for fact in (
        facts.queued(row),
        facts.submitted(row),
        facts.callback(row, "undelivered", "30003"),
        facts.callback(row, "levitating"),
    ):
        message = fold(message, fact)
    return message  # type: ignore[no-any-return]


async def test_a_message_comes_back_as_it_was_kept(opened: Open) -> None:
    parked = fold(UNKNOWN, facts.callback(2, "sent"))
    kept = {facts.message(1): full(1), facts.message(2): parked}
    async with opened() as (messages, _):
        assert await messages.hold(kept) == {}
        await messages.keep(kept)
    async with opened() as (messages, _):
        assert await messages.hold([*kept, uuid4()]) == kept
        newer = {facts.message(2): fold(parked, facts.queued(2))}
        await messages.keep(newer)
    async with opened() as (messages, _):
        assert await messages.hold(kept) == kept | newer


async def test_nothing_is_asked_about_nothing(opened: Open) -> None:
    async with opened() as (messages, runs):
        assert await messages.hold([]) == {}
        await messages.keep({})
        await messages.park([])
        assert await messages.unpark([]) == []
        assert await runs.count_once([]) == set()
        await runs.keep([])


async def test_a_message_is_found_by_the_sid_of_its_answer(opened: Open) -> None:
    async with opened() as (messages, _):
        await messages.keep({facts.message(1): full(1), facts.message(2): UNKNOWN})
    async with opened() as (messages, _):
        found = await messages.named_by({facts.sid(1), facts.sid(2)})
        assert found == {facts.sid(1): facts.message(1)}


async def test_parked_reports_are_taken_out_once(opened: Open) -> None:
    first, second, other = (
        seal(each, because=uuid4())
        for each in (
            facts.callback(1, "sent", named=False),
            facts.callback(1, "delivered", named=False),
            facts.callback(2, "sent", named=False),
        )
    )
    async with opened() as (messages, _):
        await messages.park([first, second, other])
        await messages.park([first])
    async with opened() as (messages, _):
        found = await messages.unpark({facts.sid(1)})
        assert sorted(found, key=lambda each: each.id) == sorted(
            [first, second], key=lambda each: each.id
        )
    async with opened() as (messages, _):
        assert await messages.unpark({facts.sid(1)}) == []
        assert await messages.unpark({facts.sid(2)}) == [other]


async def test_a_fact_is_counted_once(opened: Open) -> None:
    one, two = (facts.RUN, 1), (facts.RUN, 2)
    async with opened() as (_, runs):
        assert await runs.count_once({one}) == {one}
        assert await runs.count_once({one, two}) == {two}
    async with opened() as (_, runs):
        assert await runs.count_once({one, two}) == set()


async def test_a_run_adds_up_and_goes_on(opened: Open) -> None:
    first = Tally(
        facts.ORGANIZATION, facts.CAMPAIGN, facts.at(1), uuid4(), pages=1, recipients=2, rejected=1
    )
    rest = Tally(
        facts.ORGANIZATION,
        facts.CAMPAIGN,
        facts.at(2),
        uuid4(),
        pages=1,
        recipients=1,
        excluded=1,
        settled=2,
        totals=facts.totals(3, rejected=1),
    )
    async with opened() as (_, runs):
        [started] = await runs.add({facts.RUN: first})
        assert (started.pages, started.recipients, started.rejected) == (1, 2, 1)
        await runs.keep([advance(started, at=facts.at(1))[0]])
    async with opened() as (_, runs):
        [ready] = await runs.add({facts.RUN: rest})
        assert ready == Run(
            facts.RUN,
            facts.ORGANIZATION,
            facts.CAMPAIGN,
            pages=2,
            recipients=3,
            rejected=1,
            excluded=1,
            settled=2,
            totals=facts.totals(3, rejected=1),
            phase=Phase.STARTED,
            sequence=1,
        )
    failing = Tally(facts.ORGANIZATION, facts.CAMPAIGN, facts.at(1), uuid4(), failure="moved")
    async with opened() as (_, runs):
        assert [each.failure for each in await runs.add({uuid4(): failing})] == ["moved"]


async def test_what_a_run_came_to_is_kept_and_its_silence_found(opened: Open) -> None:
    tally = Tally(facts.ORGANIZATION, facts.CAMPAIGN, facts.at(1), uuid4(), pages=1, heard=3)
    async with opened() as (_, runs):
        [known] = await runs.add({facts.RUN: tally})
        assert known.heard == 3
        waiting = replace(known, alarms=frozenset(Alarm), waiting_since=facts.at(9), sequence=4)
        await runs.keep([waiting])
    async with opened() as (_, runs):
        assert await runs.silent_since(facts.at(8.9)) == []
        assert await runs.silent_since(facts.at(9)) == [waiting]
        await runs.keep([replace(waiting, waiting_since=None)])
    async with opened() as (_, runs):
        assert await runs.silent_since(facts.at(10**6)) == []


async def test_what_was_counted_is_taken_back_when_a_message_counts_otherwise(
    opened: Open,
) -> None:
    one = Tally(facts.ORGANIZATION, facts.CAMPAIGN, facts.at(1), uuid4(), heard=1, settled=1)
    other = Tally(facts.ORGANIZATION, facts.CAMPAIGN, facts.at(2), uuid4(), excluded=1, settled=-1)
    async with opened() as (_, runs):
        await runs.add({facts.RUN: one})
    async with opened() as (_, runs):
        [known] = await runs.add({facts.RUN: other})
        assert (known.heard, known.settled, known.excluded) == (1, 0, 1)
