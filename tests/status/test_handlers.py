"""The whole service on fakes: whatever order, repeats and batches, the same end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.status import facts
from tests.status.world import World, sealed

from contracts import ids
from contracts.envelope import Envelope
from contracts.events.audience import Reason
from contracts.events.base import Event
from contracts.events.message import (
    Accepted,
    MessageStatus,
    MessageStatusChanged,
    Refused,
    Unresolved,
)
from contracts.events.run import (
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunFailed,
    RunStarted,
)
from status.domain.folding import Refusal
from status.domain.message import view


async def test_one_message_from_page_to_delivery() -> None:
    world = World()
    story = sealed(
        facts.page([1], facts.totals(1)),
        facts.queued(1),
        facts.submitted(1),
        facts.callback(1, "delivered"),
    )
    for each in story:
        await world.take([each])
    assert [type(each) for each in world.outbox.events] == [
        RunStarted,
        MessageStatusChanged,
        RunCompleted,
        MessageStatusChanged,
    ]
    causes = [each.causation_id for each in world.outbox.left]
    assert causes == [story[0].id, story[2].id, story[2].id, story[3].id]
    sent, delivered = world.told(MessageStatusChanged)
    assert (sent.status, sent.sequence) == (MessageStatus.SENT, 1)
    assert (delivered.status, delivered.sequence) == (MessageStatus.DELIVERED, 2)
    assert (delivered.sid, delivered.segments) == (facts.sid(1), 1)
    assert delivered.attempted_at == facts.at(1.9)
    assert delivered.occurred_at == story[3].event.occurred_at


async def test_a_report_that_names_no_message_is_found_by_its_sid() -> None:
    world = World()
    await world.take(sealed(facts.callback(1, "delivered", named=False), facts.queued(1)))
    assert world.told(MessageStatusChanged) == []
    await world.take(sealed(facts.submitted(1)))
    await world.take(sealed(facts.callback(1, "read", named=False)))
    statuses = [each.status for each in world.told(MessageStatusChanged)]
    assert statuses == [MessageStatus.SENT, MessageStatus.DELIVERED]
    assert world.messages.parked == {}


async def test_what_should_not_happen_is_told() -> None:
    world = World()
    await world.take(sealed(facts.queued(1), facts.submitted(1)))
    await world.take(sealed(facts.callback(1, "failed", organization=facts.STRANGER)))
    await world.take(sealed(facts.callback(1, "levitating")))
    await world.take(sealed(facts.page([1, 2], facts.totals(1))))
    assert world.watch.refusals == [(Refusal.ORGANIZATION, facts.message(1))]
    assert world.watch.statuses == ["levitating"]
    assert world.watch.alarms == [(facts.RUN, RunAlarm.DOES_NOT_ADD_UP)]
    assert len(world.told(MessageStatusChanged)) == 1


async def test_a_failed_audience_fails_the_run_once() -> None:
    world = World()
    failed = sealed(facts.audience_failed())
    await world.take(failed)
    await world.take(failed)
    assert [each.reason for each in world.told(RunFailed)] == ["The IQA has moved."]
    assert len(world.outbox.left) == 1


@pytest.mark.parametrize(
    "story",
    [
        [facts.submitted(1, Refused(code=21610))],
        [facts.submitted(1), facts.callback(1, "failed", "21610")],
        [facts.submitted(1, Refused(code=21610)), facts.callback(1, "failed", "21610")],
    ],
)
async def test_tm_20_that_twilio_knows_an_opt_out_is_told_with_the_numbers(
    story: list[Event],
) -> None:
    world = World()
    await world.take(sealed(facts.queued(1), facts.queued(2), *story))
    await world.take(sealed(facts.submitted(2), facts.callback(2, "undelivered", "30003")))
    told = world.told(MessageStatusChanged)
    [opted_out] = {(e.to, e.from_number) for e in told if e.error_code == 21610}
    assert opted_out == (facts.number(1), facts.FROM)
    assert {(e.to, e.from_number) for e in told if e.error_code != 21610} == {(None, "")}


async def test_x_2_a_resent_run_is_one_page_and_ends_like_any_other() -> None:
    world = World()
    run = ids.resend_run_id(facts.RUN, 1)
    resent = sealed(facts.resent(2, run=run))
    await world.take(resent)
    await world.take(resent)
    await world.take(sealed(facts.queued(1, run=run), facts.queued(2, run=run)))
    await world.take(sealed(facts.submitted(1, run=run), facts.excluded(2, run=run)))
    [started], [completed] = world.told(RunStarted), world.told(RunCompleted)
    assert started.run_id == completed.run_id == run
    assert (completed.rows, completed.messages, completed.excluded) == (2, 1, 1)
    assert completed.rejected == 0
    assert world.watch.alarms == []


async def test_x_2_a_message_given_up_after_a_doubt_counts_once() -> None:
    world = World()
    doubt = facts.submitted(1, Unresolved(reason="timeout"))
    await world.take(sealed(facts.page([1, 2], facts.totals(2)), facts.queued(1), doubt))
    await world.take(sealed(facts.excluded(1, Reason.GIVEN_UP, sequence=3)))
    assert world.told(RunCompleted) == []
    await world.take(sealed(facts.queued(2), facts.submitted(2)))
    [completed] = world.told(RunCompleted)
    assert (completed.messages, completed.excluded) == (1, 1)
    assert world.watch.alarms == []


async def test_x_2_an_unknown_message_that_is_resolved_counts_once() -> None:
    world = World()
    doubt = facts.submitted(1, Unresolved(reason="timeout"))
    await world.take(sealed(facts.page([1, 2], facts.totals(2)), facts.queued(1), doubt))
    await world.take(sealed(facts.submitted(1, sequence=3)))
    assert world.told(RunCompleted) == []
    await world.take(sealed(facts.excluded(2)))
    assert [each.messages for each in world.told(RunCompleted)] == [1]


async def test_x_2_a_run_that_falls_silent_raises_its_alarm_once() -> None:
    world = World()
    await world.take(sealed(facts.page([1, 2], facts.totals(2)), facts.queued(1)))
    for minutes in (14, 15, 30):
        at = facts.START + timedelta(minutes=minutes)
        await world.listens(at)
        assert len(world.told(RunAlarmRaised)) == int(minutes >= 15)
    assert world.told(RunAlarmRaised)[0].alarm == "stalled"
    assert world.watch.alarms == [(facts.RUN, RunAlarm.STALLED)]
    # The rest comes after all, and the run ends as it should.
    await world.take(sealed(facts.submitted(1), facts.queued(2), facts.submitted(2)))
    assert [each.sequence for each in world.told(RunCompleted)] == [3]


async def test_a_text_that_twilio_does_not_know_is_said_and_changes_nothing() -> None:
    world = World()
    await world.take(sealed(facts.queued(1), facts.submitted(1)))
    await world.take(sealed(facts.polled(1, "not_found")))
    assert world.watch.lost == [facts.message(1)]
    assert world.watch.statuses == []
    assert len(world.told(MessageStatusChanged)) == 1


RUN_FACTS: list[Envelope[Event]] = sealed(
    facts.page([1, 2], sequence=1),
    facts.page([3, 4, 5, 8], facts.totals(6, rejected=2), sequence=2),
    facts.rejected(6),
    facts.rejected(7),
    facts.excluded(5),
    facts.queued(1),
    facts.submitted(1),
    facts.callback(1, "sent"),
    facts.callback(1, "delivered", named=False),
    facts.queued(2),
    facts.submitted(2, Refused(code=21610)),
    facts.queued(3),
    facts.submitted(3, Unresolved(reason="timeout")),
    facts.submitted(3, Accepted(sid=facts.sid(3)), sequence=3),
    facts.callback(3, "undelivered", "30003"),
    facts.callback(3, "failed", "30008", under=facts.sid(9)),
    facts.queued(4),
    facts.submitted(4, sequence=4),
    facts.held(4),
    facts.held(4, sequence=3),
    facts.callback(4, "failed", to="+12025559999"),
    facts.polled(4, "undelivered", "30003"),
    facts.polled(3, "sent"),
    facts.queued(8),
    facts.submitted(8, Unresolved(reason="timeout")),
    facts.excluded(8, Reason.GIVEN_UP, sequence=3),
)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Envelope[Event]]]:
    """A run's facts in any order, some of them again, in batches of any size."""
    repeats = draw(st.lists(st.sampled_from(RUN_FACTS), max_size=8))
    facts = draw(st.permutations([*RUN_FACTS, *repeats]))
    cuts = sorted(draw(st.sets(st.integers(1, len(facts) - 1), max_size=8)))
    return [facts[a:b] for a, b in zip([0, *cuts], [*cuts, len(facts)], strict=True)]


