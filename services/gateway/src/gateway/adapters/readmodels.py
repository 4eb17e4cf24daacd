"""Runs, messages and figures, as the projections made them from the log."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.settings import ServiceSettings
from contracts.events.audience import Reason
from contracts.events.message import MessageStatus
from gateway.domain.views import Message, Progress, Run, RunState, Unknown, Usage
from readmodels import queries
from readmodels.reader import Reader
from readmodels.tables import MESSAGES, RUN_COUNTS
from readmodels.views import MessageView, RowStatus, RunView, UnknownView

_OPTED_OUT = 21610
_MISSED_FOR = (Reason.OVER_RUN_LIMIT, Reason.OVER_DAY_LIMIT, Reason.GIVEN_UP)
_MISSED = or_(
    and_(
        MESSAGES.c.status == MessageStatus.FAILED,
        MESSAGES.c.sid.is_(None),
        func.coalesce(MESSAGES.c.error_code, 0) != _OPTED_OUT,
    ),
    MESSAGES.c.reason.in_(_MISSED_FOR),
)
"""Texts that nobody got accepted, although their numbers are good and want them."""
_STATES: Mapping[str, RunState] = {
    "preparing": "preparing",
    "sending": "sending",
    "completed": "completed",
    "failed": "failed",
}


class StoredReadModels:
    """Reads what the projections wrote; what they haven't written yet is not there."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._reader = Reader(settings)

    async def close(self) -> None:
        """Give the connections back."""
        await self._reader.close()

    async def run(self, organization_id: UUID, run_id: UUID) -> Run | None:
        """Return a run."""
        async with self._reader.read() as connection:
            found = await queries.run(connection, organization_id, run_id)
            shown = await _with_counts(connection, organization_id, [found] if found else [])
        return shown[0] if shown else None

    async def runs_of(self, organization_id: UUID, campaign_id: UUID) -> list[Run]:
        """Return a campaign's runs, the newest first."""
        async with self._reader.read() as connection:
            found = await queries.runs_of(connection, organization_id, campaign_id)
            return await _with_counts(connection, organization_id, found)

    async def progress(self, organization_id: UUID, run_id: UUID) -> Progress | None:
        """Return how far a run is, at little cost."""
        async with self._reader.read() as connection:
            found = await queries.run_progress(connection, organization_id, run_id)
        if found is None:
            return None
        return Progress(
            run_id=run_id,
            state=_STATES[found.state],
            by_status={str(key): each.messages for key, each in found.by_status.items()},
            recipients=found.recipients,
            total=found.total,
            settled=found.settled,
            segments=found.segments,
            settled_segments=found.settled_segments,
        )

    async def messages(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        status: RowStatus | None,
        after_row: int | None,
        limit: int,
    ) -> list[Message]:
        """Return some of a run's messages, by row."""
        async with self._reader.read() as connection:
            found = await queries.messages(
                connection,
                organization_id,
                run_id,
                status=status,
                after_row=after_row,
                limit=limit,
            )
        return [_message(each) for each in found]

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        """Return a message."""
        async with self._reader.read() as connection:
            found = await queries.message(connection, organization_id, message_id)
        return None if found is None else _message(found)

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        """Return unknown messages, the oldest first; of every organisation if None."""
        async with self._reader.read() as connection:
            found = await queries.unknown_messages(connection, organization_id, limit=limit)
        return [_unknown(each) for each in found]

    async def whose(self, message_id: UUID) -> UUID | None:
        """Return the organisation that a message belongs to: for operators."""
        query = select(MESSAGES.c.organization_id).where(MESSAGES.c.message_id == message_id)
        async with self._reader.read() as connection:
            found: UUID | None = await connection.scalar(query)
        return found

    async def unknown_message(self, organization_id: UUID, message_id: UUID) -> Unknown | None:
        """Return a message if nobody knows what became of it."""
        query = select(MESSAGES).where(
            MESSAGES.c.organization_id == organization_id,
            MESSAGES.c.message_id == message_id,
            MESSAGES.c.status == MessageStatus.UNKNOWN,
            MESSAGES.c.row.is_not(None),
        )
        async with self._reader.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        return _unknown(UnknownView.model_validate({**row, "reason": row["doubt"]}))

    async def usage(self, organization_id: UUID, *, at: datetime) -> Usage:
        """Return what the organisation has sent, by UTC days."""
        async with self._reader.read() as connection:
            found = await queries.dashboard(connection, organization_id, at.astimezone(UTC).date())
        return Usage(
            texts_today=found.today.texts,
            texts_this_month=found.this_month.texts,
            texts_lifetime=found.lifetime_sent,
            failed_lifetime=found.lifetime_failed,
            segments_today=found.today.segments,
        )


