"""Timers in SQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    func,
    select,
    update,
)

from chassis.instants import Instant
from chassis.latest import Latest
from chassis.store import Store, Transaction, keep_newest, upsert
from contracts.envelope import Envelope, decode, encode
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from scheduler.domain import due_at, occurrence

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
TIMERS = Table(
    "timers",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("occurrence", String(80), nullable=False),
    Column("due_at", Instant, index=True),
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

    async def fold(self, campaigns: Sequence[Envelope[CampaignEvent]]) -> None:
        """Take the states that are newer than what is known."""
        statement = keep_newest(self._transaction.connection, TIMERS, key="campaign_id")
        await self._transaction.execute(statement, [_row(each) for each in campaigns])

    async def due(self, *, at: datetime, limit: int) -> list[Envelope[CampaignEvent]]:
        """Return the campaigns whose time has come, and hold them for this transaction."""
        query = (
            select(TIMERS.c.event_id, TIMERS.c.type, TIMERS.c.event)
            .where(TIMERS.c.due_at <= at)
            .order_by(TIMERS.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._transaction.execute(query)).all()
        return [_envelope(row.type, row.event_id, row.event) for row in rows]

    async def fire(self, run: CampaignDue) -> bool:
        """Mark the occurrence as fired; False when it had been already."""
        statement = (
            upsert(self._transaction.connection, FIRED)
            .values(campaign_id=run.campaign_id, occurrence=run.occurrence, run_id=run.run_id)
            .on_conflict_do_nothing()
        )
        fired = await self._transaction.execute(statement)
        await self._transaction.execute(
            update(TIMERS).where(TIMERS.c.campaign_id == run.campaign_id).values(due_at=None)
        )
        return fired.rowcount == 1


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


def _row(envelope: Envelope[CampaignEvent]) -> dict[str, object]:
    event = envelope.event
    return {
        "campaign_id": event.campaign_id,
        "sequence": event.sequence,
        "occurrence": occurrence(event),
        "due_at": due_at(event),
        "type": event.type,
        "event_id": envelope.id,
        "event": encode(envelope)[1],
    }


def _envelope(event_type: str, event_id: UUID, event: bytes) -> Envelope[CampaignEvent]:
    headers = [("ce_type", event_type.encode()), ("ce_id", str(event_id).encode())]
    return cast("Envelope[CampaignEvent]", decode(headers, event))
