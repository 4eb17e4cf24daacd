"""Claims: which messages leave next, and what became of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, bindparam, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store import Store
from contracts.events.message import Accepted, Refused, Unresolved
from sender.adapters.intake import submitted
from sender.adapters.tables import MESSAGES, RUNS
from sender.domain.fairness import fit, take_turns
from sender.domain.messages import Claim, Lane, State
from sender.ports import Picked, Result

_OTHER = MESSAGES.alias("other")


class SqlClaims:
    """The part of the ledger that dispatch uses; each call is one transaction."""

    def __init__(self, store: Store, *, instance: str, process: UUID, grace_seconds: float) -> None:
        self._store = store
        self._instance = instance
        self._process = process
        self._grace_seconds = grace_seconds

    async def lanes(self) -> list[Lane]:
        """Return the lanes that may have something to send."""
        query = select(RUNS.c.organization_id, RUNS.c.from_number).distinct()
        async with self._store.read() as connection:
            return [Lane(*row) for row in (await connection.execute(query)).all()]

    async def claim(
        self, lane: Lane, *, at: datetime, until: datetime, budget: int, limit: int
    ) -> Picked:
        """Claim the next messages that the budget pays for whole."""
        async with self._store.transaction() as transaction:
            rows = await _next(transaction.connection, lane, at=at, limit=limit)
            paid = fit([row.segments for row in rows], budget)
            next_cost = rows[paid].segments if paid < len(rows) else None
            rows = rows[:paid]
            if not rows:
                return Picked([], next_cost)
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
            await transaction.execute(
                update(MESSAGES)
                .where(MESSAGES.c.message_id == bindparam("id"))
                .values(
                    state=State.CLAIMED,
                    open_claim=1,
                    claim_id=bindparam("new_claim"),
                    claimed_at=at,
                    lease_until=until,
                    instance=self._instance,
                    process=self._process,
                    not_before=None,
                    looks=0,
                ),
                [{"id": each.message_id, "new_claim": each.claim_id} for each in claims],
            )
        return Picked(claims, next_cost)

    async def settle(self, results: Sequence[Result], *, at: datetime) -> None:
        """Record what became of claims that nobody has claimed anew.

        An answer may come so late that the message was held to be absent and waits again.
        """
        by_claim = {result.claim.claim_id: result for result in results}
        mine = (
            select(MESSAGES)
            .where(
                MESSAGES.c.message_id.in_([result.claim.message_id for result in results]),
                MESSAGES.c.state.in_((State.QUEUED, State.CLAIMED, State.IN_DOUBT)),
            )
            .with_for_update()
        )
        changes = []
        async with self._store.transaction() as transaction:
            for row in (await transaction.execute(mine)).all():
                result = by_claim.get(row.claim_id)
                if result is None or (row.state == State.QUEUED and result.outcome is None):
                    continue
                changes.append(_change(result))
                if result.outcome is not None:
                    event = submitted(row, result.outcome, attempted_at=row.claimed_at)
                    transaction.publish(event, because=row.queued_event)
            if changes:
                await transaction.execute(_SETTLE, self._with_doubts(changes, at))

    def _with_doubts(
        self, changes: list[dict[str, object]], at: datetime
    ) -> list[dict[str, object]]:
        look = at.timestamp() + self._grace_seconds
        look_at = datetime.fromtimestamp(look, at.tzinfo)
        for change in changes:
            change["new_look_at"] = look_at if change["new_state"] is State.IN_DOUBT else None
        return changes


_SETTLE = (
    update(MESSAGES)
    .where(MESSAGES.c.message_id == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        sid=bindparam("new_sid"),
        open_claim=bindparam("new_open"),
        not_before=bindparam("new_not_before"),
        look_at=bindparam("new_look_at"),
        sequence=MESSAGES.c.sequence + bindparam("steps"),
    )
)


def _change(result: Result) -> dict[str, object]:
    state, sid = _state_of(result)
    return {
        "id": result.claim.message_id,
        "new_state": state,
        "new_sid": sid,
        "new_open": 1 if state is State.IN_DOUBT else None,
        "new_not_before": result.again_at,
        "steps": 0 if result.outcome is None else 1,
    }


def _state_of(result: Result) -> tuple[State, str | None]:
    match result.outcome:
        case Accepted(sid=sid):
            return State.ACCEPTED, sid
        case Refused():
            return State.REFUSED, None
        case Unresolved():
            return State.UNKNOWN, None
        case None:
            # Certainly not sent: it waits again. Otherwise nobody knows.
            return (State.IN_DOUBT if result.again_at is None else State.QUEUED), None


async def _next(connection: AsyncConnection, lane: Lane, *, at: datetime, limit: int) -> list[Any]:
    """Return the next messages of a lane: its runs take turns, a number is texted one at a time."""
    runs = (
        await connection.scalars(
            select(RUNS.c.run_id).where(
                RUNS.c.organization_id == lane.organization_id,
                RUNS.c.from_number == lane.from_number,
            )
        )
    ).all()
    if not runs:
        return []
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
            MESSAGES.c.run_id,
            MESSAGES.c.row,
            MESSAGES.c.to_number,
            MESSAGES.c.text,
            MESSAGES.c.segments,
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
