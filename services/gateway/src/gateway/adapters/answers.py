"""Previews, and the answers kept for their Idempotency-Keys, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, insert, select, update

from chassis.store import upsert
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from gateway.adapters.executor import Executor, connection_of
from gateway.adapters.tables import IDEMPOTENCY, PREVIEWS
from gateway.domain.records import Answer, Kept, Preview


class SqlPreviews:
    """Previews asked for and received."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def ask(self, request: AudiencePreviewRequested) -> None:
        """Keep what was asked."""
        row = {
            "preview_id": request.preview_id,
            "organization_id": request.organization_id,
            "request": request.model_dump_json().encode(),
            "result": None,
        }
        await self._executor.execute(insert(PREVIEWS), row)

    async def receive(self, results: Sequence[AudiencePreviewed]) -> None:
        """Keep what came; the first answer to each stays."""
        statement = (
            update(PREVIEWS)
            .where(
                PREVIEWS.c.preview_id == bindparam("of_preview"),
                PREVIEWS.c.organization_id == bindparam("of_organization"),
                PREVIEWS.c.result.is_(None),
            )
            .values(result=bindparam("came"))
        )
        rows = [
            {
                "of_preview": each.preview_id,
                "of_organization": each.organization_id,
                "came": each.model_dump_json().encode(),
            }
            for each in results
        ]
        if rows:
            await self._executor.execute(statement, rows)

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        """Return a preview."""
        query = select(PREVIEWS.c.request, PREVIEWS.c.result).where(
            PREVIEWS.c.organization_id == organization_id, PREVIEWS.c.preview_id == preview_id
        )
        row = (await self._executor.execute(query)).first()
        if row is None:
            return None
        result = None if row.result is None else AudiencePreviewed.model_validate_json(row.result)
        return Preview(AudiencePreviewRequested.model_validate_json(row.request), result)


class SqlAnswers:
    """Answers kept for their Idempotency-Keys."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def get(self, organization_id: UUID, key: str) -> Kept | None:
        """Return what was answered first."""
        query = select(IDEMPOTENCY).where(
            IDEMPOTENCY.c.organization_id == organization_id, IDEMPOTENCY.c.key == key
        )
        row = (await self._executor.execute(query)).first()
        if row is None:
            return None
        return Kept(row.request_hash, Answer(row.status, row.body, orjson.loads(row.headers)))

    async def keep(self, organization_id: UUID, key: str, kept: Kept, *, at: datetime) -> bool:
        """Keep an answer; False when another request with this key was faster."""
        statement = (
            upsert(connection_of(self._executor), IDEMPOTENCY)
            .values(
                organization_id=organization_id,
                key=key,
                request_hash=kept.request_hash,
                status=kept.answer.status,
                headers=orjson.dumps(dict(kept.answer.headers)),
                body=kept.answer.body,
                kept_at=at,
            )
            .on_conflict_do_nothing()
        )
        return (await self._executor.execute(statement)).rowcount == 1

    async def forget(self, *, before: datetime) -> None:
        """Drop answers that were kept before then."""
        await self._executor.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.kept_at < before))
