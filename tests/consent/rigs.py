"""The consent service's handlers on memory and on SQL, behind one face."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast
from uuid import uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy import text as sql
from tests.consent.fakes import (
    FakeAside,
    FakeLedger,
    FakeOrganizations,
    FakeOutbox,
    FakeReviews,
    FakeWatch,
)
from tests.databases import DATABASES

from chassis.outbox import OUTBOX, headers_of
from chassis.secrets import Fingerprints
from chassis.settings import ServiceSettings
from chassis.store import Store
from consent import handlers
from consent.adapters.aside import SqlAside, SqlOrganizations
from consent.adapters.ledger import SqlLedger
from consent.adapters.reviews import SqlReviews
from consent.adapters.tables import ASIDE, DECISIONS, METADATA, PAIRS, REVIEWS, SETTINGS
from consent.subscribers import Hearing
from contracts.envelope import Envelope, decode, seal
from contracts.events.base import Event
from contracts.events.consent import (
    ConsentChanged,
    ConsentDecided,
    OptOutsImported,
    ReviewDecided,
)
from contracts.events.message import MessageStatusChanged
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioMessageReceived

KEY = SecretStr(Fernet.generate_key().decode())
NAMES = Fingerprints(KEY)


def consents(told: Sequence[Envelope[Event]]) -> list[Envelope[ConsentChanged]]:
    """Leave out everything that says nothing of a pair."""
    return [
        cast("Envelope[ConsentChanged]", each)
        for each in told
        if isinstance(each.event, ConsentChanged)
    ]


class Rig(Protocol):
    watch: FakeWatch

    async def change_settings(self, event: OrganizationSettingsChanged) -> None: ...

    async def texts(self, *told: Envelope[TwilioMessageReceived]) -> None: ...

    async def refusals(self, *told: Envelope[MessageStatusChanged]) -> None: ...

    async def again(self) -> bool: ...

    async def staff(self, *told: Envelope[ConsentDecided]) -> None: ...

    async def imports(self, *told: Envelope[OptOutsImported]) -> None: ...

    async def decide(self, *told: Envelope[ReviewDecided]) -> None: ...

    async def told(self) -> list[Envelope[Event]]:
        """Every event that left, in order."""

    async def published(self) -> list[Envelope[ConsentChanged]]: ...

    async def standings(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Each pair that ever moved: (from_number, number) → (consent, sequence)."""

    async def history(self) -> list[tuple[str, str, str, str, str]]:
        """Every decision: from_number, consent, cause, word, by; in the order of their times."""

    async def to_read(self) -> list[str]: ...

    async def set_aside(self) -> int: ...


@dataclass
class MemoryRig:
    organizations: FakeOrganizations = field(default_factory=FakeOrganizations)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    reviews: FakeReviews = field(default_factory=FakeReviews)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    watch: FakeWatch = field(default_factory=FakeWatch)

    def __post_init__(self) -> None:
        self.aside = FakeAside(self.organizations)

    async def change_settings(self, event: OrganizationSettingsChanged) -> None:
        self.organizations.known[event.organization_id] = event

    async def texts(self, *told: Envelope[TwilioMessageReceived]) -> None:
        await handlers.take_texts(
            told,
            organizations=self.organizations,
            names=NAMES,
            ledger=self.ledger,
            reviews=self.reviews,
            aside=self.aside,
            outbox=self.outbox,
            watch=self.watch,
        )

    async def refusals(self, *told: Envelope[MessageStatusChanged]) -> None:
        await handlers.take_refusals(
            told,
            organizations=self.organizations,
            names=NAMES,
            ledger=self.ledger,
            aside=self.aside,
            outbox=self.outbox,
            watch=self.watch,
        )

    async def again(self) -> bool:
        told: Sequence[Any] = await self.aside.take(limit=100)
        await self.texts(*(e for e in told if isinstance(e.event, TwilioMessageReceived)))
        await self.refusals(*(e for e in told if isinstance(e.event, MessageStatusChanged)))
        return bool(told)

    async def staff(self, *told: Envelope[ConsentDecided]) -> None:
        await handlers.follow_staff(
            told,
            organizations=self.organizations,
            names=NAMES,
            ledger=self.ledger,
            outbox=self.outbox,
        )

    async def imports(self, *told: Envelope[OptOutsImported]) -> None:
        await handlers.import_opt_outs(told, names=NAMES, ledger=self.ledger, outbox=self.outbox)

    async def decide(self, *told: Envelope[ReviewDecided]) -> None:
        await handlers.decide_reviews(
            told,
            organizations=self.organizations,
            names=NAMES,
            ledger=self.ledger,
            reviews=self.reviews,
            outbox=self.outbox,
        )

    async def told(self) -> list[Envelope[Event]]:
        return list(self.outbox.left)

    async def published(self) -> list[Envelope[ConsentChanged]]:
        return consents(await self.told())

    async def standings(self) -> dict[tuple[str, str], tuple[str, int]]:
        return {
            (each.pair.from_number, each.pair.number): (each.consent.value, each.sequence)
            for each in self.ledger.standings.values()
            if each.sequence
        }

    async def history(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (each.pair.from_number, each.consent.value, each.cause.value, each.word, each.by)
            for each in sorted(
                self.ledger.decisions.values(), key=lambda each: (each.at, each.pair.from_number)
            )
        ]

    async def to_read(self) -> list[str]:
        return [each.text for each in self.reviews.kept.values()]

    async def set_aside(self) -> int:
        return len(self.aside.kept)


