"""What is to be sent, before the ledger has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.campaign import Purpose
from contracts.events.message import (
    MessageQueued,
    MessageRequested,
    ReplyPurpose,
    ReplyRequested,
)

ONLY_ROW: Final = 1
"""The row of a run that has one."""


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """A message that somebody wants sent, and what was asked along with it."""

    queued: MessageQueued
    because: UUID
    purpose: Purpose = Purpose.INFORMATIONAL
    zone: str = ""
    """The member's own time zone, if it is known."""
    confirms_opt_out: bool = False
    """Whether it may go to a number that has opted out, and only it."""


def of_page(page: Envelope[RecipientsResolved], *, at: datetime) -> Iterator[Wanted]:
    """Return what a page of a run wants sent."""
    for recipient in page.event.recipients:
        yield Wanted(
            _queued(page.event, recipient, at), page.id, page.event.purpose, recipient.zone
        )


def of_single(
    asked: Envelope[MessageRequested] | Envelope[ReplyRequested], *, at: datetime
) -> Wanted:
    """Return the one text that somebody wants sent at once."""
    event = asked.event
    queued = MessageQueued(
        organization_id=event.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=event.run_id,
        campaign_id=event.campaign_id,
        message_id=event.message_id,
        recipient_id=event.recipient_id,
        row=ONLY_ROW,
        imis_id=event.imis_id,
        to=event.to,
        from_number=event.from_number,
        text=event.text,
        segments=event.segments,
        mode=event.mode,
        write_to=event.write_to,
        log_subject=event.log_subject,
        urgent=True,
    )
    if isinstance(event, ReplyRequested):
        confirms = event.purpose is ReplyPurpose.OPTED_OUT
        return Wanted(queued, asked.id, confirms_opt_out=confirms)
    return Wanted(queued, asked.id, event.purpose)


def _queued(page: RecipientsResolved, recipient: Recipient, at: datetime) -> MessageQueued:
    return MessageQueued(
        organization_id=page.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        message_id=recipient.message_id,
        recipient_id=recipient.recipient_id,
        row=recipient.row,
        imis_id=recipient.imis_id,
        to=recipient.to,
        from_number=page.from_number,
        text=recipient.text,
        segments=recipient.segments,
        mode=page.mode,
        write_to=page.write_to,
        log_subject=page.log_subject,
    )
