"""Previews, and the answers kept for their Idempotency-Keys, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, insert, select, update

from chassis.store import upsert
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from gateway.adapters.executor import Executor, connection_of
from gateway.adapters.tables import IDEMPOTENCY, PREVIEWS
from gateway.domain.records import Answer, Kept, Preview, question_of

_PREVIEW = select(
    PREVIEWS.c.request, PREVIEWS.c.result, PREVIEWS.c.rows_read, PREVIEWS.c.rows_expected
)
_LOOKED_THROUGH = 10


class SqlPreviews:
    """Previews asked for and received."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def ask(self, request: AudiencePreviewRequested) -> None:
        """Keep what was asked."""
        row = {
            "preview_id": request.preview_id,
            "organization_id": request.organization_id,
            "campaign_id": request.campaign_id,
            "asked_at": request.occurred_at,
            "question": question_of(request),
            "request": request.model_dump_json().encode(),
            "result": None,
            "rows_read": 0,
            "rows_expected": None,
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

    async def progress(self, events: Sequence[AudiencePreviewProgressed]) -> None:
        """Keep how far previews have come; a preview never goes back."""
        statement = (
            update(PREVIEWS)
            .where(
                PREVIEWS.c.preview_id == bindparam("of_preview"),
                PREVIEWS.c.organization_id == bindparam("of_organization"),
                PREVIEWS.c.rows_read < bindparam("come"),
            )
            .values(rows_read=bindparam("come"), rows_expected=bindparam("expected"))
        )
        rows = [
            {
                "of_preview": each.preview_id,
                "of_organization": each.organization_id,
                "come": each.rows_read,
                "expected": each.rows_expected,
            }
            for each in events
        ]
        if rows:
            await self._executor.execute(statement, rows)

    async def forget(self, *, before: datetime) -> None:
        """Drop previews that were asked for before then."""
        await self._executor.execute(delete(PREVIEWS).where(PREVIEWS.c.asked_at < before))

    async def newest(
        self, organization_id: UUID, campaign_id: UUID, question: str, *, since: datetime
    ) -> Preview | None:
        """Return the newest preview that asked the same and has been answered without failure."""
        query = (
            _PREVIEW.where(
                PREVIEWS.c.organization_id == organization_id,
                PREVIEWS.c.campaign_id == campaign_id,
                PREVIEWS.c.asked_at >= since,
                PREVIEWS.c.question == question,
                PREVIEWS.c.result.is_not(None),
            )
            .order_by(PREVIEWS.c.asked_at.desc(), PREVIEWS.c.preview_id.desc())
            .limit(_LOOKED_THROUGH)
        )
        rows = (await self._executor.execute(query)).all()
        answered = (_preview(row) for row in rows)
        return next((each for each in answered if _succeeded(each)), None)

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        """Return a preview."""
        query = _PREVIEW.where(
            PREVIEWS.c.organization_id == organization_id, PREVIEWS.c.preview_id == preview_id
        )
        row = (await self._executor.execute(query)).first()
        return None if row is None else _preview(row)


def _preview(row: Any) -> Preview:
    request = AudiencePreviewRequested.model_validate_json(row.request)
    result = None if row.result is None else AudiencePreviewed.model_validate_json(row.result)
    return Preview(request, result, row.rows_read, row.rows_expected)


def _succeeded(preview: Preview) -> bool:
    return preview.result is not None and preview.result.failure is None


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
