"""A run's report, counted from the read models in one consistent picture."""

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.campaign import Mode
from notifier.adapters.sheet import Sheet
from notifier.domain.figures import UNDER_WAY, Count, Figures, Hour, Row, RunFacts
from notifier.ports import RunReport
from readmodels import queries
from readmodels.reader import Reader
from readmodels.views import HourCount, MessageView, RunState, RunView
from twilio_client.explained import meaning

PAGE = 2000


class ReadModels:
    """Reads what projections keeps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def complete(self, organization_id: UUID, run_id: UUID, *, rows: int) -> bool:
        """Whether they have the run to its end, with so many rows; asked at little cost."""
        async with self._reader.read() as connection:
            run = await queries.run(connection, organization_id, run_id)
            if run is None or run.state is not RunState.COMPLETED:
                return False
            progress = await queries.run_progress(connection, organization_id, run_id)
        if progress is None or progress.total < rows:
            return False
        return not {each.value for each in progress.by_status} & UNDER_WAY

    async def report(self, organization_id: UUID, run_id: UUID) -> RunReport | None:
        """Return a run's report as of now; None while the read models don't know the run."""
        async with self._reader.read() as connection:
            run = await queries.run(connection, organization_id, run_id)
            if run is None:
                return None
            figures, sheet = await _count(connection, organization_id, run_id)
            hours = _by_hour(await queries.run_hours(connection, organization_id, run_id))
        return RunReport(_facts(run), figures, sheet.attachment(), hours)


async def _count(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> tuple[Figures, Sheet]:
    """Count every row, a page at a time, so that a large run needs no more memory."""
    figures, sheet = Figures(), Sheet(f"run-{run_id}")
    after: int | None = None
    while page := await queries.messages(
        connection, organization_id, run_id, after_row=after, limit=PAGE
    ):
        rows = [_row(each) for each in page]
        for each in rows:
            figures.take(each)
        sheet.write((each, meaning(each.error_code) or "") for each in rows)
        after = rows[-1].row
    return figures, sheet


def _by_hour(found: Iterable[HourCount]) -> list[Hour]:
    return [
        Hour(begins, {str(each.status): Count(each.messages, each.segments) for each in counts})
        for begins, counts in groupby(found, key=lambda each: each.hour)
    ]


def _facts(run: RunView) -> RunFacts:
    return RunFacts(
        name=run.name or "",
        test=run.mode is Mode.TEST,
        occurrence=run.occurrence or "",
        due_at=run.due_at,
        started_at=run.started_at,
        completed_at=run.completed_at,
        from_number=run.from_number or "",
        resends_earlier=run.earlier_run_id is not None,
        alarm=run.alarm or "",
    )


def _row(each: MessageView) -> Row:
    return Row(
        row=each.row,
        imis_id=each.imis_id,
        to=each.to or "",
        status=each.status.value,
        reason=each.reason or "",
        error_code=each.error_code,
        segments=each.segments,
        sid=each.sid or "",
        attempted_at=each.attempted_at,
        status_at=each.status_at,
        activity="" if each.activity_state is None else each.activity_state.value,
        activity_seqn=each.activity_seqn or "",
    )
