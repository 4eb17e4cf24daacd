"""The ports on memory and on SQL, behind one face, for tests that run on both."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select, text
from tests.audience.fakes import LEASE, InMemoryDesk, InMemoryIntake, InMemoryLedger, Memory
from tests.audience.orders import NOON, due, member, settings_changed
from tests.databases import DATABASES

from audience.adapters.desk import Holder, SqlDesk, take_back
from audience.adapters.intake import SqlIntake
from audience.adapters.ledger import SqlLedger
from audience.adapters.tables import METADATA, SETTINGS
from audience.domain.rows import Row, rows_of
from audience.ports import Claim, Desk, Kind, Ledger
from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, decode, seal
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue
from contracts.events.organization import OrganizationSettingsChanged


class Rig(Protocol):
    """A database and the processes that use it, each by its name."""

    async def take(self, *orders: Envelope[Any], at: datetime = NOON) -> None: ...

    async def change_settings(self, event: OrganizationSettingsChanged) -> None: ...

    def runs(self, process: str = "one", *, per_organization: int = 1) -> Desk[CampaignDue]: ...

    def previews(self, process: str = "one") -> Desk[AudiencePreviewRequested]: ...

    def ledger(self, process: str = "one") -> Ledger: ...

    async def published(self) -> list[Envelope[Event]]: ...


class MemoryRig:
    def __init__(self) -> None:
        self.memory = Memory()

    async def take(self, *orders: Envelope[Any], at: datetime = NOON) -> None:
        await InMemoryIntake(self.memory).take(orders, at=at)

    async def change_settings(self, event: OrganizationSettingsChanged) -> None:
        self.memory.change_settings(event)

    def runs(self, process: str = "one", *, per_organization: int = 1) -> Desk[CampaignDue]:
        return InMemoryDesk(self.memory, process, kind=Kind.RUN, per_organization=per_organization)

    def previews(self, process: str = "one") -> Desk[AudiencePreviewRequested]:
        return InMemoryDesk(self.memory, process, kind=Kind.PREVIEW)

    def ledger(self, process: str = "one") -> Ledger:
        return InMemoryLedger(self.memory, process)

    async def published(self) -> list[Envelope[Event]]:
        return list(self.memory.published)


class SqlRig:
    def __init__(self, store: Store) -> None:
        self.store = store

    def holder(self, process: str) -> Holder:
        return Holder("slot", process, LEASE)

    async def take(self, *orders: Envelope[Any], at: datetime = NOON) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).take(orders, at=at)

    async def change_settings(self, event: OrganizationSettingsChanged) -> None:
        async with self.store.transaction() as transaction:
            await SETTINGS.fold(transaction, [seal(event)])

    def runs(self, process: str = "one", *, per_organization: int = 1) -> Desk[CampaignDue]:
        return SqlDesk(
            self.store,
            self.holder(process),
            kind=Kind.RUN,
            order=CampaignDue,
            per_organization=per_organization,
        )

    def previews(self, process: str = "one") -> Desk[AudiencePreviewRequested]:
        return SqlDesk(
            self.store,
            self.holder(process),
            kind=Kind.PREVIEW,
            order=AudiencePreviewRequested,
            per_organization=1,
        )

    def ledger(self, process: str = "one") -> Ledger:
        return SqlLedger(self.store, holder=self.holder(process).name)

    async def restart(self, process: str) -> None:
        """Do what a process does as it starts in its predecessor's place."""
        await take_back(self.store, self.holder(process))

    async def published(self) -> list[Envelope[Event]]:
        async with self.store.read() as connection:
            query = select(OUTBOX.c.headers, OUTBOX.c.value).order_by(OUTBOX.c.position)
            found = (await connection.execute(query)).all()
        return [decode(headers_of(headers), value) for headers, value in found]


@asynccontextmanager
async def sqlite_rig(*, with_settings: bool = False) -> AsyncIterator[SqlRig]:
    with tempfile.TemporaryDirectory() as folder:
        async with _sql_rig(f"sqlite:///{folder}", "audience") as rig:
            if with_settings:
                await rig.change_settings(settings_changed())
            yield rig


@asynccontextmanager
async def postgres_rig() -> AsyncIterator[SqlRig]:
    """A rig in a schema of its own."""
    name = f"audience_{uuid4().hex}"
    async with _sql_rig(DATABASES.make(Path(name)), name) as rig:
        yield rig
        async with rig.store.transaction() as transaction:
            await transaction.execute(text(f'DROP SCHEMA "{name}" CASCADE'))


@asynccontextmanager
async def _sql_rig(url: str, name: str) -> AsyncIterator[SqlRig]:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="slot",
    )
    store = Store(settings, name=name, metadata=METADATA)
    await store.start()
    try:
        yield SqlRig(store)
    finally:
        await store.stop()


def events_of(envelopes: Sequence[Envelope[Event]], kind: type[Event]) -> list[Any]:
    return [each.event for each in envelopes if isinstance(each.event, kind)]


async def claimed(rig: Rig, process: str = "one") -> Claim[CampaignDue]:
    claim = await rig.runs(process).claim(at=NOON)
    assert claim is not None
    return claim


def rows(count: int, *, after: int = 0) -> list[Row]:
    audience = due().audience
    given = [member(str(number), name=f"Ann {number}") for number in range(after, after + count)]
    return rows_of(given, audience, after=after, is_first_page=False)
