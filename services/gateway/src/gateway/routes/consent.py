"""`/v1/opt-outs`, `/v1/opt-ins`, `/v1/reviews`: who may not be texted (TM-20)."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from chassis.cells import csv_head, csv_lines
from contracts.events.consent import Consent, ConsentDecided, ReviewStatus
from gateway.domain.records import Answer
from gateway.handlers import consent as handlers
from gateway.handlers import lists
from gateway.handlers.consent import Wish
from gateway.ports import Work
from gateway.routes.bodies import LARGEST_FILE, TAKES_CSV, File
from gateway.routes.consent_shapes import (
    ConsentFields,
    ConsentView,
    ImportReport,
    OptOutList,
    OptOutShown,
    ReviewDecisionView,
    ReviewFields,
    ReviewList,
    ReviewShown,
)
from gateway.routes.csv_answers import CSV, csv_answer
from gateway.routes.cursors import AFTER_CAMPAIGN, cursor_of, read_cursor
from gateway.routes.deps import Once, Staff, The, Ticket
from gateway.routes.problems import as_response
from gateway.routes.uploads import lines_of
from readmodels.views import ReviewView

router = APIRouter(tags=["opting out"])
_PAGE = 500
_COLUMNS = ("number", "from_number", "since", "cause", "word", "by")
Cursor = Annotated[str | None, Query(pattern=AFTER_CAMPAIGN)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/v1/opt-outs", summary="List numbers that have opted out")
async def get_opt_outs(
    gateway: The, staff: Staff, cursor: Cursor = None, limit: Limit = 100
) -> OptOutList:
    """In no order that means something, each once."""
    found = await gateway.models.opt_outs(
        staff.organization_id, after=read_cursor(cursor), limit=limit + 1
    )
    items = [OptOutShown.of(each) for each in found[:limit]]
    further = cursor_of(found[limit - 1].consent_id) if len(found) > limit else None
    return OptOutList(items=items, next_cursor=further)


@router.get(
    "/v1/opt-outs.csv",
    summary="Export numbers that have opted out",
    response_class=StreamingResponse,
    responses=CSV,
)
async def get_opt_outs_csv(gateway: The, staff: Staff) -> StreamingResponse:
    """In the form that the import takes."""

    async def parts() -> AsyncIterator[bytes]:
        yield csv_head(_COLUMNS)
        after: UUID | None = None
        while page := await gateway.models.opt_outs(
            staff.organization_id, after=after, limit=_PAGE
        ):
            yield csv_lines(
                [
                    each.number,
                    each.from_number,
                    each.changed_at.isoformat(),
                    each.cause,
                    each.word,
                    each.by,
                ]
                for each in page
            )
            after = page[-1].consent_id

    return csv_answer(parts(), name="opt-outs")


async def _decide(
    fields: ConsentFields, consent: Consent, gateway: The, staff: Staff, once: Ticket
) -> Response:
    def answer(decided: ConsentDecided) -> Answer:
        return Answer(202, ConsentView.of(decided).model_dump_json().encode())

    async def keep(work: Work, decided: ConsentDecided) -> None:
        await once.keep(work, answer(decided))

    wish = Wish(fields.number, fields.from_number, consent, fields.note)
    return as_response(
        answer(
            await handlers.decide(
                wish, staff=staff, desk=gateway.desk, clock=gateway.clock, keep=keep
            )
        )
    )


@router.post(
    "/v1/opt-outs", status_code=202, response_model=ConsentView, summary="Opt a number out"
)
async def post_opt_out(fields: ConsentFields, gateway: The, staff: Staff, once: Once) -> Response:
    """It counts within a moment, in a campaign that is under way too."""
    return await _decide(fields, Consent.OPTED_OUT, gateway, staff, once)


@router.post(
    "/v1/opt-ins", status_code=202, response_model=ConsentView, summary="Opt a number in again"
)
async def post_opt_in(fields: ConsentFields, gateway: The, staff: Staff, once: Once) -> Response:
    """Who has opted out at Twilio stays out there: only they themselves can text START."""
    return await _decide(fields, Consent.OPTED_IN, gateway, staff, once)


@router.post(
    "/v1/opt-outs/import",
    status_code=202,
    summary="Import numbers that have opted out elsewhere",
    max_body_size=LARGEST_FILE,
    openapi_extra=TAKES_CSV,
)
async def post_import(file: File, gateway: The, staff: Staff) -> ImportReport:
    """CSV in UTF-8 with the column `number`, and `from_number` and `since` if you have them.

    A repeat changes nothing, so this POST takes no Idempotency-Key.
    """
    import_id, taken, rejections = await lists.import_opt_outs(
        file, staff=staff, desk=gateway.desk, clock=gateway.clock, own=gateway.own
    )
    return ImportReport(
        import_id=import_id,
        taken=taken,
        rejected_lines=rejections.count,
        rejected=lines_of(rejections),
    )


@router.get("/v1/reviews", summary="List texts that a person has to read")
async def get_reviews(
    gateway: The,
    staff: Staff,
    status: ReviewStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ReviewList:
    """Members' texts that may be a wish to be left alone."""
    found = await gateway.models.reviews(
        staff.organization_id, status=status, after=read_cursor(cursor), limit=limit + 1
    )
    items = [ReviewShown.of(each) for each in found[:limit]]
    further = cursor_of(found[limit - 1].review_id) if len(found) > limit else None
    return ReviewList(items=items, next_cursor=further)


@router.post(
    "/v1/reviews/{review_id}",
    status_code=202,
    response_model=ReviewDecisionView,
    summary="Say what a text meant",
)
async def post_review(
    review_id: UUID, fields: ReviewFields, gateway: The, staff: Staff, once: Once
) -> Response:
    """Opted out: as of when the member wrote it. Each text is decided once."""
    shown = ReviewDecisionView(review_id=review_id, status=fields.status)
    answer = Answer(202, shown.model_dump_json().encode())

    async def keep(work: Work, _review: ReviewView) -> None:
        await once.keep(work, answer)

    await handlers.decide_review(
        review_id,
        ReviewStatus(fields.status),
        staff=staff,
        desk=gateway.desk,
        models=gateway.models,
        clock=gateway.clock,
        keep=keep,
    )
    return as_response(answer)
