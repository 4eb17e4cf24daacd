"""One suite for the port, on its fake and on its SQL adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from tests.projections import facts
from tests.projections.fakes import FakeReadModels
from tests.projections.models import Models, opened, url
from tests.projections.test_domain import moves
from tests.status.facts import (
    CAMPAIGN,
    ORGANIZATION,
    RUN,
    at,
    message,
    number,
    page,
    queued,
    recipient,
    submitted,
)

from chassis.subscription import Taken
from contracts.events.base import Event
from contracts.events.campaign import CampaignStatus, Mode
from contracts.events.message import MessageStatus, Unresolved
from projections.adapters.bookkeeping import keep_gaps
from projections.adapters.rows import DESCRIBED, HELD
from projections.adapters.tables import SqlReadModels
from projections.domain.facts import CampaignFact, RunFact
from projections.domain.figures import DAY_FIGURES, NOTHING, day_of, standing
from projections.domain.row import Row, Rows, messages_of
from projections.ports import Owner, ReadModels
from readmodels.tables import CAMPAIGNS, DAYS, GAPS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import RunState


@dataclass
class Port:
    """The port, each time in a transaction, and what it has kept, in one form for all."""

    models: Callable[[], AbstractAsyncContextManager[ReadModels]]
    kept: Callable[[type[Any], UUID], Awaitable[dict[str, Any]]]
    """The columns of the one kind of fact about the one thing."""
    figures: Callable[[], Awaitable[dict[Any, int]]]
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

    async def kept(kind: type[Any], key: UUID) -> dict[str, Any]:
        places: dict[type[Any], Any] = {
            CampaignFact: fake.campaigns,
            RunFact: fake.runs,
        }
        return {each.name: getattr(places[kind][key], each.name) for each in fields(kind)}

    async def figures() -> dict[Any, int]:
        added = fake.figures
        found: dict[Any, int] = {}
        found |= {(*key, "messages"): value for key, value in added.messages.items()}
        found |= {(*key, "segments"): value for key, value in added.segments.items()}
        found |= {(key[0], day_of(key[1]), key[2]): value for key, value in added.days.items()}
        found |= added.runs
        return {key: value for key, value in found.items() if value}

    async def row(message_id: UUID) -> dict[str, Any]:
        return {name: getattr(fake.rows[message_id], name) for name in DESCRIBED}

    async def lack(event: UUID) -> None:
        fake.gaps.add(event)

    async def lacking() -> set[UUID]:
        return fake.gaps

    return Port(models, kept, figures, row, lack, lacking)


def on_sql(store: Models) -> Port:
    @asynccontextmanager
    async def models() -> AsyncIterator[ReadModels]:
        async with store.store.transaction() as transaction:
            yield SqlReadModels(transaction)

    async def kept(kind: type[Any], key: UUID) -> dict[str, Any]:
        places: dict[type[Any], Any] = {CampaignFact: CAMPAIGNS, RunFact: RUNS}
        table = places.get(kind, MESSAGES)
        [own] = table.primary_key.columns
        async with store.store.read() as connection:
            row = (await connection.execute(select(table).where(own == key))).mappings().one()
        return {each.name: row[each.name] for each in fields(kind)}

    async def figures() -> dict[Any, int]:
        found: dict[Any, int] = {}
        async with store.store.read() as connection:
            for row in (await connection.execute(select(RUN_COUNTS))).mappings():
                for name in ("messages", "segments"):
                    found[row["run_id"], row["status"], name] = row[name]
            for row in (await connection.execute(select(DAYS))).mappings():
                for name in DAY_FIGURES:
                    found[row["organization_id"], row["day"], name] = row[name]
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

    return Port(models, kept, figures, row, lack, lacking)


@pytest.fixture(
    params=[
        "fake",
        "sqlite",
        "postgresql",
    ]
)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Port]:
    if request.param == "fake":
        yield on_fake()
        return
    async with opened(url(request.param, tmp_path)) as store:
        yield on_sql(store)


OWNER: Owner = (ORGANIZATION, RUN, CAMPAIGN)


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


async def test_rows_come_back_as_they_were_kept(port: Port) -> None:
    first = (queued(1), page([2]), facts.written(1), submitted(1, Unresolved(reason="timeout")))
    told = facts.status(1, 1, MessageStatus.SENT, segments=2, code=7)
    await take(port, *first)
    await take(port, told)
    async with port.models() as models:
        held = await models.hold(about(1, 2, 3))
        await models.keep([])
        assert await models.hold({}) == {}
    whole = Rows()
    for each in (*first, told):
        whole.take(each)
    for row in (1, 2):
        assert in_full(held[message(row)]) == in_full(whole.by_message[message(row)])
    assert message(3) not in held or held[message(3)].status is None


async def test_what_is_told_once_and_for_all_stays(port: Port) -> None:
    await take(port, facts.status(1, 1, MessageStatus.SENT))
    assert (await port.row(message(1)))["text"] is None
    await take(port, facts.queued_again(1, run=RUN))
    await take(port, facts.status(1, 2, MessageStatus.DELIVERED), facts.written(1))
    kept = await port.row(message(1))
    assert (kept["row"], kept["imis_id"], kept["to"]) == (1, "101", number(1))
    assert (kept["text"], kept["recipient_id"]) == ("Hello", recipient(1))
    assert kept["supersedes"] == message(1)


async def test_figures_add_up(port: Port) -> None:
    rows, was = Rows(), NOTHING
    for fact in (
        queued(1),
        facts.status(1, 1, MessageStatus.SENT, segments=2),
        facts.status(1, 2, MessageStatus.FAILED, segments=2),
    ):
        rows.take(fact)
        now = standing(rows.by_message[message(1)])
        async with port.models() as models:
            await models.add(moves(was, now))
        was = now
    assert await port.figures() == {
        (RUN, "failed", "messages"): 1,
        (RUN, "failed", "segments"): 2,
        (RUN, "recipients"): 1,
        (RUN, "segments"): 2,
        (ORGANIZATION, at(1).date(), "failed_messages"): 1,
    }


async def test_an_event_that_comes_after_all_closes_its_gap(port: Port) -> None:
    one, other = uuid4(), uuid4()
    await port.lack(one)
    await port.lack(other)
    async with port.models() as models:
        await models.mend([uuid4(), one])
    assert await port.lacking() == {other}


@pytest.mark.parametrize("order", [1, -1])
async def test_the_newest_of_a_campaign_stays(port: Port, order: int) -> None:
    old = CampaignFact(CAMPAIGN, ORGANIZATION, "Dues", CampaignStatus.DRAFT, 1)
    new = CampaignFact(CAMPAIGN, ORGANIZATION, "Dues 2026", CampaignStatus.SCHEDULED, 2)
    for fact in [old, new, old][::order]:
        async with port.models() as models:
            await models.keep_campaigns([fact])
    kept = await port.kept(CampaignFact, CAMPAIGN)
    assert (kept["name"], kept["status"], kept["sequence"]) == ("Dues 2026", "scheduled", 2)


@pytest.mark.parametrize("order", [1, -1])
async def test_what_is_known_of_a_run_grows(port: Port, order: int) -> None:
    run = uuid4()
    about: dict[str, Any] = {
        "run_id": run,
        "organization_id": ORGANIZATION,
        "campaign_id": CAMPAIGN,
    }
    steps = [
        RunFact(**about, name="Dues", mode=Mode.LIVE, due_at=at(0)),
        RunFact(**about, rows=0),
        RunFact(**about, state=RunState.SENDING, state_sequence=1, started_at=at(1)),
        RunFact(**about, state=RunState.COMPLETED, state_sequence=2, completed_at=at(2)),
        RunFact(**about, alarm="stalled", alarm_detail="1", alarm_sequence=3),
        RunFact(**about, alarm="does_not_add_up", alarm_detail="2", alarm_sequence=4),
        RunFact(**about, earlier_run_id=RUN),
    ]
    for step in steps[::order]:
        async with port.models() as models:
            await models.keep_runs([step])
    kept = await port.kept(RunFact, run)
    assert (kept["name"], kept["mode"], kept["rows"]) == ("Dues", "LIVE", 0)
    assert (kept["state"], kept["state_sequence"]) == ("completed", 2)
    assert (kept["alarm"], kept["alarm_detail"]) == ("does_not_add_up", "2")
    assert kept["earlier_run_id"] == RUN
    assert (kept["due_at"], kept["started_at"], kept["completed_at"]) == (at(0), at(1), at(2))
