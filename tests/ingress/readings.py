"""Readings in memory and in SQL, behind one face, with a list that says what it is told."""

import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, cast
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy import text as sql
from tests.databases import DATABASES
from tests.ingress.doubles import KEY

from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, decode
from contracts.events.provider import TwilioMessageReceived
from ingress.adapters.readings import SqlReadings
from ingress.adapters.tables import KNOWN_TEXTS, METADATA
from ingress.domain import Lane, ListedText
from ingress.ports import Reading, Readings

INTERVAL, PAUSE, LEASE = (timedelta(seconds=seconds) for seconds in (300, 30, 120))


@dataclass
class Row:
    due_at: datetime
    soonest_at: datetime
    covered_until: datetime | None = None
    holder: UUID | None = None
    held_until: datetime | None = None


@dataclass
class Memory:
    rows: dict[Lane, Row] = field(default_factory=dict)
    known: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    left: list[Envelope[TwilioMessageReceived]] = field(default_factory=list)


@dataclass
class FakeReadings:
    memory: Memory = field(default_factory=Memory)
    holder: UUID = field(default_factory=uuid4)

    async def plan(self, lanes: Collection[Lane], *, at: datetime) -> None:
        for lane in lanes:
            self.memory.rows.setdefault(lane, Row(at, at))

    async def hurry(self) -> None:
        for row in self.memory.rows.values():
            row.due_at = min(row.due_at, row.soonest_at)

    async def claim(self, *, at: datetime, limit: int) -> list[Reading]:
        due = [
            (row.due_at, lane)
            for lane, row in self.memory.rows.items()
            if row.due_at <= at and (row.held_until is None or row.held_until <= at)
        ]
        taken = [lane for _, lane in sorted(due)[:limit]]
        for lane in taken:
            self.memory.rows[lane].holder = self.holder
            self.memory.rows[lane].held_until = at + LEASE
        return [Reading(lane, self.memory.rows[lane].covered_until) for lane in taken]

    async def settle(
        self,
        reading: Reading,
        texts: Sequence[Envelope[TwilioMessageReceived]],
        *,
        covered_until: datetime,
        at: datetime,
    ) -> int:
        before = len(self.memory.left)
        for each in texts:
            key = each.event.organization_id, each.event.message_sid
            if key not in self.memory.known:
                self.memory.known[key] = at
                self.memory.left.append(each)
        row = self.memory.rows[reading.lane]
        if row.holder == self.holder:
            self.memory.rows[reading.lane] = Row(at + INTERVAL, at + PAUSE, covered_until)
        return len(self.memory.left) - before

    async def give_back(self, reading: Reading, *, again_at: datetime) -> None:
        row = self.memory.rows[reading.lane]
        if row.holder == self.holder:
            self.memory.rows[reading.lane] = Row(again_at, again_at, row.covered_until)

    async def note(self, texts: Collection[tuple[UUID, str]], *, at: datetime) -> None:
        for each in texts:
            self.memory.known.setdefault(each, at)

    async def forget(self, *, before: datetime) -> None:
        self.memory.known = {k: at for k, at in self.memory.known.items() if at >= before}


class Desk(Protocol):
    """Several processes' readings on one database."""

    def process(self) -> Readings: ...

    async def left(self) -> list[Envelope[TwilioMessageReceived]]: ...

    async def known(self) -> set[str]: ...


@dataclass
class MemoryDesk:
    memory: Memory = field(default_factory=Memory)

    def process(self) -> FakeReadings:
        return FakeReadings(self.memory)

    async def left(self) -> list[Envelope[TwilioMessageReceived]]:
        return list(self.memory.left)

    async def known(self) -> set[str]:
        return {sid for _, sid in self.memory.known}


@dataclass
class SqlDesk:
    store: Store

    def process(self) -> SqlReadings:
        return SqlReadings(self.store, holder=uuid4(), lease=LEASE, interval=INTERVAL, pause=PAUSE)

    async def left(self) -> list[Envelope[TwilioMessageReceived]]:
        async with self.store.read() as connection:
            rows = (await connection.execute(select(OUTBOX).order_by(OUTBOX.c.position))).all()
        return [cast("Any", decode(headers_of(row.headers), row.value)) for row in rows]

    async def known(self) -> set[str]:
        async with self.store.read() as connection:
            return set((await connection.scalars(select(KNOWN_TEXTS.c.message_sid))).all())


@asynccontextmanager
async def sqlite_desk() -> AsyncIterator[SqlDesk]:
    with tempfile.TemporaryDirectory() as folder:
        async with _desk(f"sqlite:///{folder}", "ingress") as desk:
            yield desk


@asynccontextmanager
async def postgres_desk() -> AsyncIterator[SqlDesk]:
    """A desk in a schema of its own."""
    name = f"ingress_{uuid4().hex}"
    async with _desk(DATABASES.make(Path(name)), name) as desk:
        yield desk
        async with desk.store.transaction() as transaction:
            await transaction.execute(sql(f'DROP SCHEMA "{name}" CASCADE'))


@asynccontextmanager
async def _desk(url: str, name: str) -> AsyncIterator[SqlDesk]:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1", database_url=url, secret_key=KEY, instance="slot"
    )
    store = Store(settings, name=name, metadata=METADATA, power_safe=True)
    await store.start()
    try:
        yield SqlDesk(store)
    finally:
        await store.stop()


@dataclass
class FakeList:
    """Twilio's list: texts by lane, or what goes wrong with it."""

    found: dict[Lane, list[ListedText] | Exception] = field(default_factory=dict)
    asked: list[tuple[Lane, datetime]] = field(default_factory=list)

    def lanes(self) -> Collection[Lane]:
        return self.found.keys()

    async def texts(self, lane: Lane, *, since: datetime) -> Sequence[ListedText]:
        self.asked.append((lane, since))
        answer = self.found[lane]
        if isinstance(answer, Exception):
            raise answer
        return [each for each in answer if each.created_at >= since]
