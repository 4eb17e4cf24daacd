"""`/v1/runs`, `/v1/messages`, `/v1/dashboard`: what was sent, and what became of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from contracts.events.campaign import CampaignStatus
from gateway.domain.codes import meaning
from gateway.domain.records import Answer
from gateway.domain.views import Progress, Run
from gateway.handlers import runs as handlers
from gateway.handlers.organizations import settings_of
from gateway.handlers.sessions import still_signed_in
from gateway.ports import Work
from gateway.routes.cursors import AFTER_ROW, read_row_cursor, row_cursor
from gateway.routes.deps import Once, Staff, The
from gateway.routes.problems import as_response
from gateway.routes.progress import progress_of
from gateway.routes.run_shapes import (
    DashboardView,
    MessageList,
    MessageView,
    ResendView,
    RunList,
    RunView,
)
from readmodels.views import RowStatus

router = APIRouter()


@router.get("/v1/campaigns/{campaign_id}/runs", tags=["runs"], summary="A campaign's runs")
async def get_runs(campaign_id: UUID, gateway: The, staff: Staff) -> RunList:
    """The newest first; a run that was just scheduled is there at once."""
    runs = await handlers.runs_of(
        campaign_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
    )
    return RunList(items=[RunView.of(each) for each in runs])


async def _look(run_id: UUID, gateway: The, staff: Staff) -> Run:
    return await handlers.show_run(
        run_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
    )


@router.get("/v1/runs/{run_id}", tags=["runs"], summary="Show a run")
async def get_run(run_id: UUID, gateway: The, staff: Staff) -> RunView:
    """Its state and its figures, by status and by reason."""
    return RunView.of(await _look(run_id, gateway, staff))


@router.get("/v1/runs/{run_id}/messages", tags=["runs"], summary="A run's messages")
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
    await _look(run_id, gateway, staff)
    found = await gateway.models.messages(
        staff.organization_id,
        run_id,
        status=status,
        after_row=read_row_cursor(cursor),
        limit=limit + 1,
    )
    items = [MessageView.of(each, meaning(each.error_code)) for each in found[:limit]]
    further = row_cursor(items[-1].row) if len(found) > limit else None
    return MessageList(items=items, next_cursor=further)


@router.get(
    "/v1/runs/{run_id}/events",
    tags=["runs"],
    summary="Follow a run",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`event: progress` with the run at each change, `event: end` at last",
            "content": {
                "text/event-stream": {
                    # Of each event, as its fields are read.
                    "schema": {
                        "type": "object",
                        "properties": {
                            "event": {"enum": ["progress", "end"]},
                            "data": {"type": "string", "contentMediaType": "application/json"},
                        },
                        "required": ["event", "data"],
                    }
                }
            },
        }
    },
)
async def get_events(run_id: UUID, gateway: The, staff: Staff) -> StreamingResponse:
    """Server-sent events, about two a second while something changes."""
    # The first look decides between a stream and a 404.
    await _look(run_id, gateway, staff)

    async def look() -> Progress:
        return await handlers.progress_of(
            run_id, staff=staff, desk=gateway.desk, models=gateway.models, clock=gateway.clock
        )

    async def pause(seconds: float) -> bool:
        stopping = await gateway.pause(seconds)
        return stopping or not await still_signed_in(staff, desk=gateway.desk, clock=gateway.clock)

    stream = progress_of(
        look,
        pause=pause,
        every_seconds=gateway.own.progress_seconds,
        heartbeat_seconds=gateway.own.heartbeat_seconds,
    )
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _resend(run: Run) -> Answer:
    shown = ResendView(run_id=run.run_id, missed=run.missed)
    location = {"Location": f"/v1/runs/{run.run_id}"}
    return Answer(202, shown.model_dump_json().encode(), location)


@router.post(
    "/v1/runs/{run_id}/resend",
    tags=["runs"],
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


@router.get("/v1/messages/{message_id}", tags=["runs"], summary="Show a message")
async def get_message(message_id: UUID, gateway: The, staff: Staff) -> MessageView:
    """To whom, what, and what became of it."""
    found = await handlers.show_message(message_id, staff=staff, models=gateway.models)
    return MessageView.of(found, meaning(found.error_code))


@router.get("/v1/dashboard", tags=["dashboard"], summary="The organisation's figures")
async def get_dashboard(gateway: The, staff: Staff) -> DashboardView:
    """Texts today, this month and ever; today's limit; campaigns by status."""
    async with gateway.desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
        counts = await reading.campaigns.counts(staff.organization_id)
    usage = await gateway.models.usage(staff.organization_id, at=gateway.clock())
    shown = [each for each in CampaignStatus if each is not CampaignStatus.DELETED]
    return DashboardView(
        texts_today=usage.texts_today,
        texts_this_month=usage.texts_this_month,
        texts_lifetime=usage.texts_lifetime,
        failed_lifetime=usage.failed_lifetime,
        segments_per_day=settings.segments_per_day,
        segments_used_today=usage.segments_today,
        segments_left_today=max(0, settings.segments_per_day - usage.segments_today),
        campaigns={each: counts.get(each, 0) for each in shown},
    )
