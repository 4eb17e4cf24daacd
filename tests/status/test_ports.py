"""One suite for the ports, on their fakes and on their SQL adapters."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.scheduler.facts import settings_changed
from tests.status import facts
from tests.status.facts import lifecycle
from tests.status.fake_campaigns import FakeCampaigns
from tests.status.fakes import FakeMessages, FakeRuns
from tests.status.stores import BACKENDS, status_store

from contracts.envelope import seal
from contracts.events.campaign import CampaignPaused, CampaignResumed
from contracts.events.run import RunAlarm
from status.adapters.campaigns import SqlCampaigns
from status.adapters.messages import SqlMessages
from status.adapters.runs import SqlRuns
from status.adapters.tables import SETTINGS
from status.domain.folding import fold
from status.domain.message import UNKNOWN, Message
from status.domain.run import Phase, Run, Tally, advance
from status.domain.spike import Campaign, Erring, Failure, Outcomes
from status.ports import Campaigns, Messages, Runs

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
        waiting = replace(known, alarms=frozenset(RunAlarm), waiting_since=facts.at(9), sequence=4)
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


Stored = Callable[[], AbstractAsyncContextManager[Campaigns]]


@pytest.fixture(params=BACKENDS)
async def campaigns(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stored]:
    """What is known of campaigns, each time in a transaction of its own."""
    own = settings_changed(spike_errors=7)
    if request.param == "fake":
        fake = FakeCampaigns()
        fake.known_settings[facts.ORGANIZATION] = own.event.settings

        @asynccontextmanager
        async def remembered() -> AsyncIterator[Campaigns]:
            yield fake

        yield remembered
        return
    async with status_store(request.param, tmp_path) as store:
        async with store.transaction() as transaction:
            await SETTINGS.fold(transaction, [own])

        @asynccontextmanager
        async def stored() -> AsyncIterator[Campaigns]:
            async with store.transaction() as transaction:
                yield SqlCampaigns(transaction)

        yield stored


async def test_x7_a_campaign_s_outcomes_add_up_and_its_errors_are_kept(campaigns: Stored) -> None:
    failure = Failure(2, 30007, facts.RUN, facts.at(1), facts.at(2), uuid4())
    fine = Outcomes(facts.ORGANIZATION, 3)
    failing = Outcomes(facts.ORGANIZATION, 2, (failure,))
    other = uuid4()
    async with campaigns() as known:
        assert await known.add({facts.CAMPAIGN: fine, other: fine}) == []
    async with campaigns() as known:
        [one] = await known.add({facts.CAMPAIGN: failing, other: fine})
        assert one == Campaign(facts.CAMPAIGN, facts.ORGANIZATION, outcomes=5)
        marked = replace(one, errors=(Erring(4, 30007), Erring(5, 0)), alarmed=UUID(int=9))
        await known.keep([marked])
    async with campaigns() as known:
        assert await known.add({facts.CAMPAIGN: failing}) == [replace(marked, outcomes=7)]


async def test_x6_what_is_kept_back_is_known_by_the_newest_state(campaigns: Stored) -> None:
    pause = lifecycle(CampaignPaused, 4, 20)
    resume = lifecycle(CampaignResumed, 5, 30)
    other = uuid4()
    async with campaigns() as known:
        assert await known.kept_back(set()) == set()
        await known.follow([pause])
    async with campaigns() as known:
        assert await known.kept_back({facts.CAMPAIGN, other}) == {facts.CAMPAIGN}
        failure = Failure(1, 30007, facts.RUN, facts.at(1), facts.at(2), uuid4())
        [one] = await known.add({facts.CAMPAIGN: Outcomes(facts.ORGANIZATION, 1, (failure,))})
        await known.keep([replace(one, errors=(Erring(1, 30007),), alarmed=UUID(int=9))])
        await known.follow([resume, pause])
    async with campaigns() as known:
        assert await known.kept_back({facts.CAMPAIGN}) == set()
        [one] = await known.add({facts.CAMPAIGN: Outcomes(facts.ORGANIZATION, 1, (failure,))})
        assert (one.outcomes, one.errors, one.alarmed) == (1, (), None)
        assert (one.resumed, one.resumed_at) == (5, facts.at(30))


async def test_an_organisation_s_settings_are_read_with_what_they_decide(
    campaigns: Stored,
) -> None:
    async with campaigns() as known:
        assert await known.settings([]) == {}
        found = await known.settings([facts.ORGANIZATION, facts.STRANGER])
        assert {key: each.spike_errors for key, each in found.items()} == {facts.ORGANIZATION: 7}
