"""What operators decided about messages of which nobody knew whether they were sent (X-10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from chassis.logs import get_logger
from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason
from contracts.events.message import (
    Accepted,
    MessageResolutionDecided,
    MessageSubmitted,
    RecipientExcluded,
    Resolution,
)
from sender.adapters.exclusion import excluded
from sender.adapters.proofs import sids_of_others, submitted
from sender.adapters.tables import MESSAGES
from sender.adapters.usage import UsageChange
from sender.domain.messages import State

_OPEN_TO_DECISIONS = (State.UNKNOWN, State.IN_DOUBT)
Told = MessageSubmitted | RecipientExcluded


class SqlDecisions:
    """Does as operators decided, within the transaction of a batch of events."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(
        self, decisions: Sequence[Envelope[MessageResolutionDecided]], *, at: datetime
    ) -> list[Envelope[Told]]:
        """Settle what is unknown or in doubt; a decision about anything else changes nothing.

        The first decision about a claim counts: one that is older than the newest claim was
        about an earlier doubt, and comes again by a repeat.
        """
        ids = {each.event.message_id for each in decisions}
        query = (
            select(MESSAGES)
            .where(MESSAGES.c.message_id.in_(ids))
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        rows = {row.message_id: row for row in (await self._transaction.execute(query)).all()}
        claimed = {
            each.event.message_id: each.event.sid
            for each in decisions
            if each.event.sid is not None
        }
        taken = await sids_of_others(self._transaction, claimed)
        told: list[Envelope[Told]] = []
        changes: list[dict[str, Any]] = []
        usage = UsageChange()
        for decision in decisions:
            row = rows.get(decision.event.message_id)
            if row is None or (why := _why_not(decision.event, row, taken)) is not None:
                get_logger().warning(
                    "A decision about a message changes nothing.",
                    message_id=str(decision.event.message_id),
                    why="not known here" if row is None else why,
                )
                continue
            del rows[row.message_id]
            change = _change(decision.event)
            changes.append({"id": row.message_id, **change})
            usage.move(row, to=change["new_state"], reason=change["new_reason"])
            event = _said(decision.event, row, at=at)
            if event is not None:
                told.append(seal(event, because=decision.id))
        if changes:
            await self._transaction.execute(_DECIDE, changes)
            await usage.write(self._transaction)
        return told


_DECIDE = (
    update(MESSAGES)
    .where(MESSAGES.c.message_id == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        sid=bindparam("new_sid"),
        reason=bindparam("new_reason"),
        open_claim=None,
        look_at=None,
        sequence=MESSAGES.c.sequence + bindparam("steps"),
    )
)


def _why_not(decision: MessageResolutionDecided, row: Any, taken: set[UUID]) -> str | None:
    """Say why a decision can't be followed; None when it can."""
    if row.organization_id != decision.organization_id:
        return "another organisation's"
    if row.state not in _OPEN_TO_DECISIONS:
        return "not unknown"
    if decision.occurred_at < row.claimed_at:
        return "older than the claim"
    if decision.resolution is Resolution.SENT and decision.sid is None:
        return "no SID"
    if decision.resolution is Resolution.SENT and row.message_id in taken:
        return "the SID is another message's"
    return None


def _change(decision: MessageResolutionDecided) -> dict[str, Any]:
    nothing = {"new_sid": None, "new_reason": None, "steps": 1}
    match decision.resolution:
        case Resolution.SENT:
            return nothing | {"new_state": State.ACCEPTED, "new_sid": decision.sid}
        case Resolution.SEND_AGAIN:
            return nothing | {"new_state": State.QUEUED, "steps": 0}
        case Resolution.GIVEN_UP:
            return nothing | {"new_state": State.EXCLUDED, "new_reason": Reason.GIVEN_UP}


def _said(decision: MessageResolutionDecided, row: Any, *, at: datetime) -> Told | None:
    match decision.resolution:
        case Resolution.SENT:
            return submitted(row, Accepted(sid=decision.sid or ""))
        case Resolution.GIVEN_UP:
            return excluded(row, Reason.GIVEN_UP, at=at)
        case Resolution.SEND_AGAIN:
            return None
