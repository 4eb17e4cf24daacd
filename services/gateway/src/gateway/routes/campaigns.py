"""`/v1/campaigns`: writing, scheduling and dropping campaigns."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from contracts.events.campaign import CampaignEvent, CampaignStatus
from gateway.domain.records import Answer
from gateway.handlers import campaigns as handlers
from gateway.ports import Work
from gateway.routes.campaign_shapes import (
    CampaignFields,
    CampaignList,
    CampaignPatch,
    CampaignView,
)
from gateway.routes.cursors import AFTER_CAMPAIGN, cursor_of, read_cursor
from gateway.routes.deps import ExpectedVersion, Once, Staff, The, etag
from gateway.routes.organizations import Fields
from gateway.routes.problems import as_response
from gateway.routes.texts import Moment

router = APIRouter(tags=["campaigns"])


class ScheduleFields(Fields):
    """When a campaign is to run."""

    at: Moment | None = Field(
        default=None,
        description="A time with its offset (RFC 3339); null means now.",
        examples=["2030-01-31T14:00:00Z"],
    )


def _answer(campaign: CampaignEvent, *, status: int = 200) -> Answer:
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
        await once.keep(work, _answer(campaign, status=201))

    drafted = await handlers.draft(
        fields.definition(),
        staff=staff,
        desk=gateway.desk,
        imis=gateway.imis,
        seal=gateway.seal,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(_answer(drafted, status=201))


@router.get("/v1/campaigns", summary="List campaigns")
async def get_campaigns(
    gateway: The,
    staff: Staff,
    status: CampaignStatus | None = None,
    cursor: Annotated[str | None, Query(pattern=AFTER_CAMPAIGN)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CampaignList:
    """The newest first; deleted ones are not listed."""
    async with gateway.desk.read() as reading:
        found = await reading.campaigns.page(
            staff.organization_id, status=status, before=read_cursor(cursor), limit=limit + 1
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
    return as_response(_answer(campaign))


@router.patch(
    "/v1/campaigns/{campaign_id}", response_model=CampaignView, summary="Change a campaign"
)
async def patch_campaign(
    campaign_id: UUID, patch: CampaignPatch, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """A merge patch of a draft, or of a scheduled campaign, which keeps its schedule."""
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
    return as_response(_answer(edited))


@router.delete("/v1/campaigns/{campaign_id}", status_code=204, summary="Delete a campaign")
async def delete_campaign(
    campaign_id: UUID, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """A campaign that sends, or has run, stays."""
    await handlers.delete(
        campaign_id, expected=expected, staff=staff, desk=gateway.desk, clock=gateway.clock
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
    """Now, or once in the future. Everything that is missing is named at once."""

    async def keep(work: Work, campaign: CampaignEvent) -> None:
        await once.keep(work, _answer(campaign))

    scheduled = await handlers.schedule(
        campaign_id,
        fields.at,
        expected=expected,
        staff=staff,
        desk=gateway.desk,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(_answer(scheduled))
