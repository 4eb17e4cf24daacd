"""The read models' tables, written within one transaction."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, case, func, select

from chassis.store import Transaction, keep_newest, upsert
from projections.adapters.rows import DECIDING, FIXED, columns_of, row_of
from projections.domain import DAY_FIGURES, Figures, Row, RowFact
from projections.ports import Activity, CampaignFact, Doubt, RunFact
from readmodels.tables import CAMPAIGNS, DAYS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import RunState

_RUN_FIGURES = ("recipients", "rejected", "excluded", "segments")
_NO_FIGURES = dict.fromkeys(_RUN_FIGURES, 0)
_RUN_NEWEST = ("state", "state_sequence")
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
)


class SqlReadModels:
    """Read models within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    async def hold(self, facts: Sequence[RowFact]) -> dict[UUID, Row]:
        """Return the rows that the facts are about, held for this transaction."""
        about = {fact.message_id: fact for fact in facts}
        if not about:
            return {}
        if self._connection.dialect.name == "postgresql":
            # A row that isn't there can't be locked. SQLite has one writer and needs no locks.
            bare = [
                {
                    "message_id": message_id,
                    "organization_id": fact.organization_id,
                    "run_id": fact.run_id,
                    "campaign_id": fact.campaign_id,
                }
                for message_id, fact in sorted(about.items(), key=lambda item: item[0])
            ]
            await self._transaction.insert_new(MESSAGES, bare)
        query = (
            select(MESSAGES.c.message_id, *(MESSAGES.c[name] for name in DECIDING))
            .where(MESSAGES.c.message_id.in_(about))
            .order_by(MESSAGES.c.message_id)
            .with_for_update()
        )
        found = (await self._transaction.execute(query)).all()
        return {each[0]: row_of(about[each[0]], each[1:]) for each in found}

    async def keep(self, rows: Collection[tuple[RowFact, Row]]) -> None:
        """Keep rows as they are now; the facts, all of one type, describe them."""
        if not rows:
            return
        written = [columns_of(fact, row) for fact, row in rows]
        statement = upsert(self._connection, MESSAGES)
        statement = statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={name: statement.excluded[name] for name in written[0] if name not in FIXED},
        )
        await self._transaction.execute(statement, written)

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
        """Add to what is known of runs; the state of the highest sequence stays."""
        statement = upsert(self._connection, RUNS)
        new, old = statement.excluded, RUNS.c
        newer = new.state_sequence > old.state_sequence
        statement = statement.on_conflict_do_update(
            index_elements=["run_id"],
            set_={name: func.coalesce(old[name], new[name]) for name in _RUN_KNOWN}
            | {name: case((newer, new[name]), else_=old[name]) for name in _RUN_NEWEST},
        )
        rows = [
            _columns(fact) | _NO_FIGURES for fact in sorted(facts, key=lambda each: each.run_id)
        ]
        await self._transaction.execute(statement, rows)

    async def keep_doubts(self, facts: Sequence[Doubt]) -> None:
        """Keep each message's newest doubt."""
        await self._keep_newest(MESSAGES.c.doubt_sequence, [_columns(fact) for fact in facts])

    async def keep_activities(self, facts: Sequence[Activity]) -> None:
        """Keep the newest that is known of each message's activity."""
        await self._keep_newest(MESSAGES.c.activity_sequence, [_columns(fact) for fact in facts])

    async def _keep_newest(self, sequence: Column[Any], rows: list[dict[str, Any]]) -> None:
        """Write the columns of one kind of fact, unless a newer such fact is there."""
        if not rows:
            return
        statement = upsert(self._connection, MESSAGES)
        names = [name for name in rows[0] if name not in FIXED]
        statement = statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={name: statement.excluded[name] for name in names},
            where=sequence < statement.excluded[sequence.name],
        )
        await self._transaction.execute(statement, sorted(rows, key=itemgetter("message_id")))

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


def _by_day(days: Counter[tuple[UUID, date, str]]) -> list[dict[str, Any]]:
    """Return one row a day, in a fixed order so that writers don't dead-lock."""
    rows: dict[tuple[UUID, date], dict[str, Any]] = {}
    for (organization, day, figure), value in sorted(days.items()):
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


def _columns(fact: CampaignFact | RunFact | Doubt | Activity) -> dict[str, Any]:
    """Return a fact's fields, each the column of its name."""
    return {each.name: getattr(fact, each.name) for each in fields(fact)}
