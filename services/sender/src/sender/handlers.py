"""What the sender does with an event."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import RecipientsResolved
from sender.ports import Intake, Outbox, Witness


async def take_recipients(
    pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime, intake: Intake, outbox: Outbox
) -> None:
    """Enter each recipient's message into the ledger, once; sending is not this one's business."""
    for envelope in await intake.take(pages, at=at):
        outbox.publish_sealed(envelope)


async def settle_by_callbacks(
    witnesses: Mapping[UUID, Witness], *, intake: Intake, outbox: Outbox
) -> None:
    """Settle open claims that a callback names: Twilio has the message, whatever our POST said."""
    for envelope in await intake.witness(witnesses):
        outbox.publish_sealed(envelope)
