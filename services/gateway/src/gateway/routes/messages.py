"""`/v1/messages` and "send me this first": one text at once, before any campaign's."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.events.campaign import WriteTo
from contracts.events.message import MessageRequested
from contracts.ids import event_id
from gateway.domain.records import Answer
from gateway.domain.refusals import Fault, Unacceptable
from gateway.domain.singles import Single
from gateway.handlers import singles as handlers
from gateway.handlers.singles import FirstLook
from gateway.ports import Work
from gateway.routes.deps import Once, Staff, The
from gateway.routes.organization_shapes import Fields
from gateway.routes.problems import as_response
from gateway.routes.texts import LongText, Number, Subject, Text, WholeNumber

router = APIRouter(tags=["messages"])
_TO = Annotated[Text, Field(min_length=1, max_length=50, examples=["+14155552671"])]


class MessageFields(Fields):
    """One text to one person."""

    to: _TO
    text: Annotated[LongText, Field(min_length=1, examples=["The meeting moved to room 4."])]
    imis_id: Annotated[Text, Field(max_length=50)] = ""
    from_number: Number | None = None
    write_to: WriteTo | None = Field(
        default=None, description="By default an activity where there is an iMIS id, else nothing."
    )
    log_subject: Subject = ""


class RequestedView(BaseModel):
    """A text that is on its way."""

    message_id: UUID
    run_id: UUID
    to: str
    from_number: str
    segments: int


class FirstLookFields(Fields):
    """Where to send it, and whose text it is."""

    to: _TO
    row: WholeNumber | None = Field(
        default=None, ge=0, description="A row of the summary's samples; by default the first."
    )


class FirstLookView(RequestedView):
    """A member's text on its way to its author."""

    row: int
    imis_id: str
    text: str
    note: str


_SENT = (
    "This text is really sent, even of a TEST campaign: it is charged, and counts against the "
    "day's limit. It is not written to iMIS."
)


def _shown(requested: MessageRequested) -> dict[str, Any]:
    return {
        "message_id": requested.message_id,
        "run_id": requested.run_id,
        "to": requested.to,
        "from_number": requested.from_number,
        "segments": requested.segments,
    }


@router.post(
    "/v1/messages", status_code=202, response_model=RequestedView, summary="Send one urgent text"
)
async def post_message(fields: MessageFields, gateway: The, staff: Staff, once: Once) -> Response:
    """It overtakes every campaign. The Idempotency-Key is required: one key, one text."""
    if once.key is None:
        told = "Send this header with a value of your own, so that a repeat sends nothing twice."
        raise Unacceptable([Fault("Idempotency-Key", told)])

    def answered(requested: MessageRequested) -> Answer:
        shown = RequestedView(**_shown(requested))
        location = {"Location": f"/v1/messages/{requested.message_id}"}
        return Answer(202, shown.model_dump_json().encode(), location)

    async def keep(work: Work, requested: MessageRequested) -> None:
        await once.keep(work, answered(requested))

    requested = await handlers.send(
        Single(**fields.model_dump()),
        key=once.key,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answered(requested))


@router.post(
    "/v1/campaigns/{campaign_id}/send-me-first",
    status_code=202,
    response_model=FirstLookView,
    summary="Send a member's text to yourself first",
)
async def post_send_me_first(
    campaign_id: UUID, fields: FirstLookFields, gateway: The, staff: Staff, once: Once
) -> Response:
    """A real row's text, exactly as that member would get it, to your own phone (X-13)."""

    def answered(look: FirstLook) -> Answer:
        shown = FirstLookView(
            **_shown(look.requested),
            row=look.sample.row,
            imis_id=look.sample.imis_id,
            text=look.requested.text,
            note=_SENT,
        )
        location = {"Location": f"/v1/messages/{look.requested.message_id}"}
        return Answer(202, shown.model_dump_json().encode(), location)

    async def keep(work: Work, look: FirstLook) -> None:
        await once.keep(work, answered(look))

    look = await handlers.send_me_first(
        campaign_id,
        fields.to,
        fields.row,
        key=once.key or str(event_id()),
        seconds=gateway.own.first_look_seconds,
        poll_seconds=gateway.own.summary_poll_seconds,
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        bell=gateway.bell,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answered(look))
