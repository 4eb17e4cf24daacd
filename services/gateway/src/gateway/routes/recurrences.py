"""When recurring campaigns run: looked at before saving, and of one that is saved."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from contracts.events.campaign import Recurrence
from gateway.domain.recurring import described, is_whole, upcoming
from gateway.domain.refusals import Fault, InConflict, Unacceptable
from gateway.handlers import campaigns as handlers
from gateway.routes.campaign_shapes import RecurrenceFields
from gateway.routes.campaign_views import Occurrences
from gateway.routes.deps import Staff, The
from gateway.routes.texts import WholeNumber
from timing.recurrence import RecurrenceError

router = APIRouter(tags=["campaigns"])
_MOST = 100


class PreviewFields(RecurrenceFields):
    """A recurrence that is not saved yet."""

    count: WholeNumber = Field(default=10, ge=1, le=_MOST)


@router.post("/v1/recurrences/preview", summary="When a recurrence would run")
async def post_preview(fields: PreviewFields, gateway: The, staff: Staff) -> Occurrences:
    """Its next times from now on; the clock's changes, the 31st and 29 February as they fall."""
    del staff
    recurrence = fields.recurrence()
    try:
        found = upcoming(recurrence, after=gateway.clock(), count=fields.count)
        return Occurrences.of(described(recurrence), found)
    except RecurrenceError as error:
        raise Unacceptable([Fault("rule", str(error))]) from error


@router.get("/v1/campaigns/{campaign_id}/occurrences", summary="When a campaign runs next")
async def get_occurrences(
    campaign_id: UUID,
    gateway: The,
    staff: Staff,
    count: Annotated[int, Query(ge=1, le=_MOST)] = 10,
) -> Occurrences:
    """As its recurrence says now; a draft, or one that is paused, would run then."""
    campaign = await handlers.show(campaign_id, staff=staff, desk=gateway.desk)
    recurrence: Recurrence | None = campaign.definition.recurrence
    if recurrence is None or not is_whole(recurrence):
        raise InConflict("The campaign has no whole recurrence yet: say how often, and from when.")
    found = upcoming(recurrence, after=gateway.clock(), count=count)
    return Occurrences.of(described(recurrence), found)
