"""The read models' tables, written within one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Table, case, delete, func, select

from chassis.instants import now
from chassis.store import Transaction, upsert
from projections.adapters.rows import among, held_columns, rows_of, write_rows
from projections.adapters.states import write_states
from projections.adapters.sums import charges, counts, errors, hours, of_runs
from projections.domain.facts import RunFact
from projections.domain.figures import Figures
from projections.domain.row import Row, micros
from projections.domain.states import State, newest
from projections.ports import Owner
from readmodels.tables import (
    CHARGES,
    GAPS,
    MARKERS,
    MESSAGES,
    RUN_COUNTS,
    RUN_ERRORS,
    RUN_HOURS,
    RUNS,
)

_number = attrgetter("int")
_RUN_FIGURES = ("recipients", "rejected", "excluded", "segments")
_NO_FIGURES = dict.fromkeys(_RUN_FIGURES, 0)
_SUMS = ("messages", "segments")
_ALARM = ("alarm", "alarm_detail", "alarm_code", "alarm_advice")
_RUN_NEWEST = {
    "state_sequence": ("state", "state_sequence"),
    "alarm_sequence": (*_ALARM, "alarm_sequence"),
    "waiting_sequence": ("waiting", "waiting_sequence"),
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
        await self._add(RUN_COUNTS, _SUMS, counts(figures))
        await self._add(RUN_ERRORS, _SUMS, errors(figures))
        await self._add(RUN_HOURS, _SUMS, hours(figures))
        await self._add(CHARGES, _SUMS, charges(figures))
        await self._add(RUNS, _RUN_FIGURES, of_runs(figures, _NO_FIGURES))

    async def keep_states(self, states: Sequence[State]) -> None:
        """Keep the newest state of each thing."""
        for kind, found in newest(states).items():
            await write_states(self._connection, kind, found)

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

    async def mark(self, organizations: Collection[UUID]) -> None:
        """Let it be seen that something of these organisations changed."""
        statement = upsert(self._connection, MARKERS)
        new, old = statement.excluded.changes, MARKERS.c.changes
        statement = statement.on_conflict_do_update(
            index_elements=["organization_id"],
            set_={"changes": case((new > old, new), else_=old + 1)},
        )
        # The clock's reading rises over another generation's numbers too.
        at = micros(now())
        rows = [{"organization_id": each, "changes": at} for each in sorted(organizations)]
        if rows:
            await self._transaction.execute(statement, rows)

    async def _add(self, table: Table, figures: Sequence[str], rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = upsert(self._connection, table)
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: table.c[name] + statement.excluded[name] for name in figures},
        )
        await self._transaction.execute(statement, rows)


def _columns(fact: RunFact) -> dict[str, Any]:
    """Return a fact's fields, each the column of its name."""
    return {each.name: getattr(fact, each.name) for each in fields(fact)}
