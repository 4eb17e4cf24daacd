"""The read models' tables, written within one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Table, case, delete, func, select

from chassis.store import Transaction, keep_newest, upsert
from projections.adapters.rows import among, held_columns, rows_of, write_rows
from projections.domain.facts import CampaignFact, RunFact
from projections.domain.figures import DAY_FIGURES, Figures, day_of
from projections.domain.row import Row
from projections.ports import Owner
from readmodels.tables import CAMPAIGNS, DAYS, GAPS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import RunState

_number = attrgetter("int")
_RUN_FIGURES = ("recipients", "rejected", "excluded", "segments")
_NO_FIGURES = dict.fromkeys(_RUN_FIGURES, 0)
_RUN_NEWEST = {
    "state_sequence": ("state", "state_sequence"),
    "alarm_sequence": ("alarm", "alarm_detail", "alarm_sequence"),
}
"""What is replaced by what has the higher of a sequence."""
_RUN_KNOWN = (
    "name",
    "occurrence",
    "mode",
    "from_number",
    "due_at",
    "failure",
    "rows",
    "started_at",
    "completed_at",
    "earlier_run_id",
)


class SqlReadModels:
    """Read models within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    async def hold(self, about: Mapping[UUID, Owner]) -> dict[UUID, Row]:
        """Return the messages' rows that are there, held for this transaction."""
        wanted = sorted(about, key=_number)
        if self._connection.dialect.name == "postgresql":
            # A row that isn't there can't be locked. SQLite has one writer and needs no locks.
            names = ("message_id", "organization_id", "run_id", "campaign_id")
            bare = [
                dict(zip(names, (message_id, *about[message_id]), strict=True))
                for message_id in wanted
            ]
            await self._transaction.insert_new(MESSAGES, bare)
        dialect = self._connection.dialect
        these, parameters = among(dialect, wanted)
        query = held_columns(dialect).where(these).order_by(MESSAGES.c.message_id)
        found = await self._transaction.execute(query.with_for_update(), parameters)
        return rows_of(found.all(), about)

    async def keep(self, rows: Sequence[Row]) -> None:
        """Keep rows as they are now; what is told once and for all stays as it was first told."""
        if rows:
            await write_rows(self._connection, rows)

    async def add(self, figures: Figures) -> None:
        """Add to the figures."""
        counts = [
            {
                "run_id": run,
                "status": status,
                "organization_id": figures.owners[run][0],
                "messages": messages,
                "segments": figures.segments[run, status],
            }
            for (run, status), messages in sorted(figures.messages.items())
        ]
        await self._add(RUN_COUNTS, ["run_id", "status"], ["messages", "segments"], counts)
        await self._add(DAYS, ["organization_id", "day"], DAY_FIGURES, _by_day(figures.days))
        await self._add(RUNS, ["run_id"], _RUN_FIGURES, _by_run(figures))

    async def keep_campaigns(self, facts: Sequence[CampaignFact]) -> None:
        """Keep each campaign's newest state."""
        statement = keep_newest(self._connection, CAMPAIGNS, key="campaign_id")
        await self._transaction.execute(statement, [_columns(fact) for fact in facts])

    async def keep_runs(self, facts: Sequence[RunFact]) -> None:
        """Add to what is known of runs; the state and alarm of the highest sequence stay."""
        statement = upsert(self._connection, RUNS)
        new, old = statement.excluded, RUNS.c
        newest = {
            name: case((new[sequence] > old[sequence], new[name]), else_=old[name])
            for sequence, names in _RUN_NEWEST.items()
            for name in names
        }
        statement = statement.on_conflict_do_update(
            index_elements=["run_id"],
            set_={name: func.coalesce(old[name], new[name]) for name in _RUN_KNOWN} | newest,
        )
        rows = [
            _columns(fact) | _NO_FIGURES for fact in sorted(facts, key=lambda each: each.run_id)
        ]
        await self._transaction.execute(statement, rows)

    async def mend(self, events: Sequence[UUID]) -> None:
        """Close the gaps that these events had left."""
        open_gaps = set(await self._connection.scalars(select(GAPS.c.event_id)))
        closed = open_gaps & set(events)
        if closed:
            await self._transaction.execute(delete(GAPS).where(GAPS.c.event_id.in_(closed)))

    async def _add(
        self, table: Table, key: list[str], figures: Sequence[str], rows: list[dict[str, Any]]
    ) -> None:
        if not rows:
            return
        statement = upsert(self._connection, table)
        statement = statement.on_conflict_do_update(
            index_elements=key,
            set_={name: table.c[name] + statement.excluded[name] for name in figures},
        )
        await self._transaction.execute(statement, rows)


def _by_day(days: Counter[tuple[UUID, int, str]]) -> list[dict[str, Any]]:
    """Return one row a day, in a fixed order so that writers don't dead-lock."""
    rows: dict[tuple[UUID, date], dict[str, Any]] = {}
    for (organization, number, figure), value in sorted(days.items()):
        day = day_of(number)
        row = rows.setdefault(
            (organization, day),
            {"organization_id": organization, "day": day, **dict.fromkeys(DAY_FIGURES, 0)},
        )
        row[figure] = value
    return list(rows.values())


def _by_run(figures: Figures) -> list[dict[str, Any]]:
    """Return one row a run, in a fixed order so that writers don't dead-lock."""
    rows: dict[UUID, dict[str, Any]] = {}
    for (run, figure), value in figures.runs.items():
        organization, campaign = figures.owners[run]
        row = rows.setdefault(
            run,
            {
                "run_id": run,
                "organization_id": organization,
                "campaign_id": campaign,
                "state": RunState.PREPARING,
                "state_sequence": 0,
                **_NO_FIGURES,
            },
        )
        row[figure] = value
    return [rows[run] for run in sorted(rows)]


def _columns(fact: CampaignFact | RunFact) -> dict[str, Any]:
    """Return a fact's fields, each the column of its name."""
    return {each.name: getattr(fact, each.name) for each in fields(fact)}
