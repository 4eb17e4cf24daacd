"""`/v1/runs/{run_id}/activities`: what was written to iMIS, and once more (TM-8, TM-21)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from gateway.domain.records import Answer
from gateway.handlers import activities as handlers
from gateway.ports import Work
from gateway.routes.cursors import AFTER_ROW, read_row_cursor, row_cursor
from gateway.routes.deps import Once, Staff, The
from gateway.routes.organization_shapes import Fields
from gateway.routes.problems import as_response
from gateway.routes.runs import look_at
from readmodels.views import ActivityState, ActivityView

router = APIRouter(tags=["runs"])


class ActivityShown(BaseModel):
    """One thing that was to be written to iMIS about a text."""

    message_id: UUID
    row: int
    imis_id: str
    kind: str = Field(description="`TEXTMSG`, `TEXTUNSUB`, or `LOG` in the Communication Log.")
    state: ActivityState
    seqn: str | None = Field(description="What iMIS calls it.")
    reason: str | None = Field(description="iMIS's own words, of what it refused.")
    at: AwareDatetime


class ActivityList(BaseModel):
    """What became of a run's activities, in the order of the query's rows."""

    items: list[ActivityShown]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")


class RetryFields(Fields):
    """What to try again; without a message, all that iMIS refused of the run."""

    message_id: UUID | None = None


class RetryView(BaseModel):
    """It is going to be tried again."""

    run_id: UUID
    message_id: UUID | None


@router.get("/v1/runs/{run_id}/activities", summary="A run's activities in iMIS")
async def get_activities(
    *,
    run_id: UUID,
    gateway: The,
    staff: Staff,
    state: ActivityState | None = None,
    cursor: Annotated[str | None, Query(pattern=AFTER_ROW)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ActivityList:
    """`limit` counts rows: a text may have more than one, and they come together."""
    await look_at(run_id, gateway, staff)
    found = await gateway.models.activities(
        staff.organization_id,
        run_id,
        state=state,
        after_row=read_row_cursor(cursor),
        limit=limit + 1,
    )
    rows = sorted({each.row for each in found})[:limit]
    items = [_shown(each) for each in found if each.row in set(rows)]
    further = row_cursor(rows[-1]) if len(items) < len(found) else None
    return ActivityList(items=items, next_cursor=further)


def _shown(activity: ActivityView) -> ActivityShown:
    return ActivityShown(**activity.model_dump())


@router.post(
    "/v1/runs/{run_id}/activities/retry",
    status_code=202,
    response_model=RetryView,
    summary="Try to write refused activities again",
)
async def post_retry(
    run_id: UUID, gateway: The, staff: Staff, once: Once, fields: RetryFields | None = None
) -> Response:
    """Mend in iMIS what it refused first. No text is sent by this, and none is held up."""
    run = await look_at(run_id, gateway, staff)
    message_id = None if fields is None else fields.message_id
    shown = RetryView(run_id=run_id, message_id=message_id).model_dump_json().encode()
    answer = Answer(202, shown, {"Location": f"/v1/runs/{run_id}/activities"})

    async def keep(work: Work) -> None:
        await once.keep(work, answer)

    await handlers.retry(
        run,
        message_id,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answer)
