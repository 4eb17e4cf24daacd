"""`/v1/campaigns/{id}/summary`: what a campaign would take."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from itertools import islice
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
_DAYS_SHOWN = 100


class SampleView(BaseModel):
    """What one member would get."""

    row: int
    imis_id: str
    to: str
    text: str
    segments: int


class SummaryView(BaseModel):
    """Who would be sent to, in how many segments, what it costs, and how long that takes."""

    summary_id: UUID
    campaign_id: UUID
    state: Literal["counting", "done", "failed"]
    rows_read: int = Field(description="While counting: how many rows were read so far.")
    rows_expected: int | None
    contacts_returned: int
    will_be_sent_to: int
    excluded: dict[str, int] = Field(examples=[{"invalid_number": 3, "opted_out": 2}])
    estimated_segments: int
    messages_by_segments: dict[int, int] = Field(examples=[{1: 950, 2: 50}])
    lacking_values: int
    lacking_by_field: dict[str, int] = Field(examples=[{"FullName": 37}])
    ucs2_messages: int
    ucs2_characters: dict[str, int] = Field(examples=[{"’": 12}])
    samples: list[SampleView]
    segments_left_today: int | None
    segments_left_for_run: int | None
    segments_over_run_limit: int
    segments_over_day_limit: int
    queued_segments: int
    estimated_seconds: float | None
    estimated_begin: AwareDatetime | None
    estimated_end: AwareDatetime | None
    segments_by_day: dict[date, int] = Field(
        description="By the organisation's days; at most the first 100.",
        examples=[{"2027-01-31": 3000}],
    )
    texted_at_night: dict[int, int] = Field(
        description="How many members would be texted at which local hour, outside the usual ones.",
        examples=[{21: 40, 22: 12}],
    )
    estimated_cost: Decimal | None
    currency: str | None
    failure: str | None = Field(description="What went wrong and how to mend it.")


def _answer(campaign_id: UUID, summary_id: UUID, summary: Summary) -> Answer:
    told = {each.name: getattr(summary, each.name) for each in fields(summary)}
    days = dict(islice(summary.segments_by_day.items(), _DAYS_SHOWN))
    samples = [SampleView(**each.model_dump()) for each in summary.samples]
    told |= {"segments_by_day": days, "samples": samples}
    shown = SummaryView(campaign_id=campaign_id, summary_id=summary_id, **told)
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
        rules=gateway.rules,
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
        rules=gateway.rules,
    )
    return as_response(_answer(campaign_id, summary_id, summary))
