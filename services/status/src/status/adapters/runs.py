"""How far each run has come, in SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from chassis.store import Transaction, upsert
from contracts.events.audience import Totals
from contracts.events.run import RunAlarm
from status.adapters.tables import COUNTED, RUNS
from status.domain.run import Phase, Run, Tally

_COUNTS = ("pages", "recipients", "rejected", "heard", "excluded", "settled")
_KEPT = ("phase", "sequence", "alarms", "waiting_since")
_AT_ONCE = 500
_TOTALS = ("rows", "recipients", "rejected", "segments")


class SqlRuns:
    """Runs within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def count_once(self, facts: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        """Return which of these facts (subject, number) were never counted; now they are."""
        if not facts:
            return set()
        statement = (
            upsert(self._transaction.connection, COUNTED)
            .on_conflict_do_nothing()
            .returning(COUNTED.c.subject, COUNTED.c.number)
        )
        rows = [{"subject": subject, "number": number} for subject, number in sorted(facts)]
        return {
            (row.subject, row.number) for row in await self._transaction.execute(statement, rows)
        }

    async def add(self, tallies: Mapping[UUID, Tally]) -> list[Run]:
        """Add to the runs, and return them as they are now, held for this transaction."""
        statement = upsert(self._transaction.connection, RUNS)
        new = statement.excluded
        kept = ["failure", *(f"total_{name}" for name in _TOTALS)]
        statement = statement.on_conflict_do_update(
            index_elements=["run_id"],
            set_={name: RUNS.c[name] + new[name] for name in _COUNTS}
            | {name: func.coalesce(RUNS.c[name], new[name]) for name in kept},
        )
        rows = [_row(run_id, tallies[run_id]) for run_id in sorted(tallies)]
        await self._transaction.execute(statement, rows)
        query = select(RUNS).where(RUNS.c.run_id.in_(tallies))
        return [_run(row) for row in (await self._transaction.execute(query)).all()]

    async def keep(self, runs: Sequence[Run]) -> None:
        """Keep what runs came to: their phase, their alarms, since when they wait."""
        if runs:
            await self._transaction.execute(
                update(RUNS)
                .where(RUNS.c.run_id == bindparam("moved"))
                .values({name: bindparam(f"new_{name}") for name in _KEPT}),
                [
                    {
                        "moved": run.run_id,
                        "new_phase": run.phase,
                        "new_sequence": run.sequence,
                        "new_alarms": ",".join(sorted(run.alarms)),
                        "new_waiting_since": run.waiting_since,
                    }
                    for run in runs
                ],
            )

    async def silent_since(self, before: datetime) -> list[Run]:
        """Return runs that have waited since before then, held for this transaction."""
        query = (
            select(RUNS)
            .where(RUNS.c.waiting_since <= before)
            .order_by(RUNS.c.run_id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        return [_run(row) for row in (await self._transaction.execute(query)).all()]


def _row(run_id: UUID, tally: Tally) -> dict[str, object]:
    return {
        "run_id": run_id,
        "organization_id": tally.organization_id,
        "campaign_id": tally.campaign_id,
        "failure": tally.failure,
        "phase": Phase.EXPECTED,
        "sequence": 0,
        "alarms": "",
        **{name: getattr(tally, name) for name in _COUNTS},
        **{f"total_{name}": getattr(tally.totals, name, None) for name in _TOTALS},
    }


def _run(row: Any) -> Run:
    totals = {name: getattr(row, f"total_{name}") for name in _TOTALS}
    return Run(
        run_id=row.run_id,
        organization_id=row.organization_id,
        campaign_id=row.campaign_id,
        **{name: getattr(row, name) for name in _COUNTS},
        totals=None if totals["rows"] is None else Totals.model_validate(totals),
        failure=row.failure,
        phase=Phase(row.phase),
        sequence=row.sequence,
        alarms=frozenset(RunAlarm(each) for each in row.alarms.split(",") if each),
        waiting_since=row.waiting_since,
    )
