"""`/v1/dashboard` and `/v1/usage`: the organisation's figures (TM-3, TM-22)."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from chassis.cells import csv_head, csv_lines
from gateway.domain.days import quarter_of
from gateway.domain.usage import By
from gateway.handlers import figures as handlers
from gateway.handlers.figures import Home
from gateway.handlers.organizations import newest_settings
from gateway.routes.csv_answers import CSV, csv_answer
from gateway.routes.deps import Staff, The
from gateway.routes.figure_shapes import DashboardView, UsageView
from gateway.routes.streams import described, stream

router = APIRouter()
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 30)
From = Annotated[
    date | None,
    Query(alias="from", ge=_FIRST, le=_LAST, description="By default, the month's first day."),
]
To = Annotated[date | None, Query(ge=_FIRST, le=_LAST, description="By default, today.")]
Lines = Annotated[By, Query(alias="by", description="What a line is about.")]


@router.get("/v1/dashboard", tags=["dashboard"], summary="The organisation's figures")
async def get_dashboard(gateway: The, staff: Staff) -> DashboardView:
    """Texts today, this month and ever; today's limit; campaigns by stage; what stands still."""
    return DashboardView.of(
        await handlers.home_of(staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock)
    )


@router.get(
    "/v1/dashboard/events",
    tags=["dashboard"],
    summary="Follow the organisation's figures",
    response_class=StreamingResponse,
    responses=described(
        "dashboard", description="`event: dashboard` with the figures, at each change"
    ),
)
async def get_dashboard_events(gateway: The, staff: Staff) -> StreamingResponse:
    """Server-sent events, about two a second while something changes."""
    seen: tuple[tuple[int, int, datetime], Home] | None = None

    async def look() -> Home:
        nonlocal seen
        # The figures are read only when something has changed, or a day begins somewhere.
        marker = await gateway.models.change_marker(staff.organization_id)
        async with gateway.desk.read() as reading:
            settings = await newest_settings(staff.organization_id, reading=reading)
        now = (marker, settings.sequence, quarter_of(gateway.clock()))
        if seen is None or seen[0] != now:
            home = await handlers.home_of(
                staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
            )
            seen = (now, home)
        return seen[1]

    return stream(
        look,
        name="dashboard",
        show=lambda home: DashboardView.of(home).model_dump_json(),
        over=lambda home: False,  # noqa: ARG005 - an organisation goes on.
        staff=staff,
        gateway=gateway,
    )


@router.get("/v1/usage", tags=["usage"], summary="What was charged, and what was not")
async def get_usage(
    gateway: The, staff: Staff, first: From = None, to: To = None, by: Lines = "day"
) -> UsageView:
    """Days are the organisation's; both ends are included. A text counts when it was tried."""
    return UsageView.of(
        await handlers.used(
            staff,
            first,
            to,
            by,
            desk=gateway.desk,
            models=gateway.models,
            clock=gateway.clock,
        )
    )


@router.get(
    "/v1/usage.csv",
    tags=["usage"],
    summary="The same as CSV",
    response_class=StreamingResponse,
    responses=CSV,
)
async def get_usage_csv(
    gateway: The, staff: Staff, first: From = None, to: To = None, by: Lines = "day"
) -> StreamingResponse:
    """A line for each, and one for the total."""
    shown = UsageView.of(
        await handlers.used(
            staff,
            first,
            to,
            by,
            desk=gateway.desk,
            models=gateway.models,
            clock=gateway.clock,
        )
    )
    return csv_answer(_csv(shown), name=f"usage-{shown.first}-{shown.last}")


async def _csv(shown: UsageView) -> AsyncIterator[bytes]:
    reasons = sorted({each for line in shown.items for each in line.uncharged})
    yield csv_head(
        [
            shown.by,
            "name",
            "charged_messages",
            "charged_segments",
            *(f"{each}_{what}" for each in reasons for what in ("messages", "segments")),
            "cost",
            "currency",
        ]
    )
    for line in (*shown.items, shown.total):
        not_charged = [line.uncharged.get(each) for each in reasons]
        yield csv_lines(
            [
                [
                    line.key,
                    line.name,
                    line.charged.messages,
                    line.charged.segments,
                    *(
                        0 if each is None else getattr(each, what)
                        for each in not_charged
                        for what in ("messages", "segments")
                    ),
                    line.cost,
                    shown.currency if line.cost is not None else None,
                ]
            ]
        )
