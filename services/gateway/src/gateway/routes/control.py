"""What stops sending, and lets it go on: of a campaign, of a run, of the whole organisation."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettings
from gateway.domain import campaign as aggregate
from gateway.domain.records import Answer
from gateway.domain.refusals import InConflict
from gateway.domain.views import Run
from gateway.handlers import campaigns, control
from gateway.handlers.organizations import settings_of
from gateway.ports import Work
from gateway.routes.campaign_views import CampaignView
from gateway.routes.campaigns import answer_of
from gateway.routes.deps import Claim, ExpectedVersion, Once, Staff, The, Ticket
from gateway.routes.organization_shapes import Fields
from gateway.routes.problems import Replay, as_response
from gateway.routes.run_shapes import RunView
from gateway.routes.texts import Text

router = APIRouter(tags=["sending control"])


class WhyFields(Fields):
    """Why something is stopped, for others to read."""

    reason: Annotated[Text, Field(max_length=500, examples=["Wrong date in the text."])] = ""


class StopView(BaseModel):
    """Whether the organisation's sending is stopped."""

    stopped: bool
    since: AwareDatetime | None
    by: str | None
    reason: str | None

    @classmethod
    def of(cls, settings: OrganizationSettings) -> "StopView":
        """Show it."""
        stop = settings.stopped
        if stop is None:
            return cls(stopped=False, since=None, by=None, reason=None)
        return cls(stopped=True, since=stop.since, by=stop.by, reason=stop.reason)


def _keeping(once: Ticket) -> Callable[[Work, CampaignEvent], Awaitable[None]]:
    async def keep(work: Work, campaign: CampaignEvent) -> None:
        await once.keep(work, answer_of(campaign))

    return keep


@router.post(
    "/v1/campaigns/{campaign_id}/pause", response_model=CampaignView, summary="Pause a campaign"
)
async def post_pause(
    *,
    campaign_id: UUID,
    fields: WhyFields | None = None,
    gateway: The,
    staff: Staff,
    expected: ExpectedVersion,
    claim: Claim,
) -> Response:
    """Nothing of it leaves any more once this is answered; what waits is sent after a resume."""
    if claim.known is not None:
        await control.tell_again(campaign_id, staff=staff, desk=gateway.desk, stops=gateway.stops)
        raise Replay(claim.known)
    paused = await control.pause(
        campaign_id,
        "" if fields is None else fields.reason,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=_keeping(claim),
        stops=gateway.stops,
    )
    return as_response(answer_of(paused))


@router.post(
    "/v1/campaigns/{campaign_id}/resume",
    response_model=CampaignView,
    summary="Let a paused campaign go on",
)
async def post_resume(
    *, campaign_id: UUID, gateway: The, staff: Staff, expected: ExpectedVersion, once: Once
) -> Response:
    """It goes on where it was, also when it was paused because of errors."""
    resumed = await control.resume(
        campaign_id,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=_keeping(once),
    )
    return as_response(answer_of(resumed))


@router.post(
    "/v1/campaigns/{campaign_id}/cancel", response_model=CampaignView, summary="Cancel a campaign"
)
async def post_cancel(
    *,
    campaign_id: UUID,
    fields: WhyFields | None = None,
    gateway: The,
    staff: Staff,
    expected: ExpectedVersion,
    claim: Claim,
) -> Response:
    """What it has not sent yet is never sent, and a recurring one runs no more. It is for good."""
    if claim.known is not None:
        await control.tell_again(campaign_id, staff=staff, desk=gateway.desk, stops=gateway.stops)
        raise Replay(claim.known)
    cancelled = await control.cancel(
        campaign_id,
        "" if fields is None else fields.reason,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=_keeping(claim),
        stops=gateway.stops,
    )
    return as_response(answer_of(cancelled))


@router.post(
    "/v1/campaigns/{campaign_id}/archive",
    response_model=CampaignView,
    summary="Put a campaign away",
)
async def post_archive(
    *, campaign_id: UUID, gateway: The, staff: Staff, expected: ExpectedVersion, once: Once
) -> Response:
    """One that is over, or a draft; after a time, what is over is put away by itself."""
    archived = await campaigns.change(
        campaign_id,
        lambda known, at: aggregate.archive(known, at=at, by=staff.user),
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=_keeping(once),
    )
    return as_response(answer_of(archived))


@router.post(
    "/v1/campaigns/{campaign_id}/restore",
    response_model=CampaignView,
    summary="Bring a campaign back from the archive",
)
async def post_restore(
    *, campaign_id: UUID, gateway: The, staff: Staff, expected: ExpectedVersion, once: Once
) -> Response:
    """As it was when it was put away."""
    restored = await campaigns.change(
        campaign_id,
        lambda known, at: aggregate.restore(known, at=at, by=staff.user),
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=_keeping(once),
    )
    return as_response(answer_of(restored))


@router.post(
    "/v1/runs/{run_id}/cancel",
    status_code=202,
    response_model=RunView,
    summary="Cancel one run",
)
async def post_cancel_run(run_id: UUID, gateway: The, staff: Staff, claim: Claim) -> Response:
    """What it has not sent yet is never sent; its campaign goes on."""

    def answered(run: Run) -> Answer:
        return Answer(202, RunView.of(run).model_dump_json().encode())

    async def keep(work: Work, run: Any) -> None:
        if claim.known is None:
            await claim.keep(work, answered(run))

    try:
        run = await control.cancel_run(
            run_id,
            staff=staff,
            desk=gateway.desk,
            models=gateway.models,
            clock=gateway.clock,
            keep=keep,
            stops=gateway.stops,
        )
    except InConflict:
        if claim.known is None:
            raise
    if claim.known is not None:
        raise Replay(claim.known)
    return as_response(answered(run))


@router.get("/v1/stop", summary="Whether all sending is stopped")
async def get_stop(gateway: The, staff: Staff) -> StopView:
    """Since when, by whom and why."""
    async with gateway.desk.read() as reading:
        return StopView.of(await settings_of(staff.organization_id, reading=reading))


@router.post("/v1/stop", summary="Stop all sending at once")
async def post_stop(gateway: The, staff: Staff, fields: WhyFields | None = None) -> StopView:
    """Nothing of the organisation leaves any more, urgent texts included; nothing is lost."""
    changed = await control.stop(
        "" if fields is None else fields.reason,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        stops=gateway.stops,
    )
    return StopView.of(changed.settings)


@router.delete("/v1/stop", summary="Let sending go on")
async def delete_stop(gateway: The, staff: Staff) -> StopView:
    """What the stop held leaves now; what is paused or cancelled stays so."""
    changed = await control.lift_stop(staff=staff, desk=gateway.desk, clock=gateway.clock)
    return StopView.of(changed.settings)
