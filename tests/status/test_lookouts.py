"""X-1: one suite for the port that says what to ask for, on its fake and on its SQL adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import select
from tests.status import facts
from tests.status.fakes import FakeLookouts, FakeMessages, FakeOutbox
from tests.status.stores import BACKENDS, status_store

from chassis.outbox import OUTBOX
from contracts.events.message import MessageQueued
from status.adapters.lookouts import SqlLookouts
from status.adapters.messages import SqlMessages
from status.domain.folding import Fact, fold
from status.domain.looking import Answer
from status.domain.message import UNKNOWN, Message
from status.ports import Lookouts

DUE = facts.at(1.9) + facts.PATIENCE.first
LEASE = timedelta(minutes=1)


@dataclass
class Rig:
    keep: Callable[[Mapping[UUID, Message]], Awaitable[None]]
    process: Callable[[], Lookouts]
    told: Callable[[], Awaitable[list[str]]]

    async def send(self, *rows: int, more: tuple[Fact, ...] = ()) -> None:
        await self.keep({facts.message(row): sent(row, *more) for row in rows})


def sent(row: int, *more: Fact) -> Message:
    message = UNKNOWN
    for fact in (facts.queued(row), facts.submitted(row), *more):
        message = fold(message, fact)
    return message


@pytest.fixture(params=BACKENDS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "fake":
        known, outbox = FakeMessages(), FakeOutbox()
        first = FakeLookouts(known, outbox)

        async def remembered() -> list[str]:
            return [getattr(each, "message_status", "") for each in outbox.events]

        yield Rig(known.keep, first.beside, remembered)
        return
    async with status_store(request.param, tmp_path) as store:

        async def keep(messages: Mapping[UUID, Message]) -> None:
            async with store.transaction() as transaction:
                await SqlMessages(transaction, facts.PATIENCE).keep(messages)

        async def told() -> list[str]:
            async with store.read() as connection:
                rows = await connection.scalars(select(OUTBOX.c.value).order_by(OUTBOX.c.position))
                return [orjson.loads(each)["message_status"] for each in rows]

        def process() -> Lookouts:
            return SqlLookouts(store, process=uuid4(), patience=facts.PATIENCE)

        yield Rig(keep, process, told)


async def due_sids(lookouts: Lookouts, at: datetime = DUE) -> list[str]:
    return sorted(await lookouts.due(facts.ORGANIZATION, at=at, limit=100))


async def test_an_accepted_message_is_due_until_its_end_is_known(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1, 2, 3)
    assert await lookouts.due_organizations(at=DUE - timedelta(seconds=1)) == []
    assert await lookouts.due_organizations(at=DUE) == [facts.ORGANIZATION]
    assert await due_sids(lookouts) == [facts.sid(row) for row in (1, 2, 3)]
    assert len(await lookouts.due(facts.ORGANIZATION, at=DUE, limit=2)) == 2
    await rig.send(2, more=(facts.callback(2, "delivered"),))
    assert await due_sids(lookouts) == [facts.sid(row) for row in (1, 3)]
    # A report of something else puts nothing off and brings nothing forward.
    await rig.send(1, more=(facts.callback(1, "sent"),))
    assert await due_sids(lookouts) == [facts.sid(row) for row in (1, 3)]
    await rig.send(1, 3, more=())
    assert await due_sids(lookouts, DUE - timedelta(seconds=1)) == []


async def test_an_answer_is_told_once_and_the_next_question_comes_later(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1, 2)
    answers = [Answer(facts.sid(1), "delivered"), Answer(facts.sid(2), "sent")]
    taken = await lookouts.take(facts.ORGANIZATION, answers, due=DUE, at=DUE)
    assert (taken, await rig.told()) == (2, ["delivered"])
    assert await lookouts.take(facts.ORGANIZATION, answers, due=DUE, at=DUE) == 0
    later = DUE + 2 * facts.PATIENCE.first
    assert await due_sids(lookouts, later - timedelta(seconds=1)) == []
    assert await due_sids(lookouts, later) == [facts.sid(1), facts.sid(2)]
    # The first telling may still be on its way: the same is not told again.
    assert await lookouts.take(facts.ORGANIZATION, answers, due=later, at=later) == 2
    assert await rig.told() == ["delivered"]


async def test_what_is_folded_meanwhile_does_not_bring_the_next_question_forward(
    rig: Rig,
) -> None:
    lookouts = rig.process()
    await rig.send(1)
    answer = Answer(facts.sid(1), "sent")
    await lookouts.take(facts.ORGANIZATION, [answer], due=DUE, at=DUE)
    await rig.send(1, more=(facts.callback(1, "sent"),))
    assert await due_sids(lookouts, DUE + facts.PATIENCE.first) == []


async def test_the_last_question_is_the_last(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1)
    end = facts.at(1.9) + facts.PATIENCE.give_up
    answer = Answer(facts.sid(1), "sent")
    assert await lookouts.take(facts.ORGANIZATION, [answer], due=end, at=end) == 1
    assert await due_sids(lookouts, end + timedelta(days=30)) == []


async def test_no_answer_of_one_account_settles_another_s_message(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1)
    answer = Answer(facts.sid(1), "failed", "30004")
    assert await lookouts.take(facts.STRANGER, [answer], due=DUE, at=DUE) == 0
    assert await rig.told() == []
    await lookouts.put_off(facts.STRANGER, [facts.sid(1)], until=DUE + LEASE)
    assert await due_sids(lookouts) == [facts.sid(1)]
    assert await lookouts.due(facts.STRANGER, at=DUE, limit=9) == []
    assert await lookouts.crowd(facts.STRANGER, at=DUE, least=1) is None


async def test_what_got_no_answer_is_put_off(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1, 2)
    await lookouts.put_off(facts.ORGANIZATION, [facts.sid(1)], until=DUE + LEASE)
    assert await due_sids(lookouts) == [facts.sid(2)]
    assert await due_sids(lookouts, DUE + LEASE) == [facts.sid(1), facts.sid(2)]


async def test_a_crowd_is_many_of_one_number(rig: Rig) -> None:
    lookouts = rig.process()
    await rig.send(1, 2, 3)
    other = queued_from(4, "+18885550199")
    await rig.keep({facts.message(4): fold(fold(UNKNOWN, other), facts.submitted(4))})
    assert await lookouts.crowd(facts.ORGANIZATION, at=DUE, least=4) is None
    crowd = await lookouts.crowd(facts.ORGANIZATION, at=DUE, least=3)
    assert crowd is not None
    assert (crowd.from_number, crowd.due) == (facts.FROM, 3)
    assert crowd.oldest_sent_at == facts.at(1.9)
    assert await lookouts.crowd(facts.ORGANIZATION, at=facts.at(2), least=1) is None


def queued_from(row: int, number: str) -> MessageQueued:
    return facts.queued(row).model_copy(update={"from_number": number})


async def test_an_account_is_one_process_s_until_its_lease_is_over_or_given_back(
    rig: Rig,
) -> None:
    one, other = rig.process(), rig.process()
    await rig.send(1)
    assert await one.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    assert not await other.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    assert await other.due_organizations(at=DUE) == []
    assert await one.due_organizations(at=DUE) == [facts.ORGANIZATION]
    assert await one.lease(facts.ORGANIZATION, at=DUE, until=DUE + 2 * LEASE)
    assert not await other.lease(facts.ORGANIZATION, at=DUE + LEASE, until=DUE + 3 * LEASE)
    await one.rest(facts.ORGANIZATION, until=DUE)
    assert await other.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    # Whoever lost an account can't give it back any more.
    await one.rest(facts.ORGANIZATION, until=DUE)
    assert not await one.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    assert await one.lease(facts.ORGANIZATION, at=DUE + LEASE, until=DUE + 2 * LEASE)


async def test_an_account_that_rests_is_nobody_s_before_its_time(rig: Rig) -> None:
    one, other = rig.process(), rig.process()
    await rig.send(1)
    await one.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    await one.rest(facts.ORGANIZATION, until=DUE + LEASE)
    for each in (one, other):
        assert await each.due_organizations(at=DUE) == []
        assert not await each.lease(facts.ORGANIZATION, at=DUE, until=DUE + LEASE)
    assert await other.due_organizations(at=DUE + LEASE) == [facts.ORGANIZATION]
