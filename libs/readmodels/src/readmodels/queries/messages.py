"""Questions about the rows of runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from readmodels.queries.runs import run
from readmodels.tables import ACTIVITIES, MESSAGE_HOLDS, MESSAGES
from readmodels.tables.messages import AMISS
from readmodels.views import MessageView, RowStatus, RunLedger, UnknownView

PAGE = 100
_FEW = frozenset(
    {
        RowStatus.HELD,
        RowStatus.UNDELIVERED,
        RowStatus.FAILED,
        RowStatus.ERROR,
        RowStatus.UNKNOWN,
        RowStatus.EXCLUDED,
    }
)
TEXT_EFFECTS = ("TEXTMSG", "LOG")
"""The effects that keep a text itself in iMIS; a message has one of them at most."""


async def messages(
    connection: AsyncConnection,
    organization_id: UUID,
    run_id: UUID,
    *,
    status: RowStatus | None = None,
    after_row: int | None = None,
    limit: int = PAGE,
) -> list[MessageView]:
    """Return a run's rows behind `after_row`, by row number, which is the next page's cursor.

    A row never changes its number, so paging misses none and repeats none while statuses change.
    """
    query = _messages(organization_id).where(MESSAGES.c.run_id == run_id)
    if status is not None:
        query = query.where(MESSAGES.c.status == status)
    if status in _FEW:
        query = query.where(AMISS)
    if after_row is not None:
        query = query.where(MESSAGES.c.row > after_row)
    found = await connection.execute(query.order_by(MESSAGES.c.row).limit(limit))
    return await _shown(connection, found.mappings().all())


async def message(
    connection: AsyncConnection, organization_id: UUID, message_id: UUID
) -> MessageView | None:
    """Return one row by its message, or None when the organisation has no such message."""
    query = _messages(organization_id).where(MESSAGES.c.message_id == message_id)
    found = (await connection.execute(query)).mappings().all()
    return next(iter(await _shown(connection, found)), None)


async def unknown_messages(
    connection: AsyncConnection, organization_id: UUID | None = None, *, limit: int = 1000
) -> list[UnknownView]:
    """Return the messages of which nobody can tell whether they were sent, the oldest first.

    Without an organisation, those of all: for operators, never for staff.
    """
    columns = MESSAGES.c
    query = (
        select(MESSAGES, columns.doubt.label("why"))
        .where(columns.status == literal_column(f"'{RowStatus.UNKNOWN.value}'"))
        .where(columns.row.is_not(None))
        .order_by(columns.status_at, columns.message_id)
        .limit(limit)
    )
    if organization_id is not None:
        query = query.where(columns.organization_id == organization_id)
    found = (await connection.execute(query)).mappings().all()
    return [UnknownView.model_validate({**row, "reason": row["why"]}) for row in found]


async def ledger_of(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> RunLedger | None:
    """Account for each row of a run (X-2); None when the organisation has no such run."""
    known = await run(connection, organization_id, run_id)
    if known is None:
        return None
    columns = MESSAGES.c
    query = (
        select(columns.status, columns.left_out, columns.reason, func.count().label("rows"))
        .where(
            columns.organization_id == organization_id,
            columns.run_id == run_id,
            columns.row.is_not(None),
            columns.status.is_not(None),
        )
        .group_by(columns.status, columns.left_out, columns.reason)
        .order_by(columns.status, columns.reason)
    )
    by_status: Counter[RowStatus] = Counter()
    by_reason: Counter[str] = Counter()
    texts = 0
    for found in await connection.execute(query):
        by_status[RowStatus(found.status)] += found.rows
        if found.left_out is None:
            texts += found.rows
        else:
            by_reason[found.reason] += found.rows
    return RunLedger(
        run_id=run_id,
        rows=known.rows,
        messages=texts,
        by_status=dict(by_status),
        by_reason=dict(by_reason),
    )


def _messages(organization_id: UUID) -> Select[tuple[object, ...]]:
    """Select the rows that are complete enough to be shown: a number and a status."""
    return select(MESSAGES).where(
        MESSAGES.c.organization_id == organization_id,
        MESSAGES.c.row.is_not(None),
        MESSAGES.c.status.is_not(None),
    )


async def _shown(connection: AsyncConnection, found: Sequence[RowMapping]) -> list[MessageView]:
    """Add what other tables say of these rows."""
    kept = await _kept(connection, [row["message_id"] for row in found])
    held = [row["message_id"] for row in found if row["status"] == RowStatus.HELD]
    holds = await _holds(connection, held)
    shown: list[MessageView] = []
    for row in found:
        activity, hold = kept.get(row["message_id"]), holds.get(row["message_id"])
        added = {
            "reason": row["doubt"] if row["status"] == RowStatus.UNKNOWN else row["reason"],
            "activity_state": None if activity is None else activity["state"],
            "activity_seqn": None if activity is None else activity["seqn"],
            "held_until": None if hold is None else hold["until"],
            "held_place": None if hold is None else hold["place"],
        }
        shown.append(MessageView.model_validate({**row, **added}))
    return shown


async def _kept(connection: AsyncConnection, wanted: Sequence[UUID]) -> Mapping[UUID, RowMapping]:
    """Return what iMIS keeps of these texts."""
    if not wanted:
        return {}
    columns = ACTIVITIES.c
    query = select(columns.message_id, columns.state, columns.seqn).where(
        columns.message_id.in_(wanted), columns.kind.in_(TEXT_EFFECTS)
    )
    return {row["message_id"]: row for row in (await connection.execute(query)).mappings()}


async def _holds(connection: AsyncConnection, wanted: Sequence[UUID]) -> Mapping[UUID, RowMapping]:
    """Return until when these texts are held."""
    if not wanted:
        return {}
    query = select(MESSAGE_HOLDS).where(MESSAGE_HOLDS.c.message_id.in_(wanted))
    return {row["message_id"]: row for row in (await connection.execute(query)).mappings()}