@dataclass
class SqlRig:
    store: Store
    watch: FakeWatch = field(default_factory=FakeWatch)

    async def change_settings(self, event: OrganizationSettingsChanged) -> None:
        async with self.store.transaction() as transaction:
            await SETTINGS.fold(transaction, [seal(event)])

    async def texts(self, *told: Envelope[TwilioMessageReceived]) -> None:
        async with self.store.transaction() as transaction:
            await handlers.take_texts(
                told,
                organizations=SqlOrganizations(transaction),
                names=NAMES,
                ledger=SqlLedger(transaction),
                reviews=SqlReviews(transaction),
                aside=SqlAside(transaction),
                outbox=transaction,
                watch=self.watch,
            )

    async def refusals(self, *told: Envelope[MessageStatusChanged]) -> None:
        async with self.store.transaction() as transaction:
            await handlers.take_refusals(
                told,
                organizations=SqlOrganizations(transaction),
                names=NAMES,
                ledger=SqlLedger(transaction),
                aside=SqlAside(transaction),
                outbox=transaction,
                watch=self.watch,
            )

    async def again(self) -> bool:
        return await Hearing(NAMES, at_once=100).again(self.store)

    async def staff(self, *told: Envelope[ConsentDecided]) -> None:
        async with self.store.transaction() as transaction:
            await Hearing(NAMES, at_once=100).staff(transaction, list(told))

    async def imports(self, *told: Envelope[OptOutsImported]) -> None:
        async with self.store.transaction() as transaction:
            await Hearing(NAMES, at_once=100).imports(transaction, list(told))

    async def decide(self, *told: Envelope[ReviewDecided]) -> None:
        async with self.store.transaction() as transaction:
            await Hearing(NAMES, at_once=100).reviews(transaction, list(told))

    async def told(self) -> list[Envelope[Event]]:
        rows = await self._all(select(OUTBOX).order_by(OUTBOX.c.position))
        return [decode(headers_of(row.headers), row.value) for row in rows]

    async def published(self) -> list[Envelope[ConsentChanged]]:
        return consents(await self.told())

    async def standings(self) -> dict[tuple[str, str], tuple[str, int]]:
        rows = await self._all(select(PAIRS).where(PAIRS.c.sequence > 0))
        return {(row.from_number, row.number): (row.consent, row.sequence) for row in rows}

    async def history(self) -> list[tuple[str, str, str, str, str]]:
        query = (
            select(DECISIONS, PAIRS.c.from_number)
            .join(PAIRS, PAIRS.c.consent_id == DECISIONS.c.consent_id)
            .order_by(DECISIONS.c.at, PAIRS.c.from_number)
        )
        return [
            (row.from_number, row.consent, row.cause, row.word, row.by)
            for row in await self._all(query)
        ]

    async def to_read(self) -> list[str]:
        return [row.text for row in await self._all(select(REVIEWS).order_by(REVIEWS.c.at))]

    async def set_aside(self) -> int:
        return len(await self._all(select(ASIDE)))

    async def _all(self, query: Any) -> Sequence[Any]:
        async with self.store.read() as connection:
            return (await connection.execute(query)).all()


@asynccontextmanager
async def sqlite_rig() -> AsyncIterator[SqlRig]:
    with tempfile.TemporaryDirectory() as folder:
        async with _sql_rig(f"sqlite:///{folder}", "consent") as rig:
            yield rig


@asynccontextmanager
async def postgres_rig() -> AsyncIterator[SqlRig]:
    """A rig in a schema of its own."""
    name = f"consent_{uuid4().hex}"
    async with _sql_rig(DATABASES.make(Path(name)), name) as rig:
        yield rig
        async with rig.store.transaction() as transaction:
            await transaction.execute(sql(f'DROP SCHEMA "{name}" CASCADE'))


@asynccontextmanager
async def _sql_rig(url: str, name: str) -> AsyncIterator[SqlRig]:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1", database_url=url, secret_key=KEY, instance="slot"
    )
    store = Store(settings, name=name, metadata=METADATA)
    await store.start()
    try:
        yield SqlRig(store)
    finally:
        await store.stop()
