"""How many segments each run and each day has used, kept exact with the messages' states."""

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from chassis.store import Transaction, upsert
from sender.adapters.tables import DAY_USAGE, RUN_USAGE
from sender.domain.messages import counted


class UsageChange:
    """Gathers what the messages of one transaction use more, or give back."""

    def __init__(self) -> None:
        self._runs: Counter[UUID] = Counter()
        self._days: Counter[tuple[UUID, str, str]] = Counter()

    def move(self, row: Any, *, to: str, reason: str | None = None, day: str | None = None) -> None:
        """Count what a message's new state changes; `day` is given when it is claimed."""
        was, will = counted(row.state, row.reason), counted(to, reason)
        if was == will:
            return
        change = row.segments if will else -row.segments
        self._runs[row.run_id] += change
        on = day or row.day
        if on is not None:
            self._days[row.organization_id, on, row.from_number] += change

    async def write(self, transaction: Transaction) -> None:
        """Add it to the books."""
        runs = [{"run_id": run, "used": n} for run, n in sorted(self._runs.items()) if n]
        days = [
            {"organization_id": organization, "day": day, "from_number": number, "used": n}
            for (organization, day, number), n in sorted(self._days.items())
            if n
        ]
        if runs:
            await _add(transaction, RUN_USAGE, ["run_id"], runs)
        if days:
            await _add(transaction, DAY_USAGE, ["organization_id", "day", "from_number"], days)


async def _add(
    transaction: Transaction, table: Table, key: list[str], rows: list[dict[str, Any]]
) -> None:
    statement = upsert(transaction.connection, table)
    added = statement.on_conflict_do_update(
        index_elements=key, set_={"used": table.c.used + statement.excluded.used}
    )
    await transaction.execute(added, rows)