async def _with_counts(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[RunView]
) -> list[Run]:
    """Add to each run how many rows have each status, and why rows were left out."""
    statuses: dict[UUID, dict[str, int]] = defaultdict(dict)
    counts = select(RUN_COUNTS.c.run_id, RUN_COUNTS.c.status, RUN_COUNTS.c.messages).where(
        RUN_COUNTS.c.organization_id == organization_id,
        RUN_COUNTS.c.run_id.in_([each.run_id for each in runs]),
        RUN_COUNTS.c.messages > 0,
    )
    for row in (await connection.execute(counts)).all() if runs else ():
        statuses[row.run_id][row.status] = row.messages
    reasons: dict[UUID, dict[str, int]] = defaultdict(dict)
    left_out = [each.run_id for each in runs if each.rejected or each.excluded]
    why = (
        select(MESSAGES.c.run_id, MESSAGES.c.reason, func.count().label("left_out"))
        .where(
            MESSAGES.c.organization_id == organization_id,
            MESSAGES.c.run_id.in_(left_out),
            MESSAGES.c.reason.is_not(None),
        )
        .group_by(MESSAGES.c.run_id, MESSAGES.c.reason)
    )
    for row in (await connection.execute(why)).all() if left_out else ():
        reasons[row.run_id][row.reason] = row.left_out
    missed = await _missed(connection, organization_id, runs, statuses)
    return [
        _run(each, statuses[each.run_id], reasons[each.run_id], missed.get(each.run_id, 0))
        for each in runs
    ]


async def _missed(
    connection: AsyncConnection,
    organization_id: UUID,
    runs: Sequence[RunView],
    statuses: Mapping[UUID, Mapping[str, int]],
) -> dict[UUID, int]:
    """Count what each run missed; most runs have no row that can be, and cost nothing."""
    telling = {RowStatus.FAILED, RowStatus.EXCLUDED}
    suspects = [each for each in runs if telling & statuses[each.run_id].keys()]
    if not suspects:
        return {}
    later = [run_id for each in suspects for run_id in each.later_run_ids]
    stand_ins = select(MESSAGES.c.supersedes).where(
        MESSAGES.c.organization_id == organization_id,
        MESSAGES.c.run_id.in_(later),
        MESSAGES.c.supersedes.is_not(None),
    )
    query = (
        select(MESSAGES.c.run_id, func.count().label("missed"))
        .where(
            MESSAGES.c.organization_id == organization_id,
            MESSAGES.c.run_id.in_([each.run_id for each in suspects]),
            MESSAGES.c.message_id.not_in(stand_ins),
            _MISSED,
        )
        .group_by(MESSAGES.c.run_id)
    )
    return {row.run_id: row.missed for row in await connection.execute(query)}


def _unknown(found: UnknownView) -> Unknown:
    return Unknown(
        message_id=found.message_id,
        organization_id=found.organization_id,
        run_id=found.run_id,
        campaign_id=found.campaign_id,
        row=found.row,
        imis_id=found.imis_id,
        to=found.to or "",
        number=found.status_sequence,
        reason=found.reason,
        attempted_at=found.attempted_at,
        since=found.status_at,
    )


def _run(run: RunView, statuses: Mapping[str, int], reasons: Mapping[str, int], missed: int) -> Run:
    return Run(
        run_id=run.run_id,
        campaign_id=run.campaign_id,
        state=_STATES[run.state],
        name=run.name or "",
        mode=run.mode or "LIVE",
        due_at=run.due_at,
        started_at=run.started_at,
        completed_at=run.completed_at,
        failure=run.failure,
        rows=run.rows,
        messages=run.recipients - run.excluded,
        rejected=run.rejected,
        excluded=run.excluded,
        segments=run.segments,
        by_status=statuses,
        by_reason=reasons,
        missed=missed,
        earlier_run=run.earlier_run_id,
        later_runs=run.later_run_ids,
        alarm=run.alarm,
    )


def _message(found: MessageView) -> Message:
    return Message(
        message_id=found.message_id,
        run_id=found.run_id,
        campaign_id=found.campaign_id,
        imis_id=found.imis_id,
        row=found.row,
        to=found.to or "",
        text=found.text or "",
        segments=found.segments,
        status=found.status,
        reason=found.reason,
        error_code=found.error_code,
        sid=found.sid,
        attempted_at=found.attempted_at,
        changed_at=found.status_at,
        activity=found.activity_seqn,
        activity_state=found.activity_state,
    )
