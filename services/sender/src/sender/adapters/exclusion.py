"""Leaving out what waits: the ledger says why, and so does an event."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import RecipientExcluded
from sender.adapters.tables import MESSAGES
from sender.domain.messages import WAITING, State

_AT_ONCE = 500


async def leave_out(
    transaction: Transaction, message_ids: Collection[UUID], reason: Reason, *, at: datetime
) -> list[Envelope[RecipientExcluded]]:
    """Settle messages that wait and were never claimed since; returns the events that say so."""
    told: list[Envelope[RecipientExcluded]] = []
    ids = sorted(message_ids)
    for start in range(0, len(ids), _AT_ONCE):
        query = (
            select(MESSAGES)
            .where(
                MESSAGES.c.message_id.in_(ids[start : start + _AT_ONCE]),
                MESSAGES.c.state.in_(WAITING),
            )
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        rows = (await transaction.execute(query)).all()
        told += [seal(excluded(row, reason, at=at), because=row.queued_event) for row in rows]
        await transaction.execute(
            update(MESSAGES)
            .where(MESSAGES.c.message_id.in_([row.message_id for row in rows]))
            .values(
                state=State.EXCLUDED,
                reason=reason,
                not_before=None,
                sequence=MESSAGES.c.sequence + 1,
            )
        )
    return told


def excluded(row: Any, reason: Reason, *, at: datetime) -> RecipientExcluded:
    """Return the event that says that a ledger row was left out; its sequence is the next."""
    return RecipientExcluded(
        organization_id=row.organization_id,
        occurred_at=at,
        sequence=row.sequence + 1,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        message_id=row.message_id,
        recipient_id=row.recipient_id,
        row=row.row,
        imis_id=row.imis_id,
        reason=reason,
        to=row.to_number,
        from_number=row.from_number,
        mode=Mode(row.mode),
        write_to=WriteTo(row.write_to),
    )
