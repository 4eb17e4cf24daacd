"""Runs as CSV, for spreadsheets."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from chassis.cells import csv_head, csv_lines
from gateway.domain.views import Message
from gateway.routes.csv_answers import CSV, csv_answer
from gateway.routes.deps import Staff, The
from gateway.routes.runs import look_at
from readmodels.views import RowStatus
from twilio_client.explained import meaning

router = APIRouter(tags=["runs"])
_PAGE = 500
_COLUMNS = (
    "row",
    "imis_id",
    "to",
    "status",
    "reason",
    "error_code",
    "error_meaning",
    "segments",
    "attempted_at",
    "changed_at",
    "sid",
    "activity",
    "activity_state",
    "text",
)


@router.get(
    "/v1/runs/{run_id}/messages.csv",
    summary="A run's messages as CSV",
    response_class=StreamingResponse,
    responses=CSV,
)
async def get_messages_csv(
    run_id: UUID, gateway: The, staff: Staff, status: RowStatus | None = None
) -> StreamingResponse:
    """All of them, whatever their number; those without a text too, with the reason."""
    await look_at(run_id, gateway, staff)

    async def parts() -> AsyncIterator[bytes]:
        yield csv_head(_COLUMNS)
        after: int | None = None
        while page := await gateway.models.messages(
            staff.organization_id, run_id, status=status, after_row=after, limit=_PAGE
        ):
            yield csv_lines(_cells(page))
            after = page[-1].row

    return csv_answer(parts(), name=f"messages-{run_id}")


def _cells(messages: list[Message]) -> Iterator[list[object]]:
    for each in messages:
        yield [
            each.row,
            each.imis_id,
            each.to,
            each.status,
            each.reason,
            each.error_code,
            meaning(each.error_code),
            each.segments,
            each.attempted_at and each.attempted_at.isoformat(),
            each.changed_at and each.changed_at.isoformat(),
            each.sid,
            each.activity,
            each.activity_state,
            each.text,
        ]
