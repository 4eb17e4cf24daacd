"""Lists that staff uploaded, in SQL: kept as they came, and read as an IQA is, page by page."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from pydantic_core import from_json, to_json
from sqlalchemy import func, select

from audience.adapters.tables import UPLOADS
from audience.domain.failures import NotHereYet
from chassis.store import Store, Transaction
from contracts.envelope import Envelope
from contracts.events.audience import AudienceRowsUploaded
from imis_client import Page


class SqlUploads:
    """Writes parts of lists down, within the consumer's transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(self, parts: Sequence[Envelope[AudienceRowsUploaded]]) -> None:
        """Keep parts of lists, each once."""
        rows = [_kept(each.event) for each in parts]
        rows.sort(key=lambda row: (row["upload_id"], row["part"]))
        await self._transaction.insert_new(UPLOADS, rows)


class UploadedRows:
    """The rows of uploaded lists; a page costs the memory of the parts that it lies in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, organization_id: UUID, upload_id: UUID, *, offset: int, limit: int
    ) -> Page:
        """Read one page of a list; raises `NotHereYet` while a part of it is missing."""
        own = (UPLOADS.c.upload_id == upload_id, UPLOADS.c.organization_id == organization_id)
        whole = select(func.sum(UPLOADS.c.row_count), func.max(UPLOADS.c.rows_in_all)).where(*own)
        parts = (
            select(UPLOADS.c.first_row, UPLOADS.c.columns, UPLOADS.c.rows)
            .where(
                *own,
                UPLOADS.c.first_row < offset + limit,
                UPLOADS.c.first_row + UPLOADS.c.row_count > offset,
            )
            .order_by(UPLOADS.c.first_row)
        )
        async with self._store.read() as connection:
            here, total = (await connection.execute(whole)).one()
            if total is None or here != total:
                raise NotHereYet("a part of the uploaded list has not arrived")
            found = (await connection.execute(parts)).all()
        rows = [
            row
            for first_row, columns, kept in found
            for row in _between(first_row, columns, kept, offset, offset + limit)
        ]
        end = offset + len(rows)
        return Page(rows, total, bool(rows) and end < total, end)


def _between(
    first_row: int, columns: bytes, kept: bytes, start: int, stop: int
) -> Iterator[dict[str, str]]:
    names = from_json(columns)
    for cells in from_json(kept)[max(0, start - first_row) : stop - first_row]:
        yield dict(zip(names, cells, strict=True))


def _kept(part: AudienceRowsUploaded) -> dict[str, object]:
    return {
        "upload_id": part.upload_id,
        "part": part.part,
        "organization_id": part.organization_id,
        "first_row": part.first_row,
        "row_count": len(part.lines),
        "rows_in_all": part.rows_in_all,
        "columns": to_json(part.columns),
        "rows": to_json(part.lines),
    }
