"""Questions about members: who may not be texted, and what iMIS keeps of a text."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.consent import Consent, ReviewStatus
from readmodels.tables import ACTIVITIES, ACTIVITIES_HELD, CONSENTS, MESSAGES, REVIEWS
from readmodels.views import ActivityState, ActivityView, HeldActivities, OptOutView, ReviewView

PAGE = 100
# Word for word as in the index, so that it serves the query.
_OPTED_OUT = CONSENTS.c.consent == literal_column(f"'{Consent.OPTED_OUT.value}'")
_AMISS = ACTIVITIES.c.state != literal_column(f"'{ActivityState.WRITTEN.value}'")


async def opt_outs(
    connection: AsyncConnection,
    organization_id: UUID,
    *,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[OptOutView]:
    """Return pairs of numbers that have opted out, by id, which is the next page's cursor."""
    query = select(CONSENTS).where(CONSENTS.c.organization_id == organization_id, _OPTED_OUT)
    if after is not None:
        query = query.where(CONSENTS.c.consent_id > after)
    found = await connection.execute(query.order_by(CONSENTS.c.consent_id).limit(limit))
    return [OptOutView.model_validate(dict(row)) for row in found.mappings()]


async def opt_out(
    connection: AsyncConnection, organization_id: UUID, number: str, from_number: str = ""
) -> OptOutView | None:
    """Return the opt-out of exactly this pair of numbers, if there is one."""
    query = select(CONSENTS).where(
        CONSENTS.c.organization_id == organization_id,
        CONSENTS.c.number == number,
        CONSENTS.c.from_number == from_number,
        CONSENTS.c.consent == Consent.OPTED_OUT,
    )
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else OptOutView.model_validate(dict(found))


async def reviews(
    connection: AsyncConnection,
    organization_id: UUID,
    *,
    status: ReviewStatus | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[ReviewView]:
    """Return members' texts that a person has to read, or has read, the latest first.

    `after` is the last one of the page before.
    """
    columns = REVIEWS.c
    query = select(REVIEWS).where(columns.organization_id == organization_id)
    if status is not None:
        query = query.where(columns.status == status)
    if after is not None:
        last = (
            select(columns.received_at)
            .where(columns.organization_id == organization_id, columns.review_id == after)
            .scalar_subquery()
        )
        query = query.where(
            or_(
                columns.received_at < last,
                and_(columns.received_at == last, columns.review_id < after),
            )
        )
    query = query.order_by(columns.received_at.desc(), columns.review_id.desc()).limit(limit)
    found = await connection.execute(query)
    return [ReviewView.model_validate(dict(row)) for row in found.mappings()]


async def review(
    connection: AsyncConnection, organization_id: UUID, review_id: UUID
) -> ReviewView | None:
    """Return one such text, or None when the organisation has none of this id."""
    query = select(REVIEWS).where(
        REVIEWS.c.organization_id == organization_id, REVIEWS.c.review_id == review_id
    )
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else ReviewView.model_validate(dict(found))


async def activities(
    connection: AsyncConnection,
    organization_id: UUID,
    run_id: UUID,
    *,
    state: ActivityState | None = None,
    after_row: int | None = None,
    limit: int = PAGE,
) -> list[ActivityView]:
    """Return the effects in iMIS of up to `limit` of a run's rows behind `after_row`.

    By row number, which is the next page's cursor: a row's effects are never torn apart, so there
    may be more of them than rows.
    """
    effects, rows = ACTIVITIES.c, MESSAGES.c
    these = [effects.run_id == run_id, effects.organization_id == organization_id]
    if state is not None:
        these.append(effects.state == state)
    if state in {None, ActivityState.WRITTEN}:
        # Most rows have one: go through the rows, and look for each one's.
        own = effects.message_id == rows.message_id
        has_one: ColumnElement[bool] = select(literal_column("1")).where(own, *these).exists()
    else:
        # Few rows have one: an index of what went amiss finds them.
        these.append(_AMISS)
        has_one = rows.message_id.in_(select(effects.message_id).where(*these))
    page = (
        select(rows.message_id, rows.row)
        .where(
            rows.run_id == run_id,
            rows.organization_id == organization_id,
            rows.row > (-1 if after_row is None else after_row),
            has_one,
        )
        .order_by(rows.row)
        .limit(limit)
        .subquery()
    )
    query = (
        select(page.c.row, ACTIVITIES)
        .join_from(page, ACTIVITIES, effects.message_id == page.c.message_id)
        .where(*these)
        .order_by(page.c.row, effects.kind)
    )
    found = await connection.execute(query)
    return [ActivityView.model_validate(dict(row)) for row in found.mappings()]


async def activities_held(
    connection: AsyncConnection, organization_id: UUID
) -> HeldActivities | None:
    """Return since when iMIS takes nothing from us, and with which settings.

    None when that never was; newer settings than those let the writing go on.
    """
    query = select(ACTIVITIES_HELD).where(ACTIVITIES_HELD.c.organization_id == organization_id)
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else HeldActivities.model_validate(dict(found))
