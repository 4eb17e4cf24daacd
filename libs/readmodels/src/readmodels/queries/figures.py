"""Questions about an organisation in figures."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.campaign import Mode
from readmodels.queries.runs import kind_of
from readmodels.tables import CAMPAIGNS, CHARGES, GAPS, MARKERS, RUN_COUNTS, RUNS
from readmodels.tables.figures import WAITING
from readmodels.views import (
    ChargeBucket,
    ChargeOutcome,
    QueuedView,
    RunState,
    UsageView,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)
NOT_DELIVERABLE = (ChargeOutcome.FAILED, ChargeOutcome.REFUSED, ChargeOutcome.OPTED_OUT)
"""What the dashboard counts as failed: Twilio refused the text, at once or later."""
OF_THE_LIMIT = (ChargeOutcome.CHARGED, ChargeOutcome.FAILED, ChargeOutcome.UNKNOWN)
"""What the day's limit counts: what Twilio took, or may have taken, whatever came of it."""


async def charges(
    connection: AsyncConnection, organization_id: UUID, start: datetime, end: datetime
) -> list[ChargeBucket]:
    """Return what the attempts from `start` until before `end` came to, the earliest first.

    Both are whole quarters of an hour, as the beginnings of days are in any time zone.
    """
    columns = CHARGES.c
    query = (
        select(CHARGES)
        .where(
            columns.organization_id == organization_id,
            columns.quarter >= _quarter(start),
            columns.quarter < _quarter(end),
            columns.messages > 0,
        )
        .order_by(columns.quarter, columns.campaign_id, columns.outcome)
    )
    return [
        ChargeBucket(
            start=_EPOCH + row.quarter * _QUARTER,
            campaign_id=row.campaign_id,
            purpose=kind_of(organization_id, row.campaign_id),
            outcome=ChargeOutcome(row.outcome),
            messages=row.messages,
            segments=row.segments,
        )
        for row in await connection.execute(query)
    ]


async def usage(
    connection: AsyncConnection,
    organization_id: UUID,
    *,
    day_start: datetime,
    day_end: datetime,
    month_start: datetime,
    at: datetime,
) -> UsageView:
    """Return what the organisation has sent as of `at`, on the day and in the month given."""
    columns = CHARGES.c
    on_the_day = and_(columns.quarter >= _quarter(day_start), columns.quarter < _quarter(day_end))
    in_the_month = and_(columns.quarter >= _quarter(month_start), columns.quarter <= _quarter(at))
    charged = columns.outcome == ChargeOutcome.CHARGED
    query = select(
        _sum(columns.messages, charged, on_the_day),
        _sum(columns.segments, columns.outcome.in_(OF_THE_LIMIT), on_the_day),
        _sum(columns.messages, charged, in_the_month),
        _sum(columns.segments, charged, in_the_month),
        _sum(columns.messages, charged),
        _sum(columns.messages, columns.outcome.in_(NOT_DELIVERABLE)),
    ).where(columns.organization_id == organization_id)
    sums = [int(each or 0) for each in (await connection.execute(query)).one()]
    return UsageView(
        texts_today=sums[0],
        segments_today=sums[1],
        texts_this_month=sums[2],
        segments_this_month=sums[3],
        texts_lifetime=sums[4],
        failed_lifetime=sums[5],
    )


async def queued(
    connection: AsyncConnection, organization_id: UUID, from_number: str
) -> QueuedView:
    """Return what waits or is held now to leave from one of the organisation's numbers."""
    counts, runs = RUN_COUNTS.c, RUNS.c
    query = (
        select(func.sum(counts.messages), func.sum(counts.segments))
        .join_from(RUN_COUNTS, RUNS, runs.run_id == counts.run_id)
        .where(
            counts.organization_id == organization_id,
            WAITING,
            runs.organization_id == organization_id,
            runs.from_number == from_number,
            runs.mode == Mode.LIVE,
            runs.state != RunState.FAILED,
        )
    )
    messages, segments = (await connection.execute(query)).one()
    return QueuedView(messages=int(messages or 0), segments=int(segments or 0))


async def campaign_names(
    connection: AsyncConnection, organization_id: UUID, campaigns: Collection[UUID]
) -> dict[UUID, str]:
    """Return the names of those of these campaigns that the organisation has or had."""
    if not campaigns:
        return {}
    query = select(CAMPAIGNS.c.campaign_id, CAMPAIGNS.c.name).where(
        CAMPAIGNS.c.organization_id == organization_id,
        CAMPAIGNS.c.campaign_id.in_(list(campaigns)),
    )
    return {row.campaign_id: row.name for row in await connection.execute(query)}


async def change_marker(connection: AsyncConnection, organization_id: UUID) -> int:
    """Return a number that rises with whatever changes of the organisation's in the read models.

    It may rise without a change that shows; it never stays where something changed.
    """
    query = select(MARKERS.c.changes).where(MARKERS.c.organization_id == organization_id)
    return int(await connection.scalar(query) or 0)


async def incomplete(connection: AsyncConnection) -> int:
    """Count the records of the log that could not be projected; 0 when the figures are whole."""
    return int(await connection.scalar(select(func.count()).select_from(GAPS)) or 0)


def _sum(figure: ColumnElement[int], *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((and_(*conditions), figure), else_=0))


def _quarter(moment: datetime) -> int:
    return (moment - _EPOCH) // _QUARTER
