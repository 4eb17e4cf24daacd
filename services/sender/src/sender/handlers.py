"""What the sender does with an event."""

from collections.abc import Sequence
from datetime import datetime

from contracts.envelope import Envelope
from contracts.events.audience import RecipientsResolved
from contracts.events.campaign import CampaignEvent
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageRequested, MessageResolutionDecided, ReplyRequested
from contracts.events.run import RunCancelRequested, RunResendRequested
from sender.ports import (
    Consents,
    Controls,
    Decisions,
    Intake,
    Outbox,
    Proofs,
    Resends,
    Witness,
)


async def take_recipients(
    pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime, intake: Intake, outbox: Outbox
) -> None:
    """Enter each recipient's message into the ledger, once; sending is not this one's business."""
    for envelope in await intake.take(pages, at=at):
        outbox.publish_sealed(envelope)


async def take_singles(
    asked: Sequence[Envelope[MessageRequested] | Envelope[ReplyRequested]],
    *,
    at: datetime,
    intake: Intake,
    outbox: Outbox,
) -> None:
    """Enter texts that leave before all others, each once (X-8)."""
    for envelope in await intake.take_singles(asked, at=at):
        outbox.publish_sealed(envelope)


async def settle_by_callbacks(
    witnesses: Sequence[Witness], *, at: datetime, proofs: Proofs, outbox: Outbox
) -> None:
    """Settle open claims that a callback names: Twilio has the message, whatever our POST said."""
    for envelope in await proofs.take(witnesses, at=at):
        outbox.publish_sealed(envelope)


async def heed_consents(
    changes: Sequence[Envelope[ConsentChanged]], *, at: datetime, consents: Consents, outbox: Outbox
) -> None:
    """Leave out, at once, what waits for numbers that opted out (X-3)."""
    for envelope in await consents.fold(changes, at=at):
        outbox.publish_sealed(envelope)


async def follow_campaigns(
    events: Sequence[Envelope[CampaignEvent]], *, controls: Controls
) -> None:
    """Keep back what is paused, and end what is cancelled (X-6)."""
    await controls.follow(events)


async def cancel_runs(
    commands: Sequence[Envelope[RunCancelRequested]], *, controls: Controls
) -> None:
    """End runs whose campaigns go on (X-6)."""
    await controls.cancel(commands)


async def follow_decisions(
    decisions: Sequence[Envelope[MessageResolutionDecided]],
    *,
    at: datetime,
    decided: Decisions,
    outbox: Outbox,
) -> None:
    """Settle unknown messages as operators decided (X-10)."""
    for envelope in await decided.take(decisions, at=at):
        outbox.publish_sealed(envelope)


async def resend_missed(
    commands: Sequence[Envelope[RunResendRequested]],
    *,
    at: datetime,
    resends: Resends,
    outbox: Outbox,
) -> None:
    """Send what runs missed, in a run of its own each (X-2)."""
    for command in commands:
        for envelope in await resends.take(command, at=at):
            outbox.publish_sealed(envelope)
