"""The ledger and its intake, on the fake and in SQL."""

import random
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.imis_writer.facts import NOON, ORGANIZATION, OTHER, organization, queued, status
from tests.imis_writer.kept import Kept

from contracts.envelope import Envelope
from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageQueued, MessageStatus, MessageStatusChanged
from contracts.ids import effect_id
from imis_writer.domain.effects import Effect, State
from imis_writer.domain.outcomes import (
    Absent,
    Doubtful,
    Look,
    Outcome,
    Patience,
    Refused,
    Written,
    resolve,
)
from imis_writer.handlers import follow_statuses, know_messages

PATIENCE = Patience(timedelta(seconds=5), timedelta(seconds=60))
LEASE = NOON + timedelta(seconds=100)
LATER = NOON + timedelta(seconds=50)


async def ready(kept: Kept, count: int = 1, **more: Any) -> None:
    await kept.know(organization())
    facts = [queued(**more) for _ in range(count)]
    await kept.queued(facts)
    await kept.succeeded([status(each.event.message_id) for each in facts])


async def claim(kept: Kept, limit: int = 100) -> list[Effect]:
    return await kept.claim(ORGANIZATION, at=LATER, lease_until=LEASE, limit=limit)


async def record(kept: Kept, effect: Effect, outcome: Outcome | Look) -> None:
    await kept.record([resolve(effect, outcome, at=LATER, patience=PATIENCE)])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(data=st.data(), seed=st.randoms(use_true_random=False))
async def test_facts_in_any_order_make_one_effect(
    kept: Kept, data: st.DataObject, seed: random.Random
) -> None:
    await kept.know(organization())
    message_id = uuid4()
    message = queued(message_id)
    told = [
        status(message_id, is_now, sequence=number, attempted_at=NOON + timedelta(seconds=number))
        for number, is_now in enumerate(
            [
                MessageStatus.PREPARING,
                MessageStatus.SENT,
                MessageStatus.DELIVERED,
                MessageStatus.UNDELIVERED,
            ]
        )
    ]
    facts: list[Envelope[MessageQueued] | Envelope[MessageStatusChanged]] = [message, *told]
    facts += data.draw(st.lists(st.sampled_from(facts), max_size=5))
    seed.shuffle(facts)
    while facts:
        size = data.draw(st.integers(1, len(facts)))
        batch, facts = facts[:size], facts[size:]
        messages = [each for each in batch if isinstance(each.event, MessageQueued)]
        statuses = [each for each in batch if isinstance(each.event, MessageStatusChanged)]
        await know_messages(messages, intake=kept)
        await follow_statuses(statuses, intake=kept)

    [effect] = [each for each in await claim(kept) if each.message_id == message_id]
    assert effect.effect_id == effect_id(message_id, "TEXTMSG")
    assert (effect.imis_id, effect.to, effect.text) == ("101", "+12025550143", "Hello Zoë")
    assert effect.transaction_date == NOON + timedelta(seconds=1)
    assert effect.because == told[1].id
    await record(kept, effect, Written("7"))

    await kept.queued([message])
    await kept.succeeded(told)
    assert await kept.state(message_id) == State.WRITTEN
    assert await claim(kept) == []


async def test_one_fact_alone_is_not_enough(kept: Kept) -> None:
    await kept.know(organization())
    await kept.queued([queued()])
    await kept.succeeded([status(uuid4())])
    assert await claim(kept) == []
    assert await kept.organizations(at=LATER) == []


@pytest.mark.parametrize("status_first", [True, False])
async def test_what_is_not_for_activities_is_left_alone(kept: Kept, status_first: bool) -> None:
    await kept.know(organization())
    message = queued(write_to=WriteTo.NOTHING)
    told = [status(message.event.message_id)]
    if status_first:
        await kept.succeeded(told)
    await kept.queued([message])
    await kept.succeeded(told)
    assert await claim(kept) == []
    assert await kept.state(message.event.message_id) == State.UNNEEDED


async def test_without_the_time_of_sending_the_fact_s_own_counts(kept: Kept) -> None:
    await kept.know(organization())
    message = queued(mode=Mode.TEST)
    await kept.queued([message])
    told = status(message.event.message_id, MessageStatus.SIMULATED, attempted_at=None)
    await kept.succeeded([told])
    [effect] = await claim(kept)
    assert (effect.transaction_date, effect.mode) == (told.event.occurred_at, Mode.TEST)


