"""What moves waiting messages: cancelling (X-6), and the hours at the members' places (X-4)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, or_, select, union_all, update

from chassis.store import Store, Transaction
from contracts.envelope import seal
from contracts.events.audience import Reason
from contracts.events.message import MessageHeld
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import HeldBy
from contracts.ids import first_event_id
from sender.adapters.exclusion import leave_out
from sender.adapters.holds import SqlHolds
from sender.adapters.tables import CAMPAIGN_CONTROLS, CANCELLED_RUNS, MESSAGES, RUNS, SETTINGS
from sender.domain.controls import Control
from sender.domain.holds import Hold
from sender.domain.messages import WAITING, State
from timing.quiet import Rules

AT_ONCE = 500
"""How many messages one transaction moves, so that dispatch has its turn in between."""
_SETTINGS_KNOWN_AFTER = timedelta(minutes=1)
_LANES_AT_ONCE = 100
"""How many numbers one statement asks about; SQLite takes 500 at most."""


class SqlSweeps:
    """Moves what waits, a part at a time; each call is one transaction, or none."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules

    async def leave_out_cancelled(self, *, at: datetime) -> int:
        """Leave out what waits of cancelled campaigns and runs; returns how much it was."""
        async with self._store.read() as connection:
            runs: Sequence[Any] = (await connection.execute(_CANCELLED)).all()
        for query in waiting_of(runs):
            if await self._any(query):
                return await self._leave_out(query, Reason.CANCELLED, at=at)
        return 0

    async def _leave_out(self, query: Select[tuple[UUID]], reason: Reason, *, at: datetime) -> int:
        async with self._store.transaction() as transaction:
            found: Sequence[UUID] = (await transaction.execute(query)).scalars().all()
            for envelope in await leave_out(transaction, found, reason, at=at):
                transaction.publish_sealed(envelope)
        return len(found)

    async def leave_out_stranded(self, *, at: datetime) -> int:
        """Leave out single texts whose number is no longer the organisation's; returns how many.

        Nobody would cancel them, as a campaign's. What was asked for a moment ago may be ahead of
        the settings that we know.
        """
        async with self._store.read() as connection:
            lanes: Sequence[Any] = (await connection.execute(_SINGLES)).all()
            owners = {each.organization_id for each in lanes}
            query = select(SETTINGS.table.c.event).where(SETTINGS.table.c.subject.in_(owners))
            events = (await connection.scalars(query)).all() if owners else []
        known = [OrganizationSettingsChanged.model_validate_json(each) for each in events]
        own = {each.organization_id: {n.number for n in each.settings.numbers} for each in known}
        gone = [each for each in lanes if each.from_number not in own[each.organization_id]]
        found = 0
        for query in _stranded(gone, before=at - _SETTINGS_KNOWN_AFTER):
            found += await self._leave_out(query, Reason.NO_SENDER, at=at)
        return found

    async def keep_hours(self, *, at: datetime) -> tuple[int, int]:
        """Let go what may leave now, and hold for the next fit hour what may no longer.

        Returns how much it was of each.
        """
        columns = MESSAGES.c
        due = and_(
            columns.place.is_not(None), columns.state.in_(WAITING), columns.window_until <= at
        )
        if not await self._any(select(columns.message_id).where(due)):
            return 0, 0
        query = (
            select(MESSAGES)
            .where(due)
            .order_by(columns.message_id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._store.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            moved = [self._move(transaction, row, at) for row in rows]
            if moved:
                await transaction.execute(_MOVE, moved)
            held = {
                row.run_id: row
                for row, change in zip(rows, moved, strict=True)
                if change["new_state"] is State.HELD
            }
            await SqlHolds(transaction).tell([_night(held[run]) for run in sorted(held)], at=at)
        let_go = sum(change["new_state"] is State.QUEUED for change in moved)
        return let_go, len(moved) - let_go

    def _move(self, transaction: Transaction, row: Any, at: datetime) -> dict[str, Any]:
        window = self._rules.window(self._rules.place(row.place), at)
        change = {"id": row.message_id, "until": window.until}
        if window.is_open:
            return change | {"new_state": State.QUEUED, "steps": 0}
        held = MessageHeld(
            organization_id=row.organization_id,
            occurred_at=at,
            sequence=row.sequence + 1,
            run_id=row.run_id,
            campaign_id=row.campaign_id,
            message_id=row.message_id,
            until=window.until,
            place=row.place,
        )
        transaction.publish_sealed(seal(held, because=row.queued_event))
        return change | {"new_state": State.HELD, "steps": 1}

    async def _any(self, query: Select[Any]) -> bool:
        """Look without waiting for writers; there is nothing to move most of the time."""
        async with self._store.read() as connection:
            return (await connection.execute(query.limit(1))).first() is not None


_CANCELLED = (
    select(RUNS.c.organization_id, RUNS.c.from_number, RUNS.c.run_id)
    .outerjoin(
        CAMPAIGN_CONTROLS,
        and_(
            CAMPAIGN_CONTROLS.c.campaign_id == RUNS.c.campaign_id,
            CAMPAIGN_CONTROLS.c.organization_id == RUNS.c.organization_id,
        ),
    )
    .outerjoin(
        CANCELLED_RUNS,
        and_(
            CANCELLED_RUNS.c.run_id == RUNS.c.run_id,
            CANCELLED_RUNS.c.organization_id == RUNS.c.organization_id,
        ),
    )
    .where(
        or_(CAMPAIGN_CONTROLS.c.state == Control.CANCELLED, CANCELLED_RUNS.c.run_id.is_not(None))
    )
)
_SINGLES = (
    select(RUNS.c.organization_id, RUNS.c.from_number).where(RUNS.c.urgent.is_not(None)).distinct()
)
_MOVE = (
    update(MESSAGES)
    .where(MESSAGES.c.message_id == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        window_until=bindparam("until"),
        sequence=MESSAGES.c.sequence + bindparam("steps"),
    )
)


def waiting_of(runs: Sequence[Any]) -> Iterator[Select[tuple[UUID]]]:
    """Ask for what waits of some runs.

    Each lane is a part of its own, as the index has it: of lanes that are joined by an OR, SQLite
    reads all that their organisation ever sent.
    """
    lanes: dict[tuple[UUID, str], list[UUID]] = {}
    for row in runs:
        lanes.setdefault((row.organization_id, row.from_number), []).append(row.run_id)
    parts = [
        select(MESSAGES.c.message_id)
        .where(
            MESSAGES.c.organization_id == organization,
            MESSAGES.c.from_number == number,
            MESSAGES.c.run_id.in_(ids),
            MESSAGES.c.state.in_(WAITING),
        )
        .limit(AT_ONCE)
        for (organization, number), ids in lanes.items()
    ]
    for start in range(0, len(parts), _LANES_AT_ONCE):
        some = union_all(
            *(select(part.subquery()) for part in parts[start : start + _LANES_AT_ONCE])
        )
        yield select(some.subquery().c.message_id).limit(AT_ONCE)


def _stranded(lanes: Sequence[Any], *, before: datetime) -> Iterator[Select[tuple[UUID]]]:
    """Ask for single texts that wait in some lanes since before then, as their ids tell."""
    for lane in lanes:
        yield (
            select(MESSAGES.c.message_id)
            .where(
                MESSAGES.c.organization_id == lane.organization_id,
                MESSAGES.c.from_number == lane.from_number,
                MESSAGES.c.state.in_(WAITING),
                MESSAGES.c.urgent.is_not(None),
                MESSAGES.c.queued_event < first_event_id(before),
            )
            .limit(AT_ONCE)
        )


def _night(row: Any) -> Hold:
    return Hold(
        row.organization_id, row.from_number, row.run_id, row.campaign_id, HeldBy.QUIET_HOURS
    )
