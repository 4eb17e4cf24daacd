"""`/v1/campaigns/{id}/summary`: what a campaign would take."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from gateway.domain.records import Answer
from gateway.domain.summary import Summary
from gateway.handlers import summaries as handlers
from gateway.ports import Work
from gateway.routes.deps import Claim, Staff, The
from gateway.routes.problems import as_response

router = APIRouter(tags=["campaigns"])


class SummaryView(BaseModel):
    """Who would be sent to, in how many segments, and how long that takes."""

    summary_id: UUID
    campaign_id: UUID
    state: Literal["counting", "done", "failed"]
    contacts_returned: int
    will_be_sent_to: int
    excluded: dict[str, int] = Field(examples=[{"invalid_number": 3}])
    estimated_segments: int
    messages_by_segments: dict[int, int] = Field(examples=[{1: 950, 2: 50}])
    lacking_values: int
    ucs2_messages: int
    segments_left_today: int | None
    segments_left_for_run: int | None
    estimated_seconds: float
    estimated_begin: AwareDatetime | None
    estimated_end: AwareDatetime | None
    failure: str | None = Field(description="What went wrong and how to mend it.")


def _answer(campaign_id: UUID, summary_id: UUID, summary: Summary) -> Answer:
    shown = SummaryView(campaign_id=campaign_id, summary_id=summary_id, **asdict(summary))
    location = f"/v1/campaigns/{campaign_id}/summaries/{summary_id}"
    return Answer(
        202 if summary.state == "counting" else 200,
        shown.model_dump_json().encode(),
        {"Location": location},
    )


_COUNTING: dict[int | str, dict[str, Any]] = {
    202: {"model": SummaryView, "description": "Still counting: look at Location"}
}


@router.post(
    "/v1/campaigns/{campaign_id}/summary",
    response_model=SummaryView,
    responses=_COUNTING,
    summary="Count what a campaign would take",
)
async def post_summary(
    campaign_id: UUID,
    gateway: The,
    staff: Staff,
    claim: Claim,
    wait_seconds: Annotated[float, Query(ge=0, le=60, allow_inf_nan=False)] = 20,
) -> Response:
    """Runs the query once and keeps none of its rows. A repeat waits for the same summary."""

    async def keep(work: Work, preview_id: UUID) -> None:
        # The id is kept, not the answer: what a repeat wants is the count, which comes later.
        await claim.keep(work, Answer(200, orjson.dumps(str(preview_id))))

    if claim.known is not None:
        asked = UUID(orjson.loads(claim.known.body))
    else:
        asked = await handlers.ask(
            campaign_id, staff=staff, desk=gateway.desk, clock=gateway.clock, keep=keep
        )
    summary = await handlers.wait(
        campaign_id,
        asked,
        seconds=wait_seconds,
        poll_seconds=gateway.own.summary_poll_seconds,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
        bell=gateway.bell,
    )
    return as_response(_answer(campaign_id, asked, summary))


@router.get(
    "/v1/campaigns/{campaign_id}/summaries/{summary_id}",
    response_model=SummaryView,
    responses=_COUNTING,
    summary="Look at a summary",
)
async def get_summary(campaign_id: UUID, summary_id: UUID, gateway: The, staff: Staff) -> Response:
    """Its state is "counting" until the query has been read."""
    summary = await handlers.look(
        campaign_id,
        summary_id,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
    )
    return as_response(_answer(campaign_id, summary_id, summary))
