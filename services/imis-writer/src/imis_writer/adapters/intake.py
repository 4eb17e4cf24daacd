"""Folds the two facts about each text into its row, in any order, without reading it first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, and_, case, literal, or_
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.campaign import WriteTo
from contracts.events.message import MessageFact, MessageQueued, MessageStatusChanged
from contracts.ids import effect_id
from imis_writer.adapters.tables import EFFECTS
from imis_writer.domain.effects import KIND, State

Insert = sqlite.Insert | postgresql.Insert
READY = literal(State.READY.value, String)


class SqlIntake:
    """Takes facts within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        """Know what is to be written."""
        await self._merge(self._with_message(), [_message_row(each.event) for each in messages])

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that the texts were sent; the earliest fact counts."""
        await self._merge(self._with_status(), [_status_row(each) for each in statuses])

    async def _merge(self, statement: Insert, rows: list[dict[str, Any]]) -> None:
        if rows:
            # In one order, so that two processes don't wait for each other's rows crosswise.
            rows.sort(key=lambda row: row["message_id"].bytes)
            await self._transaction.execute(statement, rows)

    def _with_message(self) -> Insert:
        statement = upsert(self._transaction.connection, EFFECTS)
        new, old = statement.excluded, EFFECTS.c
        state = case(
            (new.state == State.UNNEEDED, new.state),
            (old.transaction_date.is_not(None), READY),
            else_=new.state,
        )
        return statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={
                "state": state,
                "imis_id": new.imis_id,
                "to_number": new.to_number,
                "text": new.text,
                "mode": new.mode,
            },
            where=and_(old.state == State.WAITING, old.imis_id.is_(None)),
        )

    def _with_status(self) -> Insert:
        statement = upsert(self._transaction.connection, EFFECTS)
        new, old = statement.excluded, EFFECTS.c
        first = or_(old.status_sequence.is_(None), new.status_sequence < old.status_sequence)
        # Once a try was made, its date must not change: iMIS may have it.
        open_still = or_(old.state == State.WAITING, old.state == State.READY)
        untried = and_(open_still, old.attempts == 0)
        return statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={
                "state": case((old.imis_id.is_not(None), READY), else_=old.state),
                "status_sequence": new.status_sequence,
                "transaction_date": new.transaction_date,
                "because": new.because,
                "not_before": new.not_before,
            },
            where=and_(first, untried),
        )


def _row(event: MessageFact, state: State) -> dict[str, Any]:
    return {
        "message_id": event.message_id,
        "effect_id": effect_id(event.message_id, KIND),
        "organization_id": event.organization_id,
        "run_id": event.run_id,
        "campaign_id": event.campaign_id,
        "state": state,
    }


def _message_row(message: MessageQueued) -> dict[str, Any]:
    wanted = message.write_to is WriteTo.ACTIVITY
    return _row(message, State.WAITING if wanted else State.UNNEEDED) | {
        "imis_id": message.imis_id,
        "to_number": message.to if wanted else "",
        "text": message.text if wanted else "",
        "mode": message.mode,
    }


def _status_row(envelope: Envelope[MessageStatusChanged]) -> dict[str, Any]:
    event = envelope.event
    sent_at = event.attempted_at or event.occurred_at
    return _row(event, State.WAITING) | {
        "status_sequence": event.sequence,
        "transaction_date": sent_at,
        "because": envelope.id,
        # The first sent is the first written.
        "not_before": sent_at,
    }
