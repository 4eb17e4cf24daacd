"""Runs, messages and figures, as the projections made them from the log."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.settings import ServiceSettings
from contracts.events.audience import Reason
from contracts.events.message import MessageStatus
from gateway.adapters.figures import StoredFigures
from gateway.adapters.shown import STATES, message_of, run_of, unknown_of
from gateway.domain.views import Message, Progress, Run, Unknown
from readmodels import queries
from readmodels.reader import Reader
from readmodels.tables import MESSAGES
from readmodels.tables.messages import AMISS
from readmodels.views import (
    ActivityState,
    ActivityView,
    ErrorCount,
    HourCount,
    RowStatus,
    RunView,
    SkippedView,
    UnknownView,
)

_OPTED_OUT = 21610
_MISSED_FOR = (Reason.OVER_RUN_LIMIT, Reason.OVER_DAY_LIMIT, Reason.GIVEN_UP)
_MISSED = or_(
    and_(
        MESSAGES.c.status == RowStatus.FAILED,
        MESSAGES.c.sid.is_(None),
        func.coalesce(MESSAGES.c.error_code, 0) != _OPTED_OUT,
    ),
    and_(MESSAGES.c.status == RowStatus.EXCLUDED, MESSAGES.c.reason.in_(_MISSED_FOR)),
)
"""Texts that nobody got accepted, although their numbers are good and want them."""


class StoredReadModels(StoredFigures):
    """Reads what the projections wrote; what they haven't written yet is not there."""

    def __init__(self, settings: ServiceSettings) -> None:
        super().__init__(Reader(settings))

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
            state=STATES[found.state],
            by_status={str(key): each.messages for key, each in found.by_status.items()},
            recipients=found.recipients,
            total=found.total,
            settled=found.settled,
            segments=found.segments,
            settled_segments=found.settled_segments,
        )

    async def skipped(self, organization_id: UUID, campaign_id: UUID) -> list[SkippedView]:
        """Return a recurring campaign's times that passed unused."""
        async with self._reader.read() as connection:
            return await queries.skipped(connection, organization_id, campaign_id)

    async def run_errors(self, organization_id: UUID, run_id: UUID) -> list[ErrorCount]:
        """Return what a run's texts failed for, the most frequent first."""
        async with self._reader.read() as connection:
            return await queries.run_errors(connection, organization_id, run_id)

    async def run_hours(self, organization_id: UUID, run_id: UUID) -> list[HourCount]:
        """Return a run's messages by the hour of the attempt and their status."""
        async with self._reader.read() as connection:
            return await queries.run_hours(connection, organization_id, run_id)

    async def activities(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        state: ActivityState | None,
        after_row: int | None,
        limit: int,
    ) -> list[ActivityView]:
        """Return what became in iMIS of up to `limit` of a run's rows; a row's all or none."""
        async with self._reader.read() as connection:
            return await queries.activities(
                connection,
                organization_id,
                run_id,
                state=state,
                after_row=after_row,
                limit=limit,
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
        return [message_of(each) for each in found]

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        """Return a message."""
        async with self._reader.read() as connection:
            found = await queries.message(connection, organization_id, message_id)
        return None if found is None else message_of(found)

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        """Return unknown messages, the oldest first; of every organisation if None."""
        async with self._reader.read() as connection:
            found = await queries.unknown_messages(connection, organization_id, limit=limit)
        return [unknown_of(each) for each in found]

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
        return unknown_of(UnknownView.model_validate({**row, "reason": row["doubt"]}))


async def _with_counts(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[RunView]
) -> list[Run]:
    """Add to each run how many rows have each status, and why rows were left out."""
    ids = [each.run_id for each in runs]
    counts = await queries.counts_of(connection, organization_id, ids)
    statuses = {
        run_id: {str(status): each.messages for status, each in of.items()}
        for run_id, of in counts.items()
    }
    reasons = await queries.left_out_of(connection, organization_id, ids)
    missed = await _missed(connection, organization_id, runs, statuses)
    return [
        run_of(
            each,
            statuses.get(each.run_id, {}),
            reasons.get(each.run_id, {}),
            missed.get(each.run_id, 0),
        )
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
    suspects = [each for each in runs if telling & statuses.get(each.run_id, {}).keys()]
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
            MESSAGES.c.status.in_(telling),
            AMISS,
            _MISSED,
        )
        .group_by(MESSAGES.c.run_id)
    )
    return {row.run_id: row.missed for row in await connection.execute(query)}
