"""The whole service on fakes: whatever order, repeats and batches, the same end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.status import facts
from tests.status.fakes import FakeMessages, FakeOutbox, FakeRuns, FakeWatch

from contracts.envelope import Envelope, seal
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
    Unresolved,
)
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunCompleted, RunFailed, RunStarted
from status import handlers
from status.domain.message import Refusal, view

HANDLERS: dict[type[Event], Any] = {
    RecipientsResolved: handlers.take_pages,
    AudienceFailed: handlers.take_failures,
    RecipientRejected: handlers.take_left_out,
    RecipientExcluded: handlers.take_left_out,
    MessageQueued: handlers.take_queued,
    MessageSubmitted: handlers.take_submitted,
    TwilioCallbackReceived: handlers.take_callbacks,
}
ABOUT_MESSAGES = {MessageQueued, MessageSubmitted, TwilioCallbackReceived}


@dataclass
class World:
    messages: FakeMessages = field(default_factory=FakeMessages)
    runs: FakeRuns = field(default_factory=FakeRuns)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    watch: FakeWatch = field(default_factory=FakeWatch)

    async def take(self, batch: Sequence[Envelope[Event]]) -> None:
        """Handle a batch as the chassis does: by type, in the order of the handlers."""
        ports: dict[str, Any] = {"runs": self.runs, "outbox": self.outbox, "watch": self.watch}
        for kind, handle in HANDLERS.items():
            if of_kind := [each for each in batch if type(each.event) is kind]:
                more = {"messages": self.messages} if kind in ABOUT_MESSAGES else {}
                await handle(of_kind, **ports, **more)

    def told(self, kind: type[Event]) -> list[Any]:
        return [each for each in self.outbox.events if type(each) is kind]


def sealed(*events: Event) -> list[Envelope[Event]]:
    return [seal(each) for each in events]


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
    assert world.watch.contradictions == [facts.RUN]
    assert len(world.told(MessageStatusChanged)) == 1


async def test_a_failed_audience_fails_the_run_once() -> None:
    world = World()
    failed = sealed(facts.audience_failed())
    await world.take(failed)
    await world.take(failed)
    assert [each.reason for each in world.told(RunFailed)] == ["The IQA has moved."]
    assert len(world.outbox.left) == 1


RUN_FACTS: list[Envelope[Event]] = sealed(
    facts.page([1, 2], sequence=1),
    facts.page([3, 4, 5], facts.totals(5, rejected=2), sequence=2),
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
    facts.submitted(4),
    facts.callback(4, "failed", to="+12025559999"),
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
    assert (completed.rows, completed.messages) == (7, 4)
    assert (completed.rejected, completed.excluded) == (2, 1)
    assert world.watch.contradictions == []
    for message_id, known in world.messages.kept.items():
        told = [e for e in world.told(MessageStatusChanged) if e.message_id == message_id]
        assert [each.sequence for each in told] == list(range(1, len(told) + 1))
        last, shown = told[-1], view(known)
        assert shown is not None
        assert (last.status, last.error_code, last.sid) == (
            shown.status,
            shown.error_code,
            shown.sid,
        )
        assert (last.segments, last.attempted_at) == (shown.segments, shown.attempted_at)
