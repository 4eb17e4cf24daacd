"""TM-8: what iMIS refuses is tried again, then listed, and tried again by hand."""

import pytest
from tests.imis_writer.desk import OWN, Desk
from tests.imis_writer.doubles import candidate
from tests.imis_writer.facts import after, retry

from contracts.events.activity import ActivityRefused, ActivityUnknown
from imis_writer.domain.effects import State
from imis_writer.domain.outcomes import Refused


async def test_tm8_a_refusal_is_tried_again_then_told_with_its_reason(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = [Refused("There is no such type.")] * OWN.refusals
    await desk.work()
    assert (await desk.states(ids), await desk.kept.published()) == ([State.READY], [])
    await desk.work_on()
    assert (await desk.states(ids), desk.imis.requests) == ([State.REFUSED], OWN.refusals)
    [told] = await desk.told(ActivityRefused)
    assert told.reason == "There is no such type."


async def test_tm8_a_refusal_that_passes_is_never_told(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = [Refused("Deadlock.")] * (OWN.refusals - 1)
    await desk.work_on()
    assert await desk.states(ids) == [State.WRITTEN]
    assert not await desk.told(ActivityRefused)


@pytest.mark.parametrize("by_hand", ["the run", "one text"])
async def test_tm8_what_was_refused_is_tried_again_by_hand_once_a_request(
    desk: Desk, by_hand: str
) -> None:
    ids = await desk.texts(2)
    desk.imis.plan = [Refused("no")] * (2 * OWN.refusals)
    await desk.work_on()
    request = retry(after(60), ids[0] if by_hand == "one text" else None)
    await desk.kept.retry([request, request])
    other = State.READY if by_hand == "the run" else State.REFUSED
    assert await desk.states(ids) == [State.READY, other]
    desk.imis.plan = [Refused("still no")] * (2 * OWN.refusals)
    await desk.work_on()
    # Told again, it is the same request; a new one is another try.
    await desk.kept.retry([request])
    assert await desk.states(ids) == [State.REFUSED] * 2
    desk.imis.plan = []
    await desk.kept.retry([retry(after(120))])
    await desk.work_on()
    assert await desk.states(ids) == [State.WRITTEN] * 2
    sequences = [each.sequence for each in await desk.told(ActivityRefused)]
    assert sequences == ([1, 1, 2, 2] if by_hand == "the run" else [1, 1, 2])


async def test_tm8_what_is_unknown_is_not_tried_again_by_hand(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = ["lost"]
    await desk.work()
    desk.imis.held.append(candidate("99", imis_id="0"))
    await desk.work_on()
    await desk.kept.retry([retry(after(60)), retry(after(61), ids[0])])
    await desk.work_on()
    assert (await desk.states(ids), desk.imis.requests) == ([State.UNKNOWN], 1)
    [told] = await desk.told(ActivityUnknown)
    assert (told.message_id, bool(told.reason)) == (ids[0], True)
