"""What became of claims, written down by the batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from chassis.store import Store
from contracts.events.audience import Reason
from contracts.events.message import Accepted, Refused, Unresolved
from sender.adapters.consents import Pair, SqlConsents
from sender.adapters.holds import SqlHolds, is_permanent
from sender.adapters.proofs import OPTED_OUT_THERE, submitted
from sender.adapters.tables import MESSAGES
from sender.adapters.usage import UsageChange
from sender.domain.messages import REFUSED, WAITING, State
from sender.ports import Result


class SqlSettling:
    """The part of the ledger that records outcomes; each call is one transaction."""

    def __init__(self, store: Store, *, grace_seconds: float) -> None:
        self._store = store
        self._grace = timedelta(seconds=grace_seconds)

    async def settle(self, results: Sequence[Result], *, at: datetime) -> None:
        """Record what became of claims that nobody has claimed anew.

        An answer may come so late that the message was held to be absent and waits again.
        """
        by_claim = {result.claim.claim_id: result for result in results}
        mine = (
            select(MESSAGES)
            .where(
                MESSAGES.c.message_id.in_([result.claim.message_id for result in results]),
                MESSAGES.c.state.in_((*WAITING, State.CLAIMED, State.IN_DOUBT)),
            )
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        changes: list[dict[str, object]] = []
        refused: list[tuple[Pair, datetime]] = []
        permanent: list[tuple[Any, int]] = []
        usage = UsageChange()
        async with self._store.transaction() as transaction:
            for row in (await transaction.execute(mine)).all():
                result = by_claim.get(row.claim_id)
                if result is None or (row.state in WAITING and result.outcome is None):
                    continue
                change = self._change(result, at)
                changes.append(change)
                usage.move(row, to=str(change["new_state"]), reason=_text(change["new_reason"]))
                if result.outcome is not None:
                    event = submitted(row, result.outcome, attempted_at=row.claimed_at)
                    transaction.publish(event, because=row.queued_event)
                if isinstance(result.outcome, Refused) and is_permanent(result.outcome.code):
                    permanent.append((row, result.outcome.code))
                if change["new_reason"] == Reason.OPTED_OUT:
                    pair = Pair(row.organization_id, row.from_number, row.to_number)
                    refused.append((pair, row.claimed_at))
            if changes:
                await transaction.execute(_SETTLE, changes)
                await usage.write(transaction)
            if permanent:
                await SqlHolds(transaction).hold_campaigns(permanent, at=at)
            for told in await SqlConsents(transaction).note_refused(refused, at=at):
                transaction.publish_sealed(told)

    def _change(self, result: Result, at: datetime) -> dict[str, object]:
        state, sid, reason = _after(result)
        return {
            "id": result.claim.message_id,
            "new_state": state,
            "new_sid": sid,
            "new_reason": reason,
            "new_open": 1 if state is State.IN_DOUBT else None,
            "new_not_before": result.again_at,
            "new_look_at": at + self._grace if state is State.IN_DOUBT else None,
            "steps": 0 if result.outcome is None else 1,
        }


_SETTLE = (
    update(MESSAGES)
    .where(MESSAGES.c.message_id == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        sid=bindparam("new_sid"),
        reason=bindparam("new_reason"),
        open_claim=bindparam("new_open"),
        not_before=bindparam("new_not_before"),
        look_at=bindparam("new_look_at"),
        sequence=MESSAGES.c.sequence + bindparam("steps"),
    )
)


def why_refused(refused: Refused) -> str:
    """Say why Twilio took a message never; what is neither the number nor an opt-out was missed."""
    if refused.invalid_number:
        return Reason.INVALID_NUMBER
    return Reason.OPTED_OUT if refused.code == OPTED_OUT_THERE else REFUSED


def _after(result: Result) -> tuple[State, str | None, str | None]:
    match result.outcome:
        case Accepted(sid=sid):
            return State.ACCEPTED, sid, None
        case Refused() as refused:
            return State.REFUSED, None, why_refused(refused)
        case Unresolved():
            return State.UNKNOWN, None, None
        case None:
            # Certainly not sent: it waits again. Otherwise nobody knows.
            return (State.IN_DOUBT if result.again_at is None else State.QUEUED), None, None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
