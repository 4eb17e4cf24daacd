"""The facts about messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.message import (
    Accepted,
    MessageHeld,
    MessageQueued,
    MessageSubmitted,
    RecipientExcluded,
)
from contracts.events.provider import TwilioStatusPolled
from status.domain.folding import Fact, fold, refusals
from status.domain.message import UNKNOWN, Message
from status.domain.provider import MEANINGS, NOT_FOUND
from status.domain.run import Tally
from status.domain.spike import Outcomes, note
from status.domain.telling import counted, status_changed
from status.handlers.campaigns import find_spikes
from status.handlers.tallies import add, go_on
from status.ports import CallbackEnvelope, Campaigns, Messages, Outbox, Runs, Watch

Addressed = tuple[UUID, Envelope[Fact]]
"""A fact and the message that it is about."""


async def take_named(
    facts: Sequence[Envelope[MessageQueued | MessageHeld | RecipientExcluded]],
    *,
    at: datetime,
    messages: Messages,
    runs: Runs,
    campaigns: Campaigns,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Learn what the messages are, or why they wait or are left out, with what came early."""
    addressed: list[Addressed] = [(each.event.message_id, each) for each in facts]
    await _fold_all(
        addressed,
        at=at,
        messages=messages,
        runs=runs,
        campaigns=campaigns,
        outbox=outbox,
        watch=watch,
    )


async def take_submitted(
    facts: Sequence[Envelope[MessageSubmitted]],
    *,
    at: datetime,
    messages: Messages,
    runs: Runs,
    campaigns: Campaigns,
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
    await _fold_all(
        addressed,
        at=at,
        messages=messages,
        runs=runs,
        campaigns=campaigns,
        outbox=outbox,
        watch=watch,
    )


async def take_callbacks(
    facts: Sequence[CallbackEnvelope],
    *,
    at: datetime,
    messages: Messages,
    runs: Runs,
    campaigns: Campaigns,
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
    await _fold_all(
        addressed,
        at=at,
        messages=messages,
        runs=runs,
        campaigns=campaigns,
        outbox=outbox,
        watch=watch,
    )


async def take_polled(
    facts: Sequence[Envelope[TwilioStatusPolled]],
    *,
    at: datetime,
    messages: Messages,
    runs: Runs,
    campaigns: Campaigns,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Take what Twilio said when it was asked, exactly as if it had reported it."""
    for each in facts:
        if each.event.message_status == NOT_FOUND:
            watch.not_found(each.event.message_id)
        elif each.event.message_status not in MEANINGS:
            watch.unmapped(each.event.message_status)
    addressed: list[Addressed] = [(each.event.message_id, each) for each in facts]
    await _fold_all(
        addressed,
        at=at,
        messages=messages,
        runs=runs,
        campaigns=campaigns,
        outbox=outbox,
        watch=watch,
    )


async def _fold_all(
    facts: Sequence[Addressed],
    *,
    at: datetime,
    messages: Messages,
    runs: Runs,
    campaigns: Campaigns,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Fold the facts of a batch, tell each change, and count what each message has become."""
    held = await messages.hold({message_id for message_id, _ in facts})
    changed: dict[UUID, Message] = {}
    tallies: dict[UUID, Tally] = {}
    outcomes: dict[UUID, Outcomes] = {}
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
            note(outcomes, before, after, envelope)
        if (one := counted(before, after, envelope)) is not None:
            add(tallies, *one)
    await messages.keep(changed)
    # Runs are held before campaigns, always: two processes that wait for each other cost a second.
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)
    spikes = await find_spikes(outcomes, campaigns=campaigns)
    await go_on(spikes, at=at, runs=runs, outbox=outbox, watch=watch)
