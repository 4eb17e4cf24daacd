"""Which messages of a lane wait and may leave, in the order in which they should."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.instants import Instant
from sender.adapters.consents import opted_out
from sender.adapters.tables import CANCELLED_RUNS, MESSAGES
from sender.domain.fairness import Turns, take_turns
from sender.domain.messages import Lane, State

_OTHER = MESSAGES.alias("other")
_TENANT: Final = bindparam("tenant", type_=Uuid())
_NUMBER: Final = bindparam("number", type_=String(20))
_AT: Final = bindparam("at", type_=Instant())
_LIMIT: Final = bindparam("most", type_=Integer())
_URGENT_LIMIT: Final = bindparam("most_urgent", type_=Integer())
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
    given = {
        "tenant": lane.organization_id,
        "number": lane.from_number,
        "at": at,
        "most": limit,
        "most_urgent": urgent,
    }
    ordered = turns.order(runs) if limit else []
    queues: dict[UUID, list[Any]] = {run: [] for run in ordered}
    first: list[Any] = []
    taken: set[str] = set()
    for start in range(0, max(len(ordered), 1), _PARTS_AT_ONCE):
        some = ordered[start : start + _PARTS_AT_ONCE]
        parameters = given | {f"run_{n}": run for n, run in enumerate(some)}
        statement = _statement(len(some), urgent=start == 0)
        found = (await connection.execute(statement, parameters)).all()
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


@lru_cache(maxsize=2 * _PARTS_AT_ONCE + 1)
def _statement(runs: int, *, urgent: bool) -> Any:
    """Return the question about so many runs; making it anew each time would cost the most."""
    parts = [_urgent()] if urgent else []
    parts += [_of_run(bindparam(f"run_{n}", type_=Uuid())) for n in range(runs)]
    return union_all(*(select(part.subquery()) for part in parts))


def _urgent() -> Select[Any]:
    cancelled = (
        select(CANCELLED_RUNS.c.run_id)
        .where(
            CANCELLED_RUNS.c.run_id == MESSAGES.c.run_id,
            CANCELLED_RUNS.c.organization_id == MESSAGES.c.organization_id,
        )
        .exists()
    )
    return (
        _ready(MESSAGES.c.campaign_id, MESSAGES.c.queued_event)
        .where(MESSAGES.c.urgent.is_not(None), ~cancelled)
        .order_by(MESSAGES.c.queued_event)
        .limit(_URGENT_LIMIT)
    )


def _of_run(run: ColumnElement[UUID]) -> Select[Any]:
    return (
        # What is the same for all of a run isn't read with each of its messages.
        _ready(_NO_ID.label("campaign_id"), _NO_ID.label("queued_event"))
        .where(MESSAGES.c.run_id == run, MESSAGES.c.urgent.is_(None))
        .order_by(MESSAGES.c.row)
        .limit(_LIMIT)
    )


def _ready(*ids: ColumnElement[UUID]) -> Select[Any]:
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
            _opted_out().label("opted_out"),
            *ids,
        )
        .where(
            columns.organization_id == _TENANT,
            columns.from_number == _NUMBER,
            columns.state == State.QUEUED,
            or_(columns.not_before.is_(None), columns.not_before <= _AT),
            or_(columns.window_until.is_(None), columns.window_until > _AT),
            ~under_way,
        )
        .with_for_update(skip_locked=True, of=MESSAGES)
    )


def _opted_out() -> ColumnElement[bool]:
    out = opted_out(_TENANT, _NUMBER, MESSAGES.c.to_number)
    return case((and_(MESSAGES.c.confirms_opt_out.is_(None), out), True), else_=False)
