"""`/v1/statuses`: what each status of a text means (TM-14)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.domain.statuses import STATUSES
from gateway.routes.deps import Staff, The

router = APIRouter(tags=["runs"])


class StatusView(BaseModel):
    """A status, for a tooltip."""

    status: str = Field(examples=["undelivered"])
    label: str = Field(examples=["Undelivered"])
    meaning: str
    link: str = Field(description="Where our documentation says more.")


class StatusList(BaseModel):
    """Every status, in the order of a text's life."""

    items: list[StatusView]


@router.get("/v1/statuses", summary="What each status means")
async def get_statuses(gateway: The, staff: Staff) -> StatusList:
    """For the tooltips of every list of texts."""
    del staff
    link = f"{gateway.own.docs_url.rstrip('/')}/outcomes.md#statuses"
    return StatusList(
        items=[
            StatusView(status=each.status, label=each.label, meaning=each.meaning, link=link)
            for each in STATUSES
        ]
    )
