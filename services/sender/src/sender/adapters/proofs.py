"""What callbacks prove: that Twilio has a message, or that somebody had opted out there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, update

from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason
from contracts.events.message import Accepted, MessageSubmitted, RecipientExcluded
from sender.adapters.consents import Pair, SqlConsents
from sender.adapters.tables import MESSAGES
from sender.adapters.usage import UsageChange
from sender.domain.messages import WAITING, State
from sender.ports import Witness

OPTED_OUT_THERE = 21610
_OPEN = (*WAITING, State.CLAIMED, State.IN_DOUBT, State.UNKNOWN)
_OPEN_TO_PROOF = or_(
    MESSAGES.c.state.in_(_OPEN),
    # Given up, and not resent yet: it must not be, now that it is known to have been sent.
    and_(
        MESSAGES.c.state == State.EXCLUDED,
        MESSAGES.c.reason == Reason.GIVEN_UP,
        MESSAGES.c.superseded_by.is_(None),
    ),
)


class SqlProofs:
    """Takes callbacks that name messages, within the transaction of their batch."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(
        self, witnesses: Sequence[Witness], *, at: datetime
    ) -> list[Envelope[MessageSubmitted | RecipientExcluded]]:
        """Settle open claims and doubts by callbacks that prove that Twilio has the message.

        One that was held to be absent and waits again is settled too, rather than sent again.
        A signature proves an account, not a message: each callback is judged by itself, so that
        one which names another's message neither settles anything nor hides a true one.
        """
        by_message: dict[UUID, list[Witness]] = {}
        for each in witnesses:
            by_message.setdefault(each.message_id, []).append(each)
        refused = [each.message_id for each in witnesses if each.error_code == OPTED_OUT_THERE]
        matters = or_(_OPEN_TO_PROOF, MESSAGES.c.message_id.in_(refused))
        query = (
            select(MESSAGES)
            .where(MESSAGES.c.message_id.in_(by_message), matters if refused else _OPEN_TO_PROOF)
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        rows = (await self._transaction.execute(query)).all()
        proven = [
            (row, true)
            for row in rows
            if (true := [each for each in by_message[row.message_id] if is_about(each, row)])
        ]
        told: list[Envelope[MessageSubmitted | RecipientExcluded]] = []
        told += await self._accept([(row, true[0].sid) for row, true in proven if _open(row)])
        told += await SqlConsents(self._transaction).note_refused(
            [
                (Pair(row.organization_id, row.from_number, row.to_number), row.claimed_at)
                for row, true in proven
                if any(each.error_code == OPTED_OUT_THERE for each in true)
            ],
            at=at,
        )
        return told

    async def _accept(self, proven: Sequence[tuple[Any, str]]) -> list[Envelope[MessageSubmitted]]:
        taken = await sids_of_others(self._transaction, {row.message_id: s for row, s in proven})
        changes, settled, usage = [], [], UsageChange()
        for row, sid in proven:
            if row.message_id in taken:
                continue
            changes.append({"id": row.message_id, "taken_sid": sid})
            settled.append(seal(submitted(row, Accepted(sid=sid)), because=row.queued_event))
            usage.move(row, to=State.ACCEPTED)
        if changes:
            await self._transaction.execute(
                update(MESSAGES)
                .where(MESSAGES.c.message_id == bindparam("id"))
                .values(
                    state=State.ACCEPTED,
                    reason=None,
                    sid=bindparam("taken_sid"),
                    open_claim=None,
                    not_before=None,
                    sequence=MESSAGES.c.sequence + 1,
                ),
                changes,
            )
            await usage.write(self._transaction)
        return settled


def is_about(witness: Witness, row: Any) -> bool:
    """Whether a signed callback is this message's: the signature proves an account alone."""
    return (
        witness.organization_id == row.organization_id
        and witness.from_number == row.from_number
        and witness.to_number == row.to_number
        and row.claim_id is not None
        and row.sid in {None, witness.sid}
    )


def _open(row: Any) -> bool:
    return row.state in _OPEN or row.state == State.EXCLUDED


async def sids_of_others(transaction: Transaction, claimed: dict[UUID, str]) -> set[UUID]:
    """Return those messages whose SID, as somebody says, is another message's already."""
    if not claimed:
        return set()
    query = select(MESSAGES.c.message_id, MESSAGES.c.sid).where(
        MESSAGES.c.sid.in_(set(claimed.values()))
    )
    owners = {row.sid: row.message_id for row in (await transaction.execute(query)).all()}
    return {mine for mine, sid in claimed.items() if owners.get(sid, mine) != mine}


def submitted(row: Any, outcome: Any, *, attempted_at: datetime | None = None) -> MessageSubmitted:
    """Return the event that says what became of a ledger row; its sequence is the row's next."""
    moment = attempted_at or row.claimed_at
    return MessageSubmitted(
        organization_id=row.organization_id,
        occurred_at=moment,
        sequence=row.sequence + 1,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        message_id=row.message_id,
        outcome=outcome,
        segments=row.segments,
        attempted_at=moment,
    )
