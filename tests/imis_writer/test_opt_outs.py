"""TM-21: members who opted out are marked in iMIS each time, and no more once they come back."""

import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.imis_writer.desk import Desk, take
from tests.imis_writer.facts import (
    MEMBER,
    NOON,
    after,
    excluded,
    opted_out_there,
    queued,
    start,
    status,
    stop,
)
from tests.imis_writer.kept import Kept

from contracts.envelope import Envelope
from contracts.events.activity import ActivityDeleted, ActivityRefused, ActivityWritten
from contracts.events.audience import Reason
from contracts.events.campaign import Mode, WriteTo
from contracts.ids import effect_id
from imis_writer.domain.effects import About, State
from imis_writer.domain.outcomes import Doubtful, Postponed, Refused

BRITISH = "+447700900100"


async def opt_outs(desk: Desk, *ids: UUID) -> list[str | None]:
    return await desk.states(list(ids), About.OPT_OUT)


@pytest.mark.parametrize("write_to", [WriteTo.ACTIVITY, WriteTo.COMMUNICATION_LOG])
async def test_tm21_who_was_left_out_is_marked_as_the_guide_says(
    desk: Desk, write_to: WriteTo
) -> None:
    await desk.save()
    left_out = excluded(write_to=write_to)
    await take(desk.kept, left_out, left_out)
    await desk.work()
    [held] = desk.imis.held
    assert (held.kind, held.imis_id, held.number, held.note) == ("TEXTUNSUB", "101", MEMBER, "")
    assert held.transaction_date == NOON.replace(microsecond=0)
    [told] = await desk.told(ActivityWritten)
    assert (told.kind, told.effect_id) == (
        "TEXTUNSUB",
        effect_id(left_out.event.message_id, "TEXTUNSUB"),
    )


@pytest.mark.parametrize(
    "more",
    [
        {"reason": Reason.OVER_DAY_LIMIT},
        {"mode": Mode.TEST},
        {"write_to": WriteTo.NOTHING},
        {"imis_id": ""},
        {"to": ""},
    ],
)
async def test_tm21_whoever_else_is_left_out_is_not_marked(
    desk: Desk, more: dict[str, Any]
) -> None:
    await desk.save()
    await take(desk.kept, excluded(**more))
    await desk.work()
    assert desk.imis.held == []


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(data=st.data(), seed=st.randoms(use_true_random=False))
async def test_tm21_an_error_21610_marks_the_member_once_in_whatever_order_it_is_told(
    kept: Kept, data: st.DataObject, seed: random.Random
) -> None:
    desk = Desk(kept)
    await desk.save()
    message_id = uuid4()
    by_callback = data.draw(st.booleans())
    facts: list[Envelope[Any]] = [
        queued(message_id),
        opted_out_there(message_id, sequence=3, sid="SM1" if by_callback else None),
        opted_out_there(message_id, sequence=4),
    ]
    if by_callback:
        facts.append(status(message_id, sid="SM1"))
    facts += data.draw(st.lists(st.sampled_from(facts), max_size=3))
    seed.shuffle(facts)
    await take(kept, *facts)
    await desk.work()
    await take(kept, *facts)
    await desk.work()
    mine = [each for each in await desk.told(ActivityWritten) if each.message_id == message_id]
    kinds = ["TEXTMSG", "TEXTUNSUB"] if by_callback else ["TEXTUNSUB"]
    assert sorted(each.kind for each in mine) == kinds
    [marked] = [each for each in mine if each.kind == "TEXTUNSUB"]
    assert (marked.imis_id, marked.transaction_date) == ("101", NOON)


async def test_tm21_a_text_that_is_written_nowhere_marks_nobody(desk: Desk) -> None:
    await desk.save()
    message = queued(write_to=WriteTo.NOTHING)
    await take(desk.kept, message, opted_out_there(message.event.message_id))
    await desk.work()
    assert desk.imis.held == []


async def test_tm21_stop_then_two_campaigns_then_start_then_a_third(desk: Desk) -> None:
    """Left out twice, two TEXTUNSUB; both deleted; texted."""
    await desk.save()
    first, second = excluded(occurred_at=after(10)), excluded(occurred_at=after(20))
    facts = [stop(1, after(1)), first, second]
    await take(desk.kept, *facts)
    await desk.work_on()
    assert [each.kind for each in desk.imis.held] == ["TEXTUNSUB"] * 2
    facts += [start(2, after(3000))]
    await take(desk.kept, facts[-1])
    desk.clock.passes(3000)
    await desk.work_on()
    [third] = await desk.texts()
    await desk.work_on()
    # A replay of everything changes nothing.
    await take(desk.kept, *facts)
    await desk.work_on()
    assert [each.kind for each in desk.imis.held] == ["TEXTMSG"]
    assert sorted(desk.imis.deleted) == ["1", "2"]
    deleted = await desk.told(ActivityDeleted)
    assert {each.message_id for each in deleted} == {
        first.event.message_id,
        second.event.message_id,
    }
    assert {(each.seqn, each.sequence) for each in deleted} == {("1", 2), ("2", 2)}
    assert await desk.states([third]) == [State.WRITTEN]


