"""Doubts: claims of which nobody knows what became of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, or_, select, update

from chassis.store import Store, upsert
from contracts.events.message import Accepted, Unresolved
from sender.adapters.proofs import sids_of_others, submitted
from sender.adapters.tables import MESSAGES, RUNS
from sender.adapters.usage import UsageChange
from sender.domain.doubts import Ambiguous, Found, LookAgain, NotThere
from sender.domain.messages import WAITING, Doubt, State
from sender.ports import Conclusion

_AT_ONCE = 500


class SqlDoubts:
    """The part of the ledger that reconciliation uses; each call is one transaction."""

    def __init__(self, store: Store, *, instance: str, process: UUID) -> None:
        self._store = store
        self._instance = instance
        self._process = process

    async def doubt_overdue(self, *, at: datetime, look_at: datetime) -> int:
        """Put claims in doubt whose lease is over, or that an earlier process of ours left."""
        overdue = and_(
            MESSAGES.c.open_claim == 1,
            MESSAGES.c.state == State.CLAIMED,
            or_(
                MESSAGES.c.lease_until < at,
                and_(MESSAGES.c.instance == self._instance, MESSAGES.c.process != self._process),
            ),
        )
        async with self._store.read() as connection:
            if (
                await connection.scalar(select(MESSAGES.c.message_id).where(overdue).limit(1))
                is None
            ):
                return 0
        async with self._store.transaction() as transaction:
            changed = await transaction.execute(
                update(MESSAGES)
                .where(overdue)
                .values(state=State.IN_DOUBT, look_at=look_at, looks=0)
            )
        return changed.rowcount

    async def doubts(self, *, at: datetime, until: datetime, limit: int) -> list[Doubt]:
        """Return the doubts that are due for a look, each to one process until then."""
        columns = MESSAGES.c
        due = and_(columns.open_claim == 1, columns.state == State.IN_DOUBT, columns.look_at <= at)
        async with self._store.read() as connection:
            if await connection.scalar(select(columns.message_id).where(due).limit(1)) is None:
                return []
        query = (
            select(
                columns.message_id,
                columns.organization_id,
                columns.claim_id,
                columns.from_number,
                columns.to_number,
                columns.text,
                columns.claimed_at,
                columns.looks,
            )
            .where(due)
            .order_by(columns.look_at, columns.message_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._store.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            doubts = [Doubt(*tuple(row)) for row in rows]
            if doubts:
                await transaction.execute(
                    update(MESSAGES)
                    .where(columns.message_id == bindparam("id"))
                    .values(look_at=until),
                    [{"id": each.message_id} for each in doubts],
                )
        return doubts

    async def known_sids(self, sids: Collection[str]) -> set[str]:
        """Return those SIDs that belong to messages already."""
        known: set[str] = set()
        ordered = sorted(sids)
        async with self._store.read() as connection:
            for start in range(0, len(ordered), _AT_ONCE):
                part = ordered[start : start + _AT_ONCE]
                known.update(
                    await connection.scalars(select(MESSAGES.c.sid).where(MESSAGES.c.sid.in_(part)))
                )
        return known

    async def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Write down what looking at doubts showed; those that are settled by now stay so."""
        wanted = {each.doubt.message_id: each for each in conclusions}
        ids = sorted(wanted)
        for start in range(0, len(ids), _AT_ONCE):
            await self._conclude({each: wanted[each] for each in ids[start : start + _AT_ONCE]})

    async def _conclude(self, conclusions: dict[UUID, Conclusion]) -> None:
        query = (
            select(MESSAGES)
            .where(MESSAGES.c.message_id.in_(conclusions), MESSAGES.c.state == State.IN_DOUBT)
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        changes: list[dict[str, Any]] = []
        usage = UsageChange()
        async with self._store.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            claimed = {
                message_id: each.verdict.sid
                for message_id, each in conclusions.items()
                if isinstance(each.verdict, Found)
            }
            # A callback may have told meanwhile whose the SID is.
            taken = await sids_of_others(transaction, claimed)
            for row in rows:
                each = conclusions[row.message_id]
                if row.claim_id != each.doubt.claim_id or row.message_id in taken:
                    continue
                change = _change(row, each)
                changes.append(change)
                usage.move(row, to=change["new_state"])
                match each.verdict:
                    case Found(sid):
                        told = submitted(row, Accepted(sid=sid))
                        transaction.publish(told, because=row.queued_event)
                    case Ambiguous():
                        unresolved = Unresolved(reason="Twilio lists several that it may be")
                        told = submitted(row, unresolved)
                        transaction.publish(told, because=row.queued_event)
            if changes:
                await transaction.execute(_CONCLUDE, changes)
                await usage.write(transaction)

    async def refresh_lanes(self) -> None:
        """Forget the runs that have nothing to send any more, and find those that have."""
        open_runs = (
            select(
                MESSAGES.c.organization_id,
                MESSAGES.c.from_number,
                MESSAGES.c.run_id,
                MESSAGES.c.campaign_id,
                MESSAGES.c.urgent,
            )
            .where(MESSAGES.c.state.in_((*WAITING, State.CLAIMED, State.IN_DOUBT)))
            .distinct()
        )
        names = ["organization_id", "from_number", "run_id", "campaign_id", "urgent"]
        async with self._store.transaction() as transaction:
            # This waits for whoever enters a page of a known run; so the next statement sees it.
            await transaction.execute(delete(RUNS))
            found = upsert(transaction.connection, RUNS).from_select(names, open_runs)
            # Another process may have found the same ones meanwhile.
            await transaction.execute(found.on_conflict_do_nothing())


_CONCLUDE = (
    update(MESSAGES)
    .where(MESSAGES.c.message_id == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        sid=bindparam("new_sid"),
        open_claim=bindparam("new_open"),
        look_at=bindparam("new_look_at"),
        looks=MESSAGES.c.looks + bindparam("looked"),
        sequence=MESSAGES.c.sequence + bindparam("steps"),
    )
)


def _change(row: Any, conclusion: Conclusion) -> dict[str, Any]:
    change: dict[str, Any] = {
        "id": row.message_id,
        "new_sid": None,
        "new_open": None,
        "new_look_at": None,
        "looked": 0,
        "steps": 0,
    }
    match conclusion.verdict:
        case Found(sid):
            return change | {"new_state": State.ACCEPTED, "new_sid": sid, "steps": 1}
        case Ambiguous():
            return change | {"new_state": State.UNKNOWN, "steps": 1}
        case NotThere():
            # It keeps the claim's id: should proof come after all, it is known to be ours.
            return change | {"new_state": State.QUEUED}
        case LookAgain(at=at, shown_nothing=shown_nothing):
            open_still = {"new_state": State.IN_DOUBT, "new_open": 1, "new_look_at": at}
            return change | open_still | {"looked": int(shown_nothing)}
