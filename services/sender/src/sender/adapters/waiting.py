"""Which messages of a lane wait and may leave, in the order in which they should."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, case, cast, null, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from sender.adapters.consents import opted_out
from sender.adapters.tables import CANCELLED_RUNS, MESSAGES
from sender.domain.fairness import Turns, take_turns
from sender.domain.messages import Lane, State

_OTHER = MESSAGES.alias("other")
_NO_ID = cast(null(), Uuid)
_PARTS_AT_ONCE = 100
"""How many runs one statement asks about; SQLite takes 500 at most."""


async def next_messages(
    connection: AsyncConnection,
    lane: Lane,
    turns: Turns[UUID],
    runs: Sequence[UUID],
    *,
    at: datetime,
    limit: int,
    urgent: int,
) -> list[Any]:
    """Return the next messages of a lane: first urgent ones, then its runs take turns.

    A number is texted one at a time. Of urgent ones, the campaign is told with each.
    """
    parts = [_urgent(lane, at=at, limit=urgent)] if urgent else []
    if limit:
        parts += [_of_run(lane, run, at=at, limit=limit) for run in turns.order(runs)]
    queues: dict[UUID, list[Any]] = {run: [] for run in (turns.order(runs) if limit else ())}
    first: list[Any] = []
    taken: set[str] = set()
    for start in range(0, len(parts), _PARTS_AT_ONCE):
        some = [part.subquery() for part in parts[start : start + _PARTS_AT_ONCE]]
        found = (await connection.execute(union_all(*(select(part) for part in some)))).all()
        # Urgent ones by their age, which their events' ids tell; those of a run by their rows.
        found_urgent = [row for row in found if row.urgent is not None]
        for row in sorted(found_urgent, key=lambda row: row.queued_event):
            if row.to_number not in taken:
                taken.add(row.to_number)
                first.append(row)
        for row in sorted(found, key=lambda row: row.row):
            if row.to_number not in taken:
                taken.add(row.to_number)
                queues[row.run_id].append(row)
    return [*first, *take_turns(queues.values())[:limit]]


def _urgent(lane: Lane, *, at: datetime, limit: int) -> Select[Any]:
    cancelled = (
        select(CANCELLED_RUNS.c.run_id)
        .where(
            CANCELLED_RUNS.c.run_id == MESSAGES.c.run_id,
            CANCELLED_RUNS.c.organization_id == MESSAGES.c.organization_id,
        )
        .exists()
    )
    return (
        _ready(lane, at, MESSAGES.c.campaign_id, MESSAGES.c.queued_event)
        .where(MESSAGES.c.urgent.is_not(None), ~cancelled)
        .order_by(MESSAGES.c.queued_event)
        .limit(limit)
    )


def _of_run(lane: Lane, run: UUID, *, at: datetime, limit: int) -> Select[Any]:
    return (
        # What is the same for all of a run isn't read with each of its messages.
        _ready(lane, at, _NO_ID.label("campaign_id"), _NO_ID.label("queued_event"))
        .where(MESSAGES.c.run_id == run, MESSAGES.c.urgent.is_(None))
        .order_by(MESSAGES.c.row)
        .limit(limit)
    )


def _ready(lane: Lane, at: datetime, *ids: ColumnElement[UUID]) -> Select[Any]:
    under_way = (
        select(_OTHER.c.message_id)
        .where(
            _OTHER.c.from_number == MESSAGES.c.from_number,
            _OTHER.c.to_number == MESSAGES.c.to_number,
            _OTHER.c.open_claim == 1,
        )
        .exists()
    )
    columns = MESSAGES.c
    return (
        select(
            columns.message_id,
            columns.organization_id,
            columns.run_id,
            columns.row,
            columns.from_number,
            columns.to_number,
            columns.text,
            columns.segments,
            columns.state,
            columns.reason,
            columns.urgent,
            _opted_out(lane).label("opted_out"),
            *ids,
        )
        .where(
            columns.organization_id == lane.organization_id,
            columns.from_number == lane.from_number,
            columns.state == State.QUEUED,
            or_(columns.not_before.is_(None), columns.not_before <= at),
            or_(columns.window_until.is_(None), columns.window_until > at),
            ~under_way,
        )
        .with_for_update(skip_locked=True, of=MESSAGES)
    )


def _opted_out(lane: Lane) -> ColumnElement[bool]:
    out = opted_out(lane.organization_id, lane.from_number, MESSAGES.c.to_number)
    return case((and_(MESSAGES.c.confirms_opt_out.is_(None), out), True), else_=False)
