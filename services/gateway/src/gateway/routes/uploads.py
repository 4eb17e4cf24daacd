"""`/v1/uploads`: lists of members that are uploaded instead of read from iMIS (X-11)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from gateway.domain.uploads import Rejections, Upload
from gateway.handlers import lists as handlers
from gateway.routes.bodies import LARGEST_FILE, TAKES_CSV, File
from gateway.routes.deps import Staff, The
from gateway.routes.texts import Name

router = APIRouter(tags=["audiences"])


class RejectedLine(BaseModel):
    """A line that was left out."""

    line: int = Field(description="Counted from 1; the header is 1.")
    reason: str


class UploadView(BaseModel):
    """A list that was taken in; a campaign's audience names it by `upload_id`."""

    upload_id: UUID
    name: str
    columns: list[str] = Field(description="What templates can use, and where the phone is.")
    rows: int
    by: str
    at: AwareDatetime

    @classmethod
    def of(cls, upload: Upload) -> "UploadView":
        """Show a list."""
        return cls(
            upload_id=upload.upload_id,
            name=upload.name,
            columns=list(upload.columns),
            rows=upload.rows,
            by=upload.by,
            at=upload.at,
        )


class UploadReport(UploadView):
    """A list as it was taken in, and what of it was not."""

    rejected_lines: int
    rejected: list[RejectedLine] = Field(description="The first hundred.")


def lines_of(rejections: Rejections) -> list[RejectedLine]:
    """Show lines that were left out."""
    return [RejectedLine(line=each.line, reason=each.reason) for each in rejections.first]


@router.post(
    "/v1/uploads",
    status_code=201,
    summary="Upload a list of members",
    max_body_size=LARGEST_FILE,
    openapi_extra=TAKES_CSV,
)
async def post_upload(
    file: File,
    gateway: The,
    staff: Staff,
    name: Annotated[Name, Query(description="How the list is called.")] = "List",
) -> UploadReport:
    """CSV in UTF-8, its first line the columns' names; commas, semicolons or tabs.

    It is read as it comes, so this POST takes no Idempotency-Key: a repeat is another list, and
    nothing is sent by it.
    """
    upload, rejections = await handlers.upload(
        name, file, staff=staff, desk=gateway.desk, clock=gateway.clock, own=gateway.own
    )
    return UploadReport(
        **UploadView.of(upload).model_dump(),
        rejected_lines=rejections.count,
        rejected=lines_of(rejections),
    )


@router.get("/v1/uploads/{upload_id}", summary="Show an uploaded list")
async def get_upload(upload_id: UUID, gateway: The, staff: Staff) -> UploadView:
    """Its columns and how many rows it has; the rows themselves are not shown."""
    return UploadView.of(await handlers.show_upload(upload_id, staff=staff, desk=gateway.desk))
