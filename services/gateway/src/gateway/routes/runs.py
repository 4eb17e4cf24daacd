"""`/v1/runs`, `/v1/messages`: what was sent, and what became of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from gateway.domain.records import Answer
from gateway.domain.views import OVER, Progress, Run
from gateway.handlers import runs as handlers
from gateway.ports import Work
from gateway.routes.cursors import AFTER_ROW, read_row_cursor, row_cursor
from gateway.routes.deps import Once, Staff, The
from gateway.routes.problems import as_response
from gateway.routes.run_shapes import (
    ErrorView,
    HourView,
    MessageList,
    MessageView,
    ProgressView,
    ResendView,
    RunDashboardView,
    RunList,
    RunView,
    SkippedView,
)
from gateway.routes.streams import described, stream
from readmodels.views import RowStatus

router = APIRouter(tags=["runs"])
_WAITING = ("preparing", "held")


@router.get("/v1/campaigns/{campaign_id}/runs", summary="A campaign's runs")
async def get_runs(campaign_id: UUID, gateway: The, staff: Staff) -> RunList:
    """The newest first; a run that was just scheduled is there at once."""
    runs = await handlers.runs_of(
        campaign_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
    )
    skipped = await gateway.models.skipped(staff.organization_id, campaign_id)
    return RunList(
        items=[RunView.of(each) for each in runs],
        skipped=[SkippedView(**each.model_dump()) for each in skipped],
    )


async def look_at(run_id: UUID, gateway: The, staff: Staff) -> Run:
    """Return a run of the caller's organisation."""
    return await handlers.show_run(
        run_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
    )


@router.get("/v1/runs/{run_id}", summary="Show a run")
async def get_run(run_id: UUID, gateway: The, staff: Staff) -> RunView:
    """Its state and its figures, by status and by reason."""
    return RunView.of(await look_at(run_id, gateway, staff))


@router.get("/v1/runs/{run_id}/dashboard", summary="A run's status dashboard")
async def get_run_dashboard(run_id: UUID, gateway: The, staff: Staff) -> RunDashboardView:
    """By status, by error with its meaning and what to do, by hour; what is held and waits."""
    run = await look_at(run_id, gateway, staff)
    errors = await gateway.models.run_errors(staff.organization_id, run_id)
    hours = await gateway.models.run_hours(staff.organization_id, run_id)
    return RunDashboardView(
        run=RunView.of(run),
        errors=[ErrorView.of(each) for each in errors],
        hours=[HourView(**each.model_dump()) for each in hours],
    )


@router.get("/v1/runs/{run_id}/messages", summary="A run's messages")
async def get_messages(
    *,
    run_id: UUID,
    gateway: The,
    staff: Staff,
    status: RowStatus | None = None,
    cursor: Annotated[str | None, Query(pattern=AFTER_ROW)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> MessageList:
    """In the order of the query's rows."""
    await look_at(run_id, gateway, staff)
    found = await gateway.models.messages(
        staff.organization_id,
        run_id,
        status=status,
        after_row=read_row_cursor(cursor),
        limit=limit + 1,
    )
    items = [MessageView.of(each) for each in found[:limit]]
    further = row_cursor(items[-1].row) if len(found) > limit else None
    return MessageList(items=items, next_cursor=further)


@router.get(
    "/v1/runs/{run_id}/events",
    summary="Follow a run",
    response_class=StreamingResponse,
    responses=described(
        "progress",
        "end",
        description="`event: progress` with the run at each change, `event: end` at last",
    ),
)
async def get_events(run_id: UUID, gateway: The, staff: Staff) -> StreamingResponse:
    """Server-sent events, about two a second while something changes."""
    # The first look decides between a stream and a 404.
    await look_at(run_id, gateway, staff)

    async def look() -> Progress:
        return await handlers.progress_of(
            run_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
        )

    return stream(
        look,
        name="progress",
        show=lambda progress: ProgressView.of(progress).model_dump_json(),
        over=_is_over,
        staff=staff,
        gateway=gateway,
    )


def _is_over(progress: Progress) -> bool:
    """Whether nothing more comes; a run's end may be projected before its last messages are."""
    return progress.state in OVER and not any(map(progress.by_status.get, _WAITING))


def _resend(run: Run) -> Answer:
    shown = ResendView(run_id=run.run_id, missed=run.missed)
    location = {"Location": f"/v1/runs/{run.run_id}"}
    return Answer(202, shown.model_dump_json().encode(), location)


@router.post(
    "/v1/runs/{run_id}/resend",
    status_code=202,
    response_model=ResendView,
    summary="Resend to the missed",
)
async def post_resend(run_id: UUID, gateway: The, staff: Staff, once: Once) -> Response:
    """Sends what a run that is over never got accepted: a text twice to nobody.

    Follow the run at Location: `later_runs` names the new one as soon as it is there.
    """

    async def keep(work: Work, run: Run) -> None:
        await once.keep(work, _resend(run))

    run = await handlers.resend(
        run_id,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(_resend(run))


@router.get("/v1/messages/{message_id}", summary="Show a message")
async def get_message(message_id: UUID, gateway: The, staff: Staff) -> MessageView:
    """To whom, what, and what became of it."""
    return MessageView.of(
        await handlers.show_message(message_id, staff=staff, models=gateway.models)
    )
