"""`/v1/operations`: for operators; what only a person can decide."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.message import Resolution
from contracts.ids import organization_id
from gateway.domain.views import Unknown
from gateway.handlers import operations as handlers
from gateway.handlers.operations import Verdict
from gateway.routes.deps import The, only_operators
from gateway.routes.organization_shapes import Fields
from gateway.routes.texts import Name, Text

router = APIRouter(tags=["operations"], dependencies=[Depends(only_operators)])
Sid = Annotated[str, Field(pattern=r"^SM[0-9a-f]{32}$", examples=["SM" + "0a" * 16])]


class UnknownView(BaseModel):
    """A message of which nobody can tell whether it was sent."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    row: int
    imis_id: str
    to: str = Field(description="By it and the time, Twilio's own log can be searched.")
    reason: str | None
    attempted_at: AwareDatetime | None
    since: AwareDatetime | None

    @classmethod
    def of(cls, unknown: Unknown) -> "UnknownView":
        """Show an unknown message."""
        return cls(
            message_id=unknown.message_id,
            organization_id=unknown.organization_id,
            run_id=unknown.run_id,
            campaign_id=unknown.campaign_id,
            row=unknown.row,
            imis_id=unknown.imis_id,
            to=unknown.to,
            reason=unknown.reason,
            attempted_at=unknown.attempted_at,
            since=unknown.since,
        )


class UnknownList(BaseModel):
    """Unknown messages, the oldest first."""

    items: list[UnknownView]
    more: bool = Field(description="Whether there are further ones: decide these first.")


class SentFields(Fields):
    """Twilio has the message."""

    resolution: Literal["sent"]
    sid: Sid
    by: Name
    reason: Annotated[Text, Field(min_length=1)]


class NotSentFields(Fields):
    """Twilio never took the message, or nobody will ever know."""

    resolution: Literal["send_again", "given_up"]
    by: Name
    reason: Annotated[Text, Field(min_length=1)]


class DecisionView(BaseModel):
    """What was decided; the message shows it as soon as the sender has taken it in."""

    message_id: UUID
    run_id: UUID
    resolution: Resolution


@router.get("/v1/operations/unknown", summary="List unknown messages")
async def get_unknown(
    gateway: The,
    organization: Annotated[Text | None, Query(max_length=100, description="A Cloud ID.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> UnknownList:
    """Texts that were posted and never answered for, and of which Twilio's list can't tell."""
    wanted = None if organization is None else organization_id(organization)
    found = await gateway.models.unknown(wanted, limit=limit + 1)
    shown = [UnknownView.of(each) for each in found[:limit]]
    return UnknownList(items=shown, more=len(found) > limit)


@router.post(
    "/v1/operations/messages/{message_id}/resolution",
    status_code=202,
    summary="Decide what became of an unknown message",
)
async def post_resolution(
    message_id: UUID,
    fields: Annotated[SentFields | NotSentFields, Field(discriminator="resolution")],
    gateway: The,
) -> DecisionView:
    """A repeat changes nothing: each doubt is decided once."""
    verdict = Verdict(
        resolution=Resolution(fields.resolution),
        sid=fields.sid if isinstance(fields, SentFields) else None,
        by=fields.by,
        reason=fields.reason,
    )
    run_id = await handlers.resolve(
        message_id, verdict, desk=gateway.desk, models=gateway.models, clock=gateway.clock
    )
    return DecisionView(message_id=message_id, run_id=run_id, resolution=verdict.resolution)
