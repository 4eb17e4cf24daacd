"""Lists that staff uploaded, in SQL."""

from uuid import UUID

import orjson
from sqlalchemy import insert, select

from gateway.adapters.executor import Executor
from gateway.adapters.tables import UPLOADS
from gateway.domain.uploads import Upload


class SqlUploads:
    """Lists that were taken in whole."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def keep(self, upload: Upload) -> None:
        """Keep what a list has."""
        row = {
            "upload_id": upload.upload_id,
            "organization_id": upload.organization_id,
            "name": upload.name,
            "columns": orjson.dumps(upload.columns),
            "rows": upload.rows,
            "by": upload.by,
            "at": upload.at,
        }
        await self._executor.execute(insert(UPLOADS), row)

    async def get(self, organization_id: UUID, upload_id: UUID) -> Upload | None:
        """Return what a list has."""
        query = select(UPLOADS).where(
            UPLOADS.c.organization_id == organization_id, UPLOADS.c.upload_id == upload_id
        )
        row = (await self._executor.execute(query)).mappings().first()
        if row is None:
            return None
        return Upload(**{**row, "columns": tuple(orjson.loads(row["columns"]))})