async def test_what_is_claimed_is_claimed_once(kept: Kept) -> None:
    await ready(kept, 5)
    assert await kept.organizations(at=LATER) == [ORGANIZATION]
    first = await claim(kept, 3)
    second = await kept.reopened("w-2").claim(ORGANIZATION, at=LATER, lease_until=LEASE, limit=9)
    assert len(first) == 3
    assert len({each.message_id for each in first + second}) == 5
    assert await claim(kept) == []
    assert await kept.organizations(at=LATER) == []


async def test_no_organisation_s_work_is_another_s(kept: Kept) -> None:
    await kept.know(organization(organization_id=OTHER))
    await ready(kept, organization_id=ORGANIZATION)
    assert await kept.claim(OTHER, at=LATER, lease_until=LEASE, limit=9) == []
    assert (await kept.around(OTHER, ["101"])).open == []


async def test_an_outcome_is_kept_and_told_once(kept: Kept) -> None:
    await ready(kept, 2)
    written, refused = await claim(kept)
    await record(kept, written, Written("7"))
    await record(kept, written, Written("8"))
    await record(kept, refused, Refused("no"))
    first, second = await kept.published()
    assert isinstance(first, ActivityWritten)
    assert isinstance(second, ActivityRefused)
    assert (first.seqn, first.message_id) == ("7", written.message_id)
    around = await kept.around(ORGANIZATION, ["101", "102"])
    assert (around.taken, list(around.open)) == (frozenset({"7"}), [])


async def test_a_doubt_is_looked_at_when_it_is_due_and_twice(kept: Kept) -> None:
    await ready(kept)
    [effect] = await claim(kept)
    await record(kept, effect, Doubtful())
    assert [each.message_id for each in (await kept.around(ORGANIZATION, ["101"])).open]
    assert await kept.doubts(ORGANIZATION, at=LATER, limit=9) == []

    due = LATER + timedelta(seconds=5)
    assert await kept.organizations(at=due) == [ORGANIZATION]
    [doubt] = await kept.doubts(ORGANIZATION, at=due, limit=9)
    await record(kept, doubt, Absent())
    # Two processes may have looked at the same moment: that is one look.
    await record(kept, doubt, Absent())
    assert await kept.state(effect.message_id) == State.IN_DOUBT

    [second] = await kept.doubts(ORGANIZATION, at=due + timedelta(seconds=60), limit=9)
    assert second.looks == 1
    await record(kept, second, Absent())
    [again] = await claim(kept)
    assert (again.attempts, again.looks) == (2, 0)
    assert again.transaction_date == effect.transaction_date


async def test_a_late_answer_still_counts_but_a_stale_one_does_not(kept: Kept) -> None:
    await ready(kept, 2)
    late, stale = await claim(kept)
    over = LEASE + timedelta(seconds=1)
    assert await kept.reopened("w-2").recover(at=over, look_at=over) == 2
    await record(kept, late, Written("7"))
    for doubt in await kept.doubts(ORGANIZATION, at=over, limit=9):
        await record(kept, doubt, Absent())
    [doubt] = await kept.doubts(ORGANIZATION, at=over + timedelta(hours=1), limit=9)
    await record(kept, doubt, Absent())
    [again] = await claim(kept)
    assert again.message_id == stale.message_id
    await record(kept, stale, Refused("an answer to the first try"))
    assert await kept.state(stale.message_id) == State.CLAIMED


async def test_claims_of_the_dead_are_in_doubt_and_those_of_the_living_are_not(
    kept: Kept,
) -> None:
    await ready(kept)
    [effect] = await claim(kept)
    assert await kept.recover(at=LATER, look_at=LATER) == 0
    assert await kept.reopened("w-2").recover(at=LATER, look_at=LATER) == 0
    # The same slot with another process: the one before it is dead.
    assert await kept.reopened("w-1").recover(at=LATER, look_at=LATER) == 1
    assert await kept.state(effect.message_id) == State.IN_DOUBT
    assert await kept.reopened("w-1").recover(at=LATER, look_at=LATER) == 0


async def test_a_claimed_effect_keeps_its_date(kept: Kept) -> None:
    await ready(kept)
    [effect] = await claim(kept)
    earlier = status(effect.message_id, sequence=1, attempted_at=NOON - timedelta(days=1))
    await kept.succeeded([earlier])
    await record(kept, effect, Doubtful())
    [doubt] = await kept.doubts(ORGANIZATION, at=LEASE, limit=9)
    assert doubt.transaction_date == NOON
