"""Claims: which messages leave next, within every limit that there is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, bindparam, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store import Store, Transaction
from contracts.events.audience import Reason
from sender.adapters.consents import opted_out
from sender.adapters.exclusion import leave_out
from sender.adapters.room import Room, Rooms
from sender.adapters.serial import alone
from sender.adapters.tables import MESSAGES, RUN_USAGE, RUNS
from sender.adapters.usage import UsageChange
from sender.domain.fairness import take_turns
from sender.domain.limits import Allotment, allot
from sender.domain.messages import Claim, Lane, State
from sender.ports import Picked

_OTHER = MESSAGES.alias("other")


class SqlClaims:
    """The part of the ledger that decides what leaves; each call is one transaction."""

    def __init__(self, store: Store, *, instance: str, process: UUID) -> None:
        self._store = store
        self._instance = instance
        self._process = process
        self._rooms = Rooms()

    async def lanes(self) -> list[Lane]:
        """Return the lanes that may have something to send."""
        query = select(RUNS.c.organization_id, RUNS.c.from_number).distinct()
        async with self._store.read() as connection:
            return [Lane(*row) for row in (await connection.execute(query)).all()]

    async def claim(
        self, lane: Lane, *, at: datetime, until: datetime, budget: int, limit: int
    ) -> Picked:
        """Claim the next messages that the budget and the limits pay for whole.

        Opt-outs are looked at once more, and the limits are counted, in the claim's own
        transaction: no other claim or opt-out of the organisation's runs beside it.
        """
        async with self._store.transaction() as transaction:
            await alone(transaction, lane.organization_id)
            room = await self._rooms.of(transaction, lane, at=at)
            if room is None or not room.runs:
                return Picked([])
            rows = await _next(transaction.connection, lane, list(room.runs), at=at, limit=limit)
            out = [row.message_id for row in rows if row.opted_out]
            allotted = allot(
                [row for row in rows if not row.opted_out],
                budget=budget,
                runs=room.runs,
                day=room.day,
            )
            claims = await self._claim(transaction, allotted.taken, room.today, at=at, until=until)
            await self._leave_out(transaction, out, allotted, room, at=at)
        left_out = len(out) + len(allotted.over_run) + len(allotted.over_day)
        return Picked(claims, allotted.next_cost, left_out=left_out, held=allotted.held)

    async def _claim(
        self,
        transaction: Transaction,
        rows: Sequence[Any],
        today: str,
        *,
        at: datetime,
        until: datetime,
    ) -> list[Claim]:
        claims = [
            Claim(
                claim_id=uuid4(),
                message_id=row.message_id,
                run_id=row.run_id,
                to_number=row.to_number,
                text=row.text,
                segments=row.segments,
                claimed_at=at,
            )
            for row in rows
        ]
        if not claims:
            return []
        await transaction.execute(
            update(MESSAGES)
            .where(MESSAGES.c.message_id == bindparam("id"))
            .values(
                state=State.CLAIMED,
                open_claim=1,
                claim_id=bindparam("new_claim"),
                claimed_at=at,
                day=today,
                lease_until=until,
                instance=self._instance,
                process=self._process,
                not_before=None,
                looks=0,
            ),
            [{"id": each.message_id, "new_claim": each.claim_id} for each in claims],
        )
        usage = UsageChange()
        for row in rows:
            usage.move(row, to=State.CLAIMED, day=today)
        await usage.write(transaction)
        return claims

    async def _leave_out(
        self,
        transaction: Transaction,
        out: Sequence[UUID],
        allotted: Allotment[Any],
        room: Room,
        *,
        at: datetime,
    ) -> None:
        over_run = [row.message_id for row in allotted.over_run]
        over_day = [row.message_id for row in allotted.over_day]
        for reason, message_ids in (
            (Reason.OPTED_OUT, out),
            (Reason.OVER_RUN_LIMIT, over_run),
            (Reason.OVER_DAY_LIMIT, over_day),
        ):
            if message_ids:
                for envelope in await leave_out(transaction, message_ids, reason, at=at):
                    transaction.publish_sealed(envelope)
        full = [
            {"run": run, "first": after.full_from, "limit": room.run_limit}
            for run, after in sorted(allotted.runs.items())
            if after.full_from != room.runs[run].full_from
        ]
        if full:
            await transaction.insert_new(
                RUN_USAGE, [{"run_id": each["run"], "used": 0} for each in full]
            )
            await transaction.execute(
                update(RUN_USAGE)
                .where(RUN_USAGE.c.run_id == bindparam("run"))
                .values(full_from=bindparam("first"), full_at=bindparam("limit")),
                full,
            )


async def _next(
    connection: AsyncConnection, lane: Lane, runs: Sequence[UUID], *, at: datetime, limit: int
) -> list[Any]:
    """Return the next messages of a lane: its runs take turns, a number is texted one at a time."""
    each = [_of_run(lane, run, at=at, limit=limit).subquery() for run in runs]
    rows = (await connection.execute(union_all(*(select(part) for part in each)))).all()
    queues: dict[UUID, list[Any]] = {run: [] for run in runs}
    taken: set[str] = set()
    for row in sorted(rows, key=lambda row: row.row):
        if row.to_number not in taken:
            taken.add(row.to_number)
            queues[row.run_id].append(row)
    return take_turns(queues.values())[:limit]


def _of_run(lane: Lane, run: UUID, *, at: datetime, limit: int) -> Select[tuple[object, ...]]:
    under_way = (
        select(_OTHER.c.message_id)
        .where(
            _OTHER.c.from_number == MESSAGES.c.from_number,
            _OTHER.c.to_number == MESSAGES.c.to_number,
            _OTHER.c.open_claim == 1,
        )
        .exists()
    )
    return (
        select(
            MESSAGES.c.message_id,
            MESSAGES.c.organization_id,
            MESSAGES.c.run_id,
            MESSAGES.c.row,
            MESSAGES.c.to_number,
            MESSAGES.c.text,
            MESSAGES.c.segments,
            MESSAGES.c.state,
            MESSAGES.c.reason,
            opted_out(lane.organization_id, lane.from_number, MESSAGES.c.to_number).label(
                "opted_out"
            ),
        )
        .where(
            MESSAGES.c.organization_id == lane.organization_id,
            MESSAGES.c.from_number == lane.from_number,
            MESSAGES.c.run_id == run,
            MESSAGES.c.state == State.QUEUED,
            or_(MESSAGES.c.not_before.is_(None), MESSAGES.c.not_before <= at),
            ~under_way,
        )
        .order_by(MESSAGES.c.row)
        .limit(limit)
        .with_for_update(skip_locked=True, of=MESSAGES)
    )