@settings(deadline=None)
@given(deliveries())
async def test_any_order_repeats_and_batches_end_in_the_same_state(
    batches: list[list[Envelope[Event]]],
) -> None:
    world, expected = World(), World()
    for each in RUN_FACTS:
        await expected.take([each])
    for batch in batches:
        await world.take(batch)
    assert {key: replace(known, sequence=0) for key, known in world.messages.kept.items()} == {
        key: replace(known, sequence=0) for key, known in expected.messages.kept.items()
    }
    assert world.messages.parked == {}
    assert world.runs == expected.runs
    [started], [completed] = world.told(RunStarted), world.told(RunCompleted)
    assert (started.sequence, completed.sequence) == (1, 2)
    assert (completed.rows, completed.rejected) == (8, 2)
    # The end of the run may come before or after the unknown message is given up.
    assert (completed.messages, completed.excluded) in {(5, 1), (4, 2)}
    assert (world.runs.kept[facts.RUN].settled, world.runs.kept[facts.RUN].excluded) == (4, 2)
    assert world.watch.alarms == []
    for message_id, known in world.messages.kept.items():
        told = [e for e in world.told(MessageStatusChanged) if e.message_id == message_id]
        assert [each.sequence for each in told] == list(range(1, len(told) + 1))
        shown = view(known)
        if shown is None:
            assert told == []
            continue
        last = told[-1]
        assert (last.status, last.error_code, last.sid) == (
            shown.status,
            shown.error_code,
            shown.sid,
        )
        assert (last.segments, last.attempted_at) == (shown.segments, shown.attempted_at)
