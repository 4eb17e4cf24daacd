"""The ledger with its intake, in memory and in SQL, and what a test asks of them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from tests.databases import database_in
from tests.imis_writer.fake_intake import FakeIntake, Row

from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, decode, seal
from contracts.events.activity import ActivitiesHeld, ActivityEvent, ActivityRetryRequested
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageQueued, MessageStatusChanged, RecipientExcluded
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from imis_writer.adapters.intake import SqlIntake
from imis_writer.adapters.ledger import SqlLedger
from imis_writer.adapters.tables import EFFECTS, METADATA, SETTINGS
from imis_writer.domain.doubts import Surroundings
from imis_writer.domain.effects import About, Effect, Key, State
from imis_writer.domain.outcomes import Change, overtaken

KEY = SecretStr(Fernet.generate_key().decode())
UNSETTLED = {State.CLAIMED, State.IN_DOUBT}
Told = ActivityEvent | ActivitiesHeld


def open_store(folder: Path) -> Store:
    settings = ServiceSettings(
        kafka_url="localhost:1", database_url=database_in(folder), secret_key=KEY, instance="w-1"
    )
    return Store(settings, name="imis-writer", metadata=METADATA, power_safe=True)


class FakeLedger(FakeIntake):
    """In memory; several processes share what there is."""

    def reopened(self, instance: str = "w-1") -> "FakeLedger":
        return FakeLedger(shared=self.shared, instance=instance)

    async def recover(self, *, at: datetime, look_at: datetime) -> int:
        dead = [
            row
            for row in self.rows.values()
            if row.lease_until is not None
            and row.claimed_by is not None
            and (
                row.lease_until < at
                or (row.claimed_by[0] == self.instance and row.claimed_by[1] != self.process)
            )
        ]
        for row in dead:
            row.state, row.not_before, row.lease_until = State.IN_DOUBT, look_at, None
            row.effect = replace(row.effect, looks=0)
        return len(dead)

    def _due(self, state: State, organization_id: UUID, at: datetime) -> list[Row]:
        due = [
            (row.not_before, number, row)
            for number, row in enumerate(self.rows.values())
            if row.effect.organization_id == organization_id
            and row.state is state
            and row.not_before is not None
            and row.not_before <= at
        ]
        return [row for *_, row in sorted(due, key=lambda each: each[:2])]

    async def organizations(self, *, at: datetime) -> list[UUID]:
        return [
            each
            for each, settings in self.shared.known.items()
            if not await self.held(settings)
            if self._due(State.READY, each, at) or self._due(State.IN_DOUBT, each, at)
        ]

    async def claim(
        self, organization_id: UUID, *, at: datetime, lease_until: datetime, limit: int
    ) -> list[Effect]:
        claimed = self._due(State.READY, organization_id, at)[:limit]
        for row in claimed:
            row.state, row.not_before, row.lease_until = State.CLAIMED, None, lease_until
            row.claimed_by = self.instance, self.process
            row.effect = replace(row.effect, attempts=row.effect.attempts + 1, looks=0)
        return [row.effect for row in claimed]

    async def doubts(self, organization_id: UUID, *, at: datetime, limit: int) -> list[Effect]:
        return [row.effect for row in self._due(State.IN_DOUBT, organization_id, at)[:limit]]

    async def around(self, organization_id: UUID, imis_ids: Sequence[str]) -> Surroundings:
        theirs = [
            row
            for row in self.rows.values()
            if row.effect.organization_id == organization_id and row.effect.imis_id in imis_ids
        ]
        unsettled = {*UNSETTLED, State.UNKNOWN}
        return Surroundings(
            frozenset(row.effect.seqn for row in theirs if row.effect.seqn is not None),
            [row.effect for row in theirs if row.state in unsettled],
        )

    async def record(self, changes: Sequence[Change]) -> None:
        for told in changes:
            row = self.rows[told.effect.key]
            current = row.effect.attempts == told.effect.attempts and (
                told.certain or row.effect.looks == told.effect.looks
            )
            if row.state not in UNSETTLED or not current:
                continue
            change = overtaken(told, undo=row.undo, delivered=row.effect.delivered)
            row.state, row.not_before, row.lease_until = change.state, change.not_before, None
            row.undo = row.undo and change.state is State.IN_DOUBT
            row.effect = replace(change.after, delivered=row.effect.delivered)
            if change.event is not None:
                row.effect = replace(row.effect, sequence=change.event.sequence)
                self.shared.told.append(change.event)

    async def hold(
        self, organization: OrganizationSettingsChanged, reason: str, *, at: datetime
    ) -> None:
        if await self.held(organization):
            return
        self.shared.holds[organization.organization_id] = organization.sequence
        self.shared.told.append(
            ActivitiesHeld(
                organization_id=organization.organization_id,
                occurred_at=at,
                sequence=organization.sequence,
                settings_sequence=organization.sequence,
                reason=reason,
            )
        )

    async def held(self, organization: OrganizationSettingsChanged) -> bool:
        known = self.shared.holds.get(organization.organization_id, -1)
        return known >= organization.sequence

    async def know(self, event: OrganizationSettingsChanged) -> None:
        self.shared.known[event.organization_id] = event

    async def state(self, message_id: UUID, about: About = About.TEXT) -> str | None:
        row = self.rows.get(Key(message_id, about))
        return None if row is None else row.state.value

    async def published(self) -> list[Told]:
        return self.shared.told


class SqlKept(SqlLedger):
    """In a database."""

    def __init__(self, store: Store, instance: str = "w-1") -> None:
        super().__init__(store, instance=instance, process=uuid4())
        self.store = store

    def reopened(self, instance: str = "w-1") -> "SqlKept":
        return SqlKept(self.store, instance)

    async def know(self, event: OrganizationSettingsChanged) -> None:
        async with self.store.transaction() as transaction:
            await SETTINGS.fold(transaction, [seal(event)])

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        async with self.store.transaction() as transaction:
            return await SqlIntake(transaction).settings(organizations)

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).queued(messages)

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).succeeded(statuses)

    async def refused(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).refused(statuses)

    async def excluded(self, excluded: Sequence[Envelope[RecipientExcluded]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).excluded(excluded)

    async def consents(self, consents: Sequence[Envelope[ConsentChanged]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).consents(consents)

    async def retry(self, requests: Sequence[Envelope[ActivityRetryRequested]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).retry(requests)

    async def state(self, message_id: UUID, about: About = About.TEXT) -> str | None:
        query = select(EFFECTS.c.state).where(
            EFFECTS.c.message_id == message_id, EFFECTS.c.about == about
        )
        async with self.store.read() as connection:
            return cast("str | None", await connection.scalar(query))

    async def published(self) -> list[Told]:
        async with self.store.read() as connection:
            query = select(OUTBOX.c.headers, OUTBOX.c.value).order_by(OUTBOX.c.position)
            rows = (await connection.execute(query)).all()
        events = [decode(headers_of(row.headers), row.value).event for row in rows]
        return cast("list[Told]", events)


Kept = FakeLedger | SqlKept