async def test_tm21_outside_north_america_nothing_is_deleted(desk: Desk) -> None:
    await desk.save()
    left_out = excluded(from_number=BRITISH)
    await take(
        desk.kept,
        stop(1, after(-9), from_number=BRITISH),
        left_out,
        start(2, after(60), from_number=BRITISH),
    )
    await desk.work_on()
    assert (len(desk.imis.held), desk.imis.deleted) == (1, [])


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        ({}, True),
        ({"from_number": ""}, True),
        ({"from_number": "+18885550199"}, False),
        ({"number": "+12025550199"}, False),
        ({"organization_id": UUID(int=2)}, False),
    ],
)
async def test_tm21_a_start_is_about_its_own_pair_of_numbers(
    desk: Desk, told: dict[str, Any], gone: bool
) -> None:
    await desk.save()
    left_out = excluded()
    await take(desk.kept, left_out)
    await desk.work()
    await take(desk.kept, start(2, after(60), **told))
    await desk.work_on()
    assert await opt_outs(desk, left_out.event.message_id) == [
        State.DELETED if gone else State.WRITTEN
    ]


async def test_tm21_what_was_not_written_when_the_start_came_never_is(desk: Desk) -> None:
    await desk.save()
    left_out = excluded()
    await take(desk.kept, left_out, start(2, after(60)))
    await desk.work_on()
    assert (desk.imis.held, await desk.kept.published()) == ([], [])


@pytest.mark.parametrize("refused", [True, False])
async def test_tm21_an_attempt_from_before_the_start_that_is_told_after_it_is_not_written(
    desk: Desk, refused: bool
) -> None:
    await desk.save()
    message = queued()
    late = opted_out_there(message.event.message_id) if refused else excluded()
    await take(desk.kept, start(2, after(60)), message, late)
    await desk.work_on()
    assert desk.imis.held == []


async def test_tm21_an_attempt_is_not_marked_if_our_own_list_was_behind_the_start(
    desk: Desk,
) -> None:
    """It counts after all when it turns out that a STOP had come before it."""
    await desk.save()
    left_out = excluded(occurred_at=after(90))
    await take(desk.kept, start(2, after(60)), left_out)
    assert await opt_outs(desk, left_out.event.message_id) == [State.MOOT]
    await take(desk.kept, stop(3, after(80)))
    desk.clock.passes(200)
    await desk.work()
    assert await opt_outs(desk, left_out.event.message_id) == [State.WRITTEN]


async def test_tm21_twilio_s_word_counts_against_an_earlier_start(desk: Desk) -> None:
    await desk.save()
    message = queued()
    refused = opted_out_there(message.event.message_id, attempted_at=after(90))
    await take(desk.kept, start(2, after(60)), message, refused)
    desk.clock.passes(200)
    await desk.work()
    assert [each.kind for each in desk.imis.held] == ["TEXTUNSUB"]


@pytest.mark.parametrize("outcome", ["well", "lost", Doubtful(), Postponed(), Refused("no")])
async def test_tm21_a_start_while_it_is_being_written_leaves_nothing_in_imis(
    desk: Desk, outcome: Any
) -> None:
    await desk.save()
    left_out = excluded()
    await take(desk.kept, left_out)
    desk.imis.plan = [outcome]
    came = start(2, after(60))
    if isinstance(outcome, str):
        desk.imis.meanwhile = lambda: take(desk.kept, came)
    await desk.work()
    await take(desk.kept, came)
    await desk.work_on()
    assert desk.imis.held == []
    written = await desk.told(ActivityWritten)
    deleted = await desk.told(ActivityDeleted)
    assert [each.seqn for each in written] == [each.seqn for each in deleted]
    assert len(written) == int(isinstance(outcome, str))
    assert not await desk.told(ActivityRefused)


async def test_tm21_a_deletion_that_may_have_happened_is_looked_up(desk: Desk) -> None:
    await desk.save()
    left_out = excluded()
    await take(desk.kept, left_out)
    await desk.work()
    await take(desk.kept, start(2, after(60)))
    desk.imis.plan = [Doubtful(), "lost"]
    await desk.work_on()
    assert desk.imis.deleted == ["1"]
    assert len(await desk.told(ActivityDeleted)) == 1
    assert await opt_outs(desk, left_out.event.message_id) == [State.DELETED]


async def test_tm21_who_comes_back_is_on_no_list_of_what_imis_refused(desk: Desk) -> None:
    await desk.save()
    await take(desk.kept, excluded())
    desk.imis.plan = [Refused("no type")] * 3
    await desk.work_on()
    assert len(await desk.told(ActivityRefused)) == 1
    await take(desk.kept, start(2, after(60)))
    [told] = await desk.told(ActivityDeleted)
    assert (told.seqn, told.sequence) == ("", 2)
    await desk.work_on()
    assert desk.imis.held == []
