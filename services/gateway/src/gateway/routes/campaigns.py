"""`/v1/campaigns`: writing, copying, scheduling, putting away and dropping campaigns."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from contracts.events.campaign import CampaignEvent, CampaignKind, CampaignStatus
from gateway.domain.campaign import FatesOfRuns
from gateway.domain.records import Answer
from gateway.handlers import campaigns as handlers
from gateway.handlers import control, scheduling
from gateway.ports import Work
from gateway.routes.campaign_shapes import CampaignFields, CampaignPatch
from gateway.routes.campaign_views import CampaignList, CampaignView, History
from gateway.routes.cursors import AFTER_CAMPAIGN, cursor_of, read_cursor
from gateway.routes.deps import ExpectedVersion, Once, Staff, The, etag
from gateway.routes.organization_shapes import Fields
from gateway.routes.problems import as_response
from gateway.routes.texts import Moment

router = APIRouter(tags=["campaigns"])


class ScheduleFields(Fields):
    """When a campaign is to run."""

    at: Moment | None = Field(
        default=None,
        description="A time with its offset (RFC 3339); null means now. "
        "A recurring campaign has none: its recurrence decides.",
        examples=["2030-01-31T14:00:00Z"],
    )


def answer_of(campaign: CampaignEvent, *, status: int = 200) -> Answer:
    """Return how a campaign is answered."""
    headers = {"ETag": etag(campaign)}
    if status == 201:  # noqa: PLR2004
        headers["Location"] = f"/v1/campaigns/{campaign.campaign_id}"
    return Answer(status, CampaignView.of(campaign).model_dump_json().encode(), headers)


@router.post(
    "/v1/campaigns",
    status_code=201,
    response_model=CampaignView,
    summary="Create a campaign",
)
async def post_campaign(fields: CampaignFields, gateway: The, staff: Staff, once: Once) -> Response:
    """A draft may lack anything but its name. What is given is checked against iMIS."""

    async def keep(work: Work, campaign: CampaignEvent) -> None:
        await once.keep(work, answer_of(campaign, status=201))

    drafted = await handlers.draft(
        fields.definition(),
        staff=staff,
        desk=gateway.desk,
        imis=gateway.imis,
        seal=gateway.seal,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answer_of(drafted, status=201))


@router.get("/v1/campaigns", summary="List campaigns")
async def get_campaigns(
    *,
    gateway: The,
    staff: Staff,
    status: CampaignStatus | None = None,
    kind: CampaignKind | None = None,
    cursor: Annotated[str | None, Query(pattern=AFTER_CAMPAIGN)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CampaignList:
    """The newest first; deleted ones are not listed."""
    async with gateway.desk.read() as reading:
        found = await reading.campaigns.page(
            staff.organization_id,
            status=status,
            kind=kind,
            before=read_cursor(cursor),
            limit=limit + 1,
        )
    shown = found[:limit]
    return CampaignList(
        items=[CampaignView.of(each) for each in shown],
        next_cursor=cursor_of(shown[-1].campaign_id) if len(found) > limit else None,
    )


@router.get("/v1/campaigns/{campaign_id}", response_model=CampaignView, summary="Show a campaign")
async def get_campaign(campaign_id: UUID, gateway: The, staff: Staff) -> Response:
    """Its ETag is what If-Match of a change compares with."""
    campaign = await handlers.show(campaign_id, staff=staff, desk=gateway.desk)
    return as_response(answer_of(campaign))


@router.patch(
    "/v1/campaigns/{campaign_id}", response_model=CampaignView, summary="Change a campaign"
)
async def patch_campaign(
    campaign_id: UUID, patch: CampaignPatch, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """A merge patch of a draft, a scheduled or a paused campaign; it keeps its schedule.

    A recurring campaign can be changed while it sends: that counts from its next run.
    """
    edited = await handlers.edit(
        campaign_id,
        patch.applied_to,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        imis=gateway.imis,
        seal=gateway.seal,
        clock=gateway.clock,
    )
    return as_response(answer_of(edited))


@router.delete("/v1/campaigns/{campaign_id}", status_code=204, summary="Delete a campaign")
async def delete_campaign(
    *,
    campaign_id: UUID,
    run: FatesOfRuns | None = None,
    gateway: The,
    staff: Staff,
    expected: ExpectedVersion,
) -> Response:
    """A campaign that has run stays. `run` says what becomes of a recurring one's run under way."""
    await control.delete(
        campaign_id,
        run,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        stops=gateway.stops,
    )
    return Response(status_code=204)


@router.post(
    "/v1/campaigns/{campaign_id}/schedule",
    response_model=CampaignView,
    summary="Let a campaign run",
)
async def post_schedule(
    *,
    campaign_id: UUID,
    fields: ScheduleFields,
    gateway: The,
    staff: Staff,
    expected: ExpectedVersion,
    once: Once,
) -> Response:
    """Now, once in the future, or again and again. Everything that is missing is named at once."""

    async def keep(work: Work, campaign: CampaignEvent) -> None:
        await once.keep(work, answer_of(campaign))

    scheduled = await scheduling.schedule(
        campaign_id,
        fields.at,
        seconds=gateway.own.schedule_preview_seconds,
        poll_seconds=gateway.own.summary_poll_seconds,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        imis=gateway.imis,
        seal=gateway.seal,
        bell=gateway.bell,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answer_of(scheduled))


@router.post(
    "/v1/campaigns/{campaign_id}/copy",
    status_code=201,
    response_model=CampaignView,
    summary="Copy a campaign into a new draft",
)
async def post_copy(campaign_id: UUID, gateway: The, staff: Staff, once: Once) -> Response:
    """Whatever became of the campaign."""

    async def keep(work: Work, campaign: CampaignEvent) -> None:
        await once.keep(work, answer_of(campaign, status=201))

    copied = await handlers.copy(
        campaign_id, staff=staff, desk=gateway.desk, clock=gateway.clock, keep=keep
    )
    return as_response(answer_of(copied, status=201))


@router.get("/v1/campaigns/{campaign_id}/history", summary="Who did what to a campaign, and when")
async def get_history(
    campaign_id: UUID,
    gateway: The,
    staff: Staff,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> History:
    """The oldest first, with the fields that each step changed."""
    told = await handlers.history(
        campaign_id, after=max(0, after - 1), limit=limit + 2, staff=staff, desk=gateway.desk
    )
    return History.of(told, after=after, limit=limit)
