"""Timers in SQL."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Uuid,
    func,
    select,
)

from chassis.instants import Instant
from chassis.latest import Latest
from chassis.store import Store, Transaction, upsert
from contracts.envelope import Envelope, decode, encode
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from scheduler.domain.timer import Timer
from timing.recurrence import Occurrence

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
TIMERS = Table(
    "timers",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("due_at", Instant, index=True),
    Column("dealt_until", Instant),
    Column("skips", Integer, nullable=False),
    Column("owed", LargeBinary, nullable=False),
    Column("type", String(80), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event", LargeBinary, nullable=False),
)
FIRED = Table(
    "fired",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("occurrence", String(80), primary_key=True),
    Column("run_id", Uuid, nullable=False),
)


class SqlTimers:
    """Timers within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def known(self, campaigns: Collection[UUID]) -> dict[UUID, Timer]:
        """Return the timers of these campaigns, and hold them for this transaction."""
        query = (
            select(TIMERS)
            .where(TIMERS.c.campaign_id.in_(campaigns))
            .order_by(TIMERS.c.campaign_id)
            .with_for_update()
        )
        rows = (await self._transaction.execute(query)).all()
        return {row.campaign_id: _timer(row) for row in rows}

    async def due(self, *, at: datetime, limit: int) -> list[Timer]:
        """Return the timers whose time has come, and hold them for this transaction."""
        query = (
            select(TIMERS)
            .where(TIMERS.c.due_at <= at)
            .order_by(TIMERS.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_timer(row) for row in (await self._transaction.execute(query)).all()]

    async def keep(self, timers: Sequence[Timer]) -> None:
        """Keep these timers; one of a newer state of its campaign stays as it is."""
        if not timers:
            return
        statement = upsert(self._transaction.connection, TIMERS)
        kept = [each.name for each in TIMERS.c if each.name != "campaign_id"]
        statement = statement.on_conflict_do_update(
            index_elements=["campaign_id"],
            set_={name: statement.excluded[name] for name in kept},
            where=TIMERS.c.sequence <= statement.excluded.sequence,
        )
        rows = sorted((_row(each) for each in timers), key=lambda row: row["campaign_id"])
        await self._transaction.execute(statement, rows)

    async def fire(self, runs: Sequence[CampaignDue]) -> set[UUID]:
        """Mark occurrences as fired; returns the runs of those that had not been before."""
        if not runs:
            return set()
        statement = (
            upsert(self._transaction.connection, FIRED)
            .on_conflict_do_nothing()
            .returning(FIRED.c.run_id)
        )
        rows = [
            {"campaign_id": run.campaign_id, "occurrence": run.occurrence, "run_id": run.run_id}
            for run in sorted(runs, key=lambda run: (run.campaign_id, run.occurrence))
        ]
        return set((await self._transaction.execute(statement, rows)).scalars())


class SqlDesk:
    """The scheduler's own database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def soonest(self) -> datetime | None:
        """Return when the next campaign is due."""
        async with self._store.read() as connection:
            found: datetime | None = await connection.scalar(select(func.min(TIMERS.c.due_at)))
        return found

    async def settings(self) -> dict[UUID, OrganizationSettings]:
        """Return every organisation's settings."""
        return {each.organization_id: each.settings for each in await SETTINGS.all(self._store)}

    @asynccontextmanager
    async def work(self) -> AsyncIterator[tuple[SqlTimers, Transaction]]:
        """Change timers and let events leave, together; nothing else may be awaited inside."""
        async with self._store.transaction() as transaction:
            yield SqlTimers(transaction), transaction


def _row(timer: Timer) -> dict[str, Any]:
    return {
        "campaign_id": timer.state.campaign_id,
        "sequence": timer.state.sequence,
        "due_at": timer.due_at,
        "dealt_until": timer.dealt_until,
        "skips": timer.skips,
        "owed": orjson.dumps([(each.nominal, each.at) for each in timer.owed]),
        "type": timer.state.type,
        "event_id": timer.campaign.id,
        "event": encode(timer.campaign)[1],
    }


def _timer(row: Row[Any]) -> Timer:
    headers = [("ce_type", row.type.encode()), ("ce_id", str(row.event_id).encode())]
    campaign = cast("Envelope[CampaignEvent]", decode(headers, row.event))
    owed = (Occurrence(name, datetime.fromisoformat(at)) for name, at in orjson.loads(row.owed))
    return Timer(campaign, row.due_at, row.dealt_until, row.skips, tuple(owed))
