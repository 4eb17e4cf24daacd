"""Pages of recipients, entered into the ledger within the transaction of their batch."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason, Recipient, RecipientsResolved
from contracts.events.campaign import Mode
from contracts.events.message import (
    MessageQueued,
    MessageSubmitted,
    RecipientExcluded,
    Simulated,
)
from sender.adapters.consents import Pair, SqlConsents
from sender.adapters.tables import MESSAGES, RUNS
from sender.domain.messages import State

Entered = MessageQueued | MessageSubmitted | RecipientExcluded


class SqlIntake:
    """Enters recipients, each once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(
        self, pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime
    ) -> list[Envelope[Entered]]:
        """Enter what is new; a TEST's messages are settled at once, nothing leaves the house.

        Who has opted out is entered as left out, so that each row is accounted for.
        """
        wanted = {
            recipient.message_id: (page, recipient)
            for page in pages
            for recipient in page.event.recipients
        }
        known = set(
            (
                await self._transaction.execute(
                    select(MESSAGES.c.message_id).where(MESSAGES.c.message_id.in_(wanted))
                )
            ).scalars()
        )
        new = [each for message_id, each in wanted.items() if message_id not in known]
        out = await SqlConsents(self._transaction).opted_out_among(
            {_pair(page.event, recipient) for page, recipient in new}
        )
        left_out = [
            seal(_left_out(page.event, recipient, at), because=page.id)
            for page, recipient in new
            if _pair(page.event, recipient) in out
        ]
        queued = [
            seal(_queued(page.event, recipient, at), because=page.id)
            for page, recipient in new
            if _pair(page.event, recipient) not in out
        ]
        reasons = {each.event.message_id: each for each in left_out}
        await self._transaction.insert_new(
            MESSAGES,
            [
                left_out_row(_queued(page.event, recipient, at), reasons[recipient.message_id])
                for page, recipient in new
                if recipient.message_id in reasons
            ],
        )
        await enter(self._transaction, queued)
        tests = [each for each in queued if each.event.mode is Mode.TEST]
        return [
            *left_out,
            *queued,
            *(seal(_simulated(each.event), because=each.id) for each in tests),
        ]


async def enter(transaction: Transaction, queued: Collection[Envelope[MessageQueued]]) -> None:
    """Write new messages into the ledger, and their runs into the lanes."""
    await transaction.insert_new(MESSAGES, [_row(each) for each in queued])
    runs = {
        (each.event.organization_id, each.event.from_number, each.event.run_id)
        for each in queued
        if each.event.mode is not Mode.TEST
    }
    await transaction.insert_new(
        RUNS,
        [
            {"organization_id": organization, "from_number": number, "run_id": run}
            for organization, number, run in sorted(runs)
        ],
    )


def left_out_row(queued: MessageQueued, told: Envelope[RecipientExcluded]) -> dict[str, Any]:
    """Return the ledger's row of a recipient who gets no message."""
    return _row(Envelope(queued, told.id)) | {
        "state": State.EXCLUDED,
        "reason": told.event.reason,
        "sequence": told.event.sequence,
    }


def _pair(page: RecipientsResolved, recipient: Recipient) -> Pair:
    return Pair(page.organization_id, page.from_number, recipient.to)


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
    )


def _left_out(page: RecipientsResolved, recipient: Recipient, at: datetime) -> RecipientExcluded:
    return RecipientExcluded(
        organization_id=page.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        message_id=recipient.message_id,
        recipient_id=recipient.recipient_id,
        row=recipient.row,
        imis_id=recipient.imis_id,
        reason=Reason.OPTED_OUT,
    )


def _simulated(queued: MessageQueued) -> MessageSubmitted:
    """Say of a TEST message that it was simulated (TM-6)."""
    return MessageSubmitted(
        organization_id=queued.organization_id,
        occurred_at=queued.occurred_at,
        sequence=2,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=queued.message_id,
        outcome=Simulated(),
        segments=queued.segments,
        attempted_at=queued.occurred_at,
    )


def _row(envelope: Envelope[MessageQueued]) -> dict[str, Any]:
    event = envelope.event
    test = event.mode is Mode.TEST
    return {
        "message_id": event.message_id,
        "organization_id": event.organization_id,
        "run_id": event.run_id,
        "campaign_id": event.campaign_id,
        "recipient_id": event.recipient_id,
        "row": event.row,
        "imis_id": event.imis_id,
        "from_number": event.from_number,
        "to_number": event.to,
        "text": event.text,
        "segments": event.segments,
        "mode": event.mode,
        "write_to": event.write_to,
        "state": State.SIMULATED if test else State.QUEUED,
        "reason": None,
        "queued_event": envelope.id,
        "sequence": 2 if test else 1,
        "looks": 0,
    }
