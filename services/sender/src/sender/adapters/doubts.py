"""Doubts: claims of which nobody knows what became of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, insert, or_, select, update

from chassis.store import Store, Transaction
from contracts.events.message import Accepted, Unresolved
from sender.adapters.intake import submitted
from sender.adapters.tables import MESSAGES, RUNS
from sender.domain.messages import Doubt, State


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

    async def doubts(self, *, at: datetime, limit: int) -> list[Doubt]:
        """Return the doubts that are due for a look."""
        columns = MESSAGES.c
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
            .where(columns.open_claim == 1, columns.state == State.IN_DOUBT, columns.look_at <= at)
            .order_by(columns.look_at)
            .limit(limit)
        )
        async with self._store.read() as connection:
            return [Doubt(*row) for row in (await connection.execute(query)).all()]

    async def known_sids(self, sids: Collection[str]) -> set[str]:
        """Return those SIDs that belong to messages already."""
        if not sids:
            return set()
        async with self._store.read() as connection:
            found = await connection.scalars(
                select(MESSAGES.c.sid).where(MESSAGES.c.sid.in_(list(sids)))
            )
            return set(found.all())

    async def found(self, doubt: Doubt, sid: str, *, at: datetime) -> None:
        """Settle a doubt: Twilio has the message."""
        del at
        await self._settle(doubt, Accepted(sid=sid), state=State.ACCEPTED, sid=sid)

    async def hopeless(self, doubt: Doubt, reason: str, *, at: datetime) -> None:
        """Hold a message as unknown, for a person to decide."""
        del at
        await self._settle(doubt, Unresolved(reason=reason), state=State.UNKNOWN, sid=None)

    async def _settle(
        self, doubt: Doubt, outcome: Accepted | Unresolved, *, state: State, sid: str | None
    ) -> None:
        async with self._store.transaction() as transaction:
            row = await _still_open(transaction, doubt)
            if row is None:
                return
            await transaction.execute(
                update(MESSAGES)
                .where(MESSAGES.c.message_id == doubt.message_id)
                .values(state=state, sid=sid, open_claim=None, sequence=row.sequence + 1)
            )
            transaction.publish(submitted(row, outcome), because=row.queued_event)

    async def absent(self, doubt: Doubt, *, look_at: datetime | None) -> None:
        """Note that Twilio showed nothing; without another look, the message is ready again."""
        async with self._store.transaction() as transaction:
            if await _still_open(transaction, doubt) is None:
                return
            values = (
                {"looks": doubt.looks + 1, "look_at": look_at}
                if look_at is not None
                # It keeps the claim's id: should proof come after all, it is known to be ours.
                else {"state": State.QUEUED, "open_claim": None, "look_at": None}
            )
            await transaction.execute(
                update(MESSAGES).where(MESSAGES.c.message_id == doubt.message_id).values(values)
            )

    async def look_later(self, doubts: Sequence[Doubt], *, look_at: datetime) -> None:
        """Ask again later, as if nothing had been asked."""
        if not doubts:
            return
        async with self._store.transaction() as transaction:
            await transaction.execute(
                update(MESSAGES)
                .where(
                    MESSAGES.c.message_id.in_([each.message_id for each in doubts]),
                    MESSAGES.c.state == State.IN_DOUBT,
                )
                .values(look_at=look_at)
            )

    async def refresh_lanes(self) -> None:
        """Forget the runs that have nothing to send any more, and find those that have."""
        open_runs = (
            select(MESSAGES.c.organization_id, MESSAGES.c.from_number, MESSAGES.c.run_id)
            .where(MESSAGES.c.state.in_((State.QUEUED, State.CLAIMED, State.IN_DOUBT)))
            .distinct()
        )
        async with self._store.transaction() as transaction:
            await transaction.execute(delete(RUNS))
            await transaction.execute(
                insert(RUNS).from_select(["organization_id", "from_number", "run_id"], open_runs)
            )


async def _still_open(transaction: Transaction, doubt: Doubt):  # type: ignore[no-untyped-def]
    """Return the row if the doubt is still the one that was looked at."""
    return (
        await transaction.execute(
            select(MESSAGES)
            .where(
                MESSAGES.c.message_id == doubt.message_id,
                MESSAGES.c.claim_id == doubt.claim_id,
                MESSAGES.c.state == State.IN_DOUBT,
            )
            .with_for_update()
        )
    ).first()
