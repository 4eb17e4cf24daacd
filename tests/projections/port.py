"""The projections' port in memory and on SQL, for one suite on both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import select
from tests.projections.fakes import SUMS, FakeReadModels
from tests.projections.models import Models
from tests.status.facts import CAMPAIGN, ORGANIZATION, RUN, message

from chassis.subscription import Taken
from contracts.events.base import Event
from projections.adapters.bookkeeping import keep_gaps
from projections.adapters.rows import DESCRIBED, HELD
from projections.adapters.tables import SqlReadModels
from projections.domain.facts import RunFact
from projections.domain.row import Row, Rows, messages_of
from projections.domain.states import Kind
from projections.ports import Owner, ReadModels
from readmodels.tables import (
    CHARGES,
    GAPS,
    MARKERS,
    MESSAGES,
    METADATA,
    RUN_COUNTS,
    RUN_ERRORS,
    RUN_HOURS,
    RUNS,
)

TABLES = (RUN_COUNTS, RUN_ERRORS, RUN_HOURS, CHARGES)
OWNER: Owner = (ORGANIZATION, RUN, CAMPAIGN)


@dataclass
class Port:
    """The port, each time in a transaction, and what it has kept, in one form for all."""

    models: Callable[[], AbstractAsyncContextManager[ReadModels]]
    run: Callable[[UUID], Awaitable[dict[str, Any]]]
    """What is known of a run."""
    states: Callable[[Kind], Awaitable[list[dict[str, Any]]]]
    """All states of a kind."""
    figures: Callable[[], Awaitable[dict[Any, int]]]
    changes: Callable[[UUID], Awaitable[int]]
    """How much has changed of an organisation's: a number that rises."""
    row: Callable[[UUID], Awaitable[dict[str, Any]]]
    """What is told once and for all of a message's row."""
    lack: Callable[[UUID], Awaitable[None]]
    """Let there be a gap that an event left."""
    lacking: Callable[[], Awaitable[set[UUID]]]


def on_fake() -> Port:
    fake = FakeReadModels()

    @asynccontextmanager
    async def models() -> AsyncIterator[ReadModels]:
        yield fake

    async def run(key: UUID) -> dict[str, Any]:
        return {each.name: getattr(fake.runs[key], each.name) for each in fields(RunFact)}

    async def states(kind: Kind) -> list[dict[str, Any]]:
        return [dict(each.values) for each in fake.states.values() if each.kind is kind]

    async def changes(organization: UUID) -> int:
        return fake.changes[organization]

    async def figures() -> dict[Any, int]:
        added = fake.figures
        found: dict[Any, int] = {}
        for name in SUMS:
            for key, (messages, segments) in getattr(added, name).items():
                found[name, *key, "messages"], found[name, *key, "segments"] = messages, segments
        found |= added.runs
        return {key: value for key, value in found.items() if value}

    async def row(message_id: UUID) -> dict[str, Any]:
        return {name: getattr(fake.rows[message_id], name) for name in DESCRIBED}

    async def lack(event: UUID) -> None:
        fake.gaps.add(event)

    async def lacking() -> set[UUID]:
        return fake.gaps

    return Port(models, run, states, figures, changes, row, lack, lacking)


def on_sql(store: Models) -> Port:
    @asynccontextmanager
    async def models() -> AsyncIterator[ReadModels]:
        async with store.store.transaction() as transaction:
            yield SqlReadModels(transaction)

    async def run(key: UUID) -> dict[str, Any]:
        async with store.store.read() as connection:
            found = await connection.execute(select(RUNS).where(RUNS.c.run_id == key))
            row = found.mappings().one()
        return {each.name: row[each.name] for each in fields(RunFact)}

    async def states(kind: Kind) -> list[dict[str, Any]]:
        async with store.store.read() as connection:
            found = (await connection.execute(select(METADATA.tables[kind]))).mappings()
            return [dict(each) for each in found]

    async def changes(organization: UUID) -> int:
        query = select(MARKERS.c.changes).where(MARKERS.c.organization_id == organization)
        async with store.store.read() as connection:
            return await connection.scalar(query) or 0

    async def figures() -> dict[Any, int]:
        found: dict[Any, int] = {}
        async with store.store.read() as connection:
            for called, table in zip(SUMS, TABLES, strict=True):
                key = [each.name for each in table.primary_key.columns]
                for row in (await connection.execute(select(table))).mappings():
                    for name in ("messages", "segments"):
                        found[called, *(row[each] for each in key), name] = row[name]
            for row in (await connection.execute(select(RUNS))).mappings():
                for name in ("recipients", "rejected", "excluded", "segments"):
                    found[row["run_id"], name] = row[name]
        return {key: value for key, value in found.items() if value}

    async def row(message_id: UUID) -> dict[str, Any]:
        query = select(*(MESSAGES.c[name] for name in DESCRIBED))
        async with store.store.read() as connection:
            found = await connection.execute(query.where(MESSAGES.c.message_id == message_id))
            return dict(found.mappings().one())

    async def lack(event: UUID) -> None:
        gap = Taken("message.queued", 0, event.int % 1000, "handler_failed", event)
        async with store.store.transaction() as transaction:
            await keep_gaps(transaction, [gap])

    async def lacking() -> set[UUID]:
        async with store.store.read() as connection:
            return set(await connection.scalars(select(GAPS.c.event_id)))

    return Port(models, run, states, figures, changes, row, lack, lacking)


def about(*rows: int) -> dict[UUID, Owner]:
    return {message(row): OWNER for row in rows}


def in_full(row: Row) -> dict[str, Any]:
    """Return what is held of a row."""
    return {name: getattr(row, name) for name in HELD}


async def take(port: Port, *events: Event) -> None:
    """Let rows take events, each batch in a transaction of its own."""
    async with port.models() as models:
        rows = Rows()
        wanted = {message_id: OWNER for each in events for message_id in messages_of(each)}
        rows.by_message = await models.hold(wanted)
        for each in events:
            rows.take(each)
        await models.keep([each for each in rows.by_message.values() if each.changed])
