"""Claims: which messages leave next, within every limit that there is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, select, update

from chassis.store import Store, Transaction
from contracts.events.audience import Reason
from contracts.events.run import HeldBy
from sender.adapters.exclusion import leave_out
from sender.adapters.holds import SqlHolds
from sender.adapters.room import Room, Rooms
from sender.adapters.serial import alone
from sender.adapters.tables import MESSAGES, RUN_USAGE, RUNS
from sender.adapters.usage import UsageChange
from sender.adapters.waiting import next_messages
from sender.domain.controls import Stops
from sender.domain.fairness import Turns
from sender.domain.holds import Hold
from sender.domain.limits import Allotment, RunRoom, allot
from sender.domain.messages import Claim, Lane, State
from sender.ports import NO_STOPS, URGENT_AT_ONCE, Picked


class SqlClaims:
    """The part of the ledger that decides what leaves; each call is one transaction."""

    def __init__(self, store: Store, *, instance: str, process: UUID) -> None:
        self._store = store
        self._instance = instance
        self._process = process
        self._rooms = Rooms()
        self._turns: dict[Lane, Turns[UUID]] = {}

    async def lanes(self) -> list[Lane]:
        """Return the lanes that may have something to send."""
        query = select(RUNS.c.organization_id, RUNS.c.from_number).distinct()
        async with self._store.read() as connection:
            return [Lane(*row) for row in (await connection.execute(query)).all()]

    async def claim(
        self,
        lane: Lane,
        *,
        at: datetime,
        until: datetime,
        budget: int,
        limit: int,
        urgent: int = URGENT_AT_ONCE,
        stops: Stops = NO_STOPS,
    ) -> Picked:
        """Claim the next messages that the budget and the limits pay for whole.

        Opt-outs and stops are looked at once more, and the limits are counted, in the claim's own
        transaction: no other claim or opt-out of the organisation's runs beside it.
        """
        turns = self._turns.setdefault(lane, Turns())
        async with self._store.transaction() as transaction:
            await alone(transaction, lane.organization_id)
            room = await self._rooms.of(transaction, lane, at=at, stops=stops)
            if room is None:
                return Picked([])
            found = await next_messages(
                transaction.connection,
                lane,
                turns,
                list(room.runs),
                at=at,
                limit=limit,
                urgent=urgent,
            )
            rows = [row for row in found if not room.withholds(row)]
            out = [row.message_id for row in rows if row.opted_out]
            runs = room.with_singles(rows)
            allotted = allot(
                [row for row in rows if not row.opted_out], budget=budget, runs=runs, day=room.day
            )
            claims = await self._claim(transaction, allotted.taken, room.today, at=at, until=until)
            await SqlHolds(transaction).tell(_holds(rows, allotted, room), at=at)
            await self._leave_out(transaction, out, allotted, room, runs, at=at)
        turns.served(row.run_id for row in allotted.taken if row.urgent is None)
        return Picked(
            claims,
            allotted.next_cost,
            left_out=len(out) + len(allotted.over_run) + len(allotted.over_day),
            held=allotted.held,
            more_urgent=bool(rows) and rows[0].urgent is not None,
        )

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
        runs: Mapping[UUID, RunRoom],
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
            if after.full_from != runs[run].full_from
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


def _holds(rows: Sequence[Any], allotted: Allotment[Any], room: Room) -> list[Hold]:
    """Return what staff are told about limits that are used up."""
    return [*_over_run(allotted, room), *_over_day(rows, allotted, room)]


def _over_run(allotted: Allotment[Any], room: Room) -> Iterator[Hold]:
    for row in _one_of_each_run(allotted.over_run):
        yield _hold(
            row,
            room,
            HeldBy.RUN_LIMIT,
            mark=str(room.run_limit),
            left_out=True,
            from_row=allotted.runs[row.run_id].full_from or 0,
        )


def _over_day(rows: Sequence[Any], allotted: Allotment[Any], room: Room) -> Iterator[Hold]:
    if allotted.held:
        for row in _one_of_each_run(rows):
            yield _hold(row, room, HeldBy.DAY_LIMIT, mark=room.today, until=room.tomorrow)
    for row in _one_of_each_run(allotted.over_day):
        own = [each.segments for each in allotted.over_day if each.run_id == row.run_id]
        # A text that no day has room for is left out by itself; else all of the run that waits.
        alone = (len(own), sum(own)) if room.day.holds else None
        mark = f"{room.today} too long" if room.day.holds else room.today
        yield _hold(row, room, HeldBy.DAY_LIMIT, mark=mark, left_out=True, counted=alone)


def _one_of_each_run(rows: Sequence[Any]) -> list[Any]:
    return list({row.run_id: row for row in rows}.values())


def _hold(row: Any, room: Room, held_by: HeldBy, **more: Any) -> Hold:
    campaign = room.campaign_of(row)
    return Hold(row.organization_id, row.from_number, row.run_id, campaign, held_by, **more)
