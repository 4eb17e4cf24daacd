"""Questions to the read models; each is about one organisation and sees nothing of another."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, Select, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.campaign import CampaignStatus
from readmodels.tables import CAMPAIGNS, DAYS, GAPS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import (
    Dashboard,
    MessageView,
    RowStatus,
    RunLedger,
    RunProgress,
    RunState,
    RunView,
    StatusCount,
    UnknownView,
    Used,
)

PAGE = 100
STALLED = "stalled"


async def run(connection: AsyncConnection, organization_id: UUID, run_id: UUID) -> RunView | None:
    """Return one run, or None when the organisation has no such run."""
    query = select(RUNS).where(RUNS.c.organization_id == organization_id, RUNS.c.run_id == run_id)
    found = (await connection.execute(query)).mappings().all()
    return next(iter(await _with_later_runs(connection, organization_id, found)), None)


async def runs_of(
    connection: AsyncConnection, organization_id: UUID, campaign_id: UUID
) -> list[RunView]:
    """Return a campaign's runs, the latest first."""
    query = (
        select(RUNS)
        .where(RUNS.c.organization_id == organization_id, RUNS.c.campaign_id == campaign_id)
        .order_by(func.coalesce(RUNS.c.due_at, RUNS.c.started_at).desc(), RUNS.c.run_id)
    )
    found = (await connection.execute(query)).mappings().all()
    return await _with_later_runs(connection, organization_id, found)


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
    if after_row is not None:
        query = query.where(MESSAGES.c.row > after_row)
    found = await connection.execute(query.order_by(MESSAGES.c.row).limit(limit))
    return _shown(found.mappings().all())


async def message(
    connection: AsyncConnection, organization_id: UUID, message_id: UUID
) -> MessageView | None:
    """Return one row by its message, or None when the organisation has no such message."""
    query = _messages(organization_id).where(MESSAGES.c.message_id == message_id)
    return next(iter(_shown((await connection.execute(query)).mappings().all())), None)


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
    )
    by_status: Counter[RowStatus] = Counter()
    by_reason: Counter[str] = Counter()
    messages = 0
    for found in await connection.execute(query):
        by_status[RowStatus(found.status)] += found.rows
        if found.left_out is None:
            messages += found.rows
        else:
            by_reason[found.reason] += found.rows
    return RunLedger(
        run_id=run_id,
        rows=known.rows,
        messages=messages,
        by_status=dict(by_status),
        by_reason=dict(by_reason),
    )


async def incomplete(connection: AsyncConnection) -> int:
    """Count the records of the log that could not be projected; 0 when the figures are whole."""
    return int(await connection.scalar(select(func.count()).select_from(GAPS)) or 0)


async def run_progress(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> RunProgress | None:
    """Return how far a run is, or None when the organisation has no such run."""
    known = await run(connection, organization_id, run_id)
    if known is None:
        return None
    columns = RUN_COUNTS.c
    query = select(columns.status, columns.messages, columns.segments).where(
        columns.organization_id == organization_id, columns.run_id == run_id, columns.messages > 0
    )
    by_status = {
        RowStatus(row.status): StatusCount(messages=row.messages, segments=row.segments)
        for row in await connection.execute(query)
    }
    settled = [each for key, each in by_status.items() if key is not RowStatus.PREPARING]
    return RunProgress(
        run_id=run_id,
        state=known.state,
        by_status=by_status,
        recipients=known.recipients,
        total=sum(each.messages for each in by_status.values()),
        settled=sum(each.messages for each in settled),
        segments=sum(each.segments for each in by_status.values()),
        settled_segments=sum(each.segments for each in settled),
    )


async def dashboard(connection: AsyncConnection, organization_id: UUID, today: date) -> Dashboard:
    """Return the organisation's figures as of the UTC day `today`."""
    columns = DAYS.c
    first = today.replace(day=1)
    on_the_day = columns.day == today
    in_the_month = columns.day.between(first, today)
    texts, segments = columns.sent_messages, columns.sent_segments
    query = select(
        func.sum(case((on_the_day, texts), else_=0)),
        func.sum(case((on_the_day, segments), else_=0)),
        func.sum(case((in_the_month, texts), else_=0)),
        func.sum(case((in_the_month, segments), else_=0)),
        func.sum(texts),
        func.sum(columns.failed_messages),
        func.sum(columns.unknown_messages),
        func.sum(columns.simulated_messages),
    ).where(columns.organization_id == organization_id)
    sums = [int(each or 0) for each in (await connection.execute(query)).one()]
    return Dashboard(
        today=Used(texts=sums[0], segments=sums[1]),
        this_month=Used(texts=sums[2], segments=sums[3]),
        lifetime_sent=sums[4],
        lifetime_failed=sums[5],
        unknown=sums[6],
        simulated=sums[7],
        campaigns=await _campaigns(connection, organization_id),
    )


async def _campaigns(
    connection: AsyncConnection, organization_id: UUID
) -> dict[CampaignStatus, int]:
    columns = CAMPAIGNS.c
    query = (
        select(columns.status, func.count().label("campaigns"))
        .where(
            columns.organization_id == organization_id,
            columns.status != CampaignStatus.DELETED,
        )
        .group_by(columns.status)
    )
    return {CampaignStatus(row.status): row.campaigns for row in await connection.execute(query)}


async def _with_later_runs(
    connection: AsyncConnection, organization_id: UUID, found: Sequence[RowMapping]
) -> list[RunView]:
    """Name the runs that stand in for what these missed."""
    later: dict[UUID, list[UUID]] = {each["run_id"]: [] for each in found}
    columns = RUNS.c
    query = (
        select(columns.earlier_run_id, columns.run_id)
        .where(columns.organization_id == organization_id, columns.earlier_run_id.in_(list(later)))
        .order_by(columns.run_id)
    )
    for row in (await connection.execute(query)).all() if later else ():
        later[row.earlier_run_id].append(row.run_id)
    return [
        RunView.model_validate(
            {**each, "later_run_ids": later[each["run_id"]], "alarm": _alarm_of(each)}
        )
        for each in found
    ]


def _alarm_of(run: RowMapping) -> str | None:
    """Return why someone has to look at a run; one that is over is not stalled any more."""
    over = run["state"] in {RunState.COMPLETED, RunState.FAILED}
    if run["alarm"] is None or (
        run["alarm"] == STALLED and over and run["state_sequence"] > run["alarm_sequence"]
    ):
        return None
    return f"{run['alarm']}: {run['alarm_detail']}"


def _messages(organization_id: UUID) -> Select[tuple[object, ...]]:
    """Select the rows that are complete enough to be shown: a number and a status."""
    return select(MESSAGES).where(
        MESSAGES.c.organization_id == organization_id,
        MESSAGES.c.row.is_not(None),
        MESSAGES.c.status.is_not(None),
    )


def _shown(found: Sequence[RowMapping]) -> list[MessageView]:
    return [
        MessageView.model_validate(
            {**row, "reason": row["doubt"] if row["status"] == RowStatus.UNKNOWN else row["reason"]}
        )
        for row in found
    ]
