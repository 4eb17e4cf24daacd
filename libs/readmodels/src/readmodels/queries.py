"""Questions to the read models; each is about one organisation and sees nothing of another."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.campaign import CampaignStatus
from readmodels.tables import CAMPAIGNS, DAYS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import (
    Dashboard,
    MessageView,
    RowStatus,
    RunProgress,
    RunView,
    StatusCount,
    Used,
)

PAGE = 100


async def run(connection: AsyncConnection, organization_id: UUID, run_id: UUID) -> RunView | None:
    """Return one run, or None when the organisation has no such run."""
    query = select(RUNS).where(RUNS.c.organization_id == organization_id, RUNS.c.run_id == run_id)
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else RunView.model_validate(found)


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
    return [RunView.model_validate(each) for each in found]


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
