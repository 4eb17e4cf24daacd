"""Runs of one text, texts that are held, and audiences that are not what they were."""

from datetime import timedelta

import pytest
from tests.scheduler.facts import settings_changed
from tests.status import facts
from tests.status.world import World, sealed

from contracts.events.message import (
    MessageRequested,
    MessageStatus,
    MessageStatusChanged,
    ReplyRequested,
)
from contracts.events.run import (
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunStarted,
)


@pytest.mark.parametrize(
    "requested", [facts.requested(), facts.reply_requested()], ids=["urgent", "reply"]
)
async def test_x8_a_single_text_is_a_run_of_one_message(
    requested: MessageRequested | ReplyRequested,
) -> None:
    world = World()
    run = requested.run_id
    for _ in range(2):
        await world.take(sealed(requested))
    await world.take(sealed(facts.queued(1, run=run), facts.submitted(1, run=run)))
    [started], [completed] = world.told(RunStarted), world.told(RunCompleted)
    assert started.run_id == completed.run_id == run
    assert (completed.rows, completed.messages, completed.excluded) == (1, 1, 0)
    [status] = world.told(MessageStatusChanged)
    assert (status.message_id, status.status) == (requested.message_id, MessageStatus.SENT)


async def test_x4_a_held_message_is_told_and_its_run_waits_for_it() -> None:
    world = World()
    await world.take(sealed(facts.page([1], facts.totals(1)), facts.queued(1), facts.held(1)))
    [held] = world.told(MessageStatusChanged)
    assert (held.status, held.sequence, held.attempted_at) == (MessageStatus.HELD, 1, None)
    assert world.told(RunCompleted) == []
    await world.listens(facts.START + timedelta(hours=20))
    assert world.told(RunAlarmRaised) == []
    await world.take(sealed(facts.submitted(1, sequence=3)))
    assert [each.sequence for each in world.told(MessageStatusChanged)] == [1, 2]
    assert len(world.told(RunCompleted)) == 1


RECURRING = "2027-01-31T08:10:00"


@pytest.mark.parametrize(
    ("rows", "before", "occurrence", "alarm"),
    [
        (0, None, RECURRING, RunAlarm.AUDIENCE_EMPTY),
        (0, 40, RECURRING, RunAlarm.AUDIENCE_EMPTY),
        (19, 40, RECURRING, RunAlarm.AUDIENCE_SHRANK),
        (20, 40, RECURRING, None),
        (1, None, RECURRING, None),
        (1, 0, RECURRING, None),
        # The author of a one-time campaign was asked when it was scheduled.
        (0, None, "launch:1", None),
    ],
)
async def test_x20_an_audience_that_is_empty_or_shrank_is_told_once(
    rows: int, before: int | None, occurrence: str, alarm: RunAlarm | None
) -> None:
    world = World()
    totals = facts.totals(rows).model_copy(update={"rows_last_time": before})
    page = facts.page(range(rows), totals).model_copy(update={"occurrence": occurrence})
    once = sealed(page)
    await world.take(once)
    await world.take(once)
    assert [each.alarm for each in world.told(RunAlarmRaised)] == ([] if alarm is None else [alarm])
    # Whatever is wrong with it, a run without rows is over.
    assert [each.rows for each in world.told(RunCompleted)] == [0] * (rows == 0)
    if alarm is not None:
        [told] = world.told(RunAlarmRaised)
        last_time = "" if before is None else f"; last time {before}"
        assert told.detail == f"rows {rows}{last_time}"
        assert told.advice


async def test_x20_how_much_smaller_is_too_small_is_the_organisation_s_to_say() -> None:
    world = World()
    own = settings_changed(shrink_percent=90).event.settings
    world.campaigns.known_settings[facts.ORGANIZATION] = own
    totals = facts.totals(8).model_copy(update={"rows_last_time": 10})
    page = facts.page(range(8), totals).model_copy(update={"occurrence": RECURRING})
    await world.take(sealed(page))
    assert [each.alarm for each in world.told(RunAlarmRaised)] == [RunAlarm.AUDIENCE_SHRANK]
