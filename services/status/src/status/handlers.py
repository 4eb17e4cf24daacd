"""What the status service does with the facts of a batch."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
)
from status.domain.message import UNKNOWN, Fact, Message, fold, refusals, settled, view
from status.domain.provider import MEANINGS
from status.domain.run import Tally, adds_up, advance
from status.ports import CallbackEnvelope, Messages, Outbox, Runs, Watch

Addressed = tuple[UUID, Envelope[Fact]]
"""A fact and the message that it is about."""


async def take_queued(
    facts: Sequence[Envelope[MessageQueued]],
    *,
    messages: Messages,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Learn what the messages are, and judge the reports that came before them."""
    addressed: list[Addressed] = [(each.event.message_id, each) for each in facts]
    await _fold_all(addressed, messages=messages, runs=runs, outbox=outbox, watch=watch)


async def take_submitted(
    facts: Sequence[Envelope[MessageSubmitted]],
    *,
    messages: Messages,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Take the answers to the sender's requests, with the reports that waited for their SIDs."""
    named: dict[str, UUID] = {}
    addressed: list[Addressed] = []
    for each in facts:
        addressed.append((each.event.message_id, each))
        match each.event.outcome:
            case Accepted(sid=sid):
                named[sid] = each.event.message_id
    waiting = await messages.unpark(named)
    addressed += [(named[each.event.message_sid], each) for each in waiting]
    await _fold_all(addressed, messages=messages, runs=runs, outbox=outbox, watch=watch)


async def take_callbacks(
    facts: Sequence[CallbackEnvelope],
    *,
    messages: Messages,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Take Twilio's reports; one that names no message is found by its SID, or waits for it."""
    for each in facts:
        if each.event.message_status not in MEANINGS:
            watch.unmapped(each.event.message_status)
    nameless = [each for each in facts if each.event.message_id is None]
    by_sid: Mapping[str, UUID] = {}
    if nameless:
        by_sid = await messages.named_by({each.event.message_sid for each in nameless})
        await messages.park([each for each in nameless if each.event.message_sid not in by_sid])
    addressed: list[Addressed] = []
    for each in facts:
        message_id = each.event.message_id or by_sid.get(each.event.message_sid)
        if message_id is not None:
            addressed.append((message_id, each))
    await _fold_all(addressed, messages=messages, runs=runs, outbox=outbox, watch=watch)


async def take_pages(
    facts: Sequence[Envelope[RecipientsResolved]], *, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """Count the recipients that the pages name, and learn the totals."""
    new = await runs.count_once({(each.event.run_id, each.event.sequence) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        page = each.event
        if (page.run_id, page.sequence) in new:
            new.discard((page.run_id, page.sequence))
            _add(
                tallies,
                page.run_id,
                Tally(
                    page.organization_id,
                    page.campaign_id,
                    page.occurred_at,
                    each.id,
                    pages=1,
                    recipients=len(page.recipients),
                    totals=page.totals,
                ),
            )
    await _go_on(tallies, runs=runs, outbox=outbox, watch=watch)


async def take_failures(
    facts: Sequence[Envelope[AudienceFailed]], *, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """End the runs whose audience can't be had."""
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        failure = Tally(
            event.organization_id,
            event.campaign_id,
            event.occurred_at,
            each.id,
            failure=event.reason,
        )
        _add(tallies, event.run_id, failure)
    await _go_on(tallies, runs=runs, outbox=outbox, watch=watch)


async def take_left_out(
    facts: Sequence[Envelope[RecipientRejected | RecipientExcluded]],
    *,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Count the rows that the audience rejected and the recipients that the sender left out."""
    new = await runs.count_once({(each.event.subject, 0) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        if (event.subject, 0) in new:
            new.discard((event.subject, 0))
            rejected = isinstance(event, RecipientRejected)
            one = Tally(
                event.organization_id,
                event.campaign_id,
                event.occurred_at,
                each.id,
                rejected=int(rejected),
                excluded=int(not rejected),
            )
            _add(tallies, event.run_id, one)
    await _go_on(tallies, runs=runs, outbox=outbox, watch=watch)


async def _fold_all(
    facts: Sequence[Addressed], *, messages: Messages, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """Fold the facts of a batch, tell each change, and count what is settled by them."""
    held = await messages.hold({message_id for message_id, _ in facts})
    changed: dict[UUID, Message] = {}
    tallies: dict[UUID, Tally] = {}
    for message_id, envelope in facts:
        before = changed.get(message_id) or held.get(message_id, UNKNOWN)
        after = fold(before, envelope.event)
        for refusal in refusals(before, after, envelope.event):
            watch.refused(refusal, message_id=message_id)
        if after is before:
            continue
        changed[message_id] = after
        if after.sequence > before.sequence:
            outbox.publish(status_changed(message_id, after, envelope), because=envelope.id)
            if not settled(before):
                _count_settled(tallies, after, envelope)
    await messages.keep(changed)
    await _go_on(tallies, runs=runs, outbox=outbox, watch=watch)


def status_changed(
    message_id: UUID, message: Message, because: Envelope[Fact]
) -> MessageStatusChanged:
    """Return the event that tells a message's view."""
    told, queued = view(message), message.queued
    assert told is not None and queued is not None, "a view is told once the message is known"
    return MessageStatusChanged(
        organization_id=queued.organization_id,
        occurred_at=because.event.occurred_at,
        sequence=message.sequence,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=message_id,
        status=told.status,
        error_code=told.error_code,
        sid=told.sid,
        segments=told.segments,
        mode=queued.mode,
        attempted_at=told.attempted_at,
    )


def _count_settled(tallies: dict[UUID, Tally], message: Message, fact: Envelope[Fact]) -> None:
    if (queued := message.queued) is not None:
        one = Tally(
            queued.organization_id, queued.campaign_id, fact.event.occurred_at, fact.id, settled=1
        )
        _add(tallies, queued.run_id, one)


def _add(tallies: dict[UUID, Tally], run_id: UUID, one: Tally) -> None:
    tallies[run_id] = tallies[run_id] + one if run_id in tallies else one


async def _go_on(
    tallies: Mapping[UUID, Tally], *, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """Add to the runs, and tell the steps that they take by it."""
    if not tallies:
        return
    moved = []
    for run in await runs.add(tallies):
        tally = tallies[run.run_id]
        after, told = advance(run, at=tally.at)
        if not adds_up(after):
            watch.does_not_add_up(run.run_id)
        if told:
            outbox.publish(*told, because=tally.because)
            moved.append(after)
    await runs.keep(moved)
