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
from tests.projections.fakes import SUMS, FakeReadModels
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
from contracts.events.consent import Consent, ReviewStatus
from contracts.events.message import MessageStatus, Unresolved
from contracts.events.run import HeldBy
from projections.adapters.bookkeeping import keep_gaps
from projections.adapters.rows import DESCRIBED, HELD
from projections.adapters.tables import SqlReadModels
from projections.domain.facts import RunFact
from projections.domain.figures import NOTHING, standing
from projections.domain.row import Row, Rows, messages_of
from projections.domain.states import KEYS, Kind, State, state_of
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
from readmodels.views import RunState

TABLES = (RUN_COUNTS, RUN_ERRORS, RUN_HOURS, CHARGES)


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
    first = (queued(1), page([2]), submitted(1, Unresolved(reason="timeout")))
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
    await take(port, facts.status(1, 2, MessageStatus.DELIVERED))
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
    hour, quarter = int(at(1).timestamp()) // 3600, int(at(1).timestamp()) // 900
    once = {
        ("counts", RUN, "failed"),
        ("errors", RUN, "failed", 0, ""),
        ("hours", RUN, hour, "failed"),
        ("charges", ORGANIZATION, quarter, CAMPAIGN, "failed"),
    }
    assert await port.figures() == {
        (RUN, "recipients"): 1,
        (RUN, "segments"): 2,
        **{(*key, "messages"): 1 for key in once},
        **{(*key, "segments"): 2 for key in once},
    }


async def test_an_event_that_comes_after_all_closes_its_gap(port: Port) -> None:
    one, other = uuid4(), uuid4()
    await port.lack(one)
    await port.lack(other)
    async with port.models() as models:
        await models.mend([uuid4(), one])
    assert await port.lacking() == {other}


STATES: dict[Kind, tuple[Event, Event]] = {
    Kind.CAMPAIGN: (facts.campaign(), facts.campaign(CampaignStatus.PAUSED, sequence=3)),
    Kind.SKIPPED: (facts.skipped(), facts.skipped(sequence=2)),
    Kind.RUN_HOLD: (facts.run_held(), facts.run_held(left_out=True, sequence=2)),
    Kind.MESSAGE_HOLD: (facts.held(1), facts.held(1, sequence=3, until=at(90_000))),
    Kind.ACTIVITY: (facts.refused(1), facts.written(1)),
    Kind.CONSENT: (facts.consent(), facts.consent(Consent.OPTED_IN, sequence=2)),
    Kind.REVIEW: (facts.review(), facts.review(1, ReviewStatus.DISMISSED, sequence=2)),
    Kind.ACTIVITIES_HELD: (
        facts.activities_held(),
        facts.activities_held(sequence=2, settings=8),
    ),
}
"""An old and a new state of one thing, of each kind."""


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind", list(Kind))
async def test_the_newest_of_each_thing_stays(
    port: Port, kind: Kind, order: int, together: bool
) -> None:
    old, new = (state_of(each) for each in STATES[kind])
    assert old.key == new.key and old.kind is new.kind is kind
    assert set(KEYS[kind]) == {each.name for each in METADATA.tables[kind].primary_key.columns}
    batches = [[each] for each in [old, new, old][::order]]
    for batch in [[each for [each] in batches]] if together else batches:
        async with port.models() as models:
            await models.keep_states(batch)
    [kept] = await port.states(kind)
    assert kept == dict(new.values)


async def test_states_of_different_things_stand_side_by_side(port: Port) -> None:
    both: list[State] = [
        state_of(facts.run_held(HeldBy.DAY_LIMIT)),
        state_of(facts.run_held(HeldBy.CONFIGURATION)),
        state_of(facts.written(1)),
        state_of(facts.written(1, kind="TEXTUNSUB")),
    ]
    async with port.models() as models:
        await models.keep_states(both)
        await models.keep_states([])
    held = {each["held_by"] for each in await port.states(Kind.RUN_HOLD)}
    assert held == {"day_limit", "configuration"}
    effects = {each["kind"] for each in await port.states(Kind.ACTIVITY)}
    assert effects == {"TEXTMSG", "TEXTUNSUB"}


async def test_a_change_is_seen_and_only_by_whom_it_is_about(port: Port) -> None:
    async with port.models() as models:
        await models.mark({ORGANIZATION})
        await models.mark(set())
    first = await port.changes(ORGANIZATION)
    async with port.models() as models:
        await models.mark({ORGANIZATION, uuid4()})
        await models.mark({ORGANIZATION})
    assert 0 < first < await port.changes(ORGANIZATION)
    assert await port.changes(uuid4()) == 0


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
        RunFact(**about, alarm="error_spike", alarm_detail="1", alarm_code=1, alarm_sequence=3),
        RunFact(**about, alarm="does_not_add_up", alarm_detail="2", alarm_sequence=4),
        RunFact(**about, waiting="the account", waiting_sequence=1),
        RunFact(**about, waiting="the new account", waiting_sequence=2),
        RunFact(**about, earlier_run_id=RUN),
    ]
    for step in steps[::order]:
        async with port.models() as models:
            await models.keep_runs([step])
    kept = await port.run(run)
    assert (kept["name"], kept["mode"], kept["rows"]) == ("Dues", "LIVE", 0)
    assert (kept["state"], kept["state_sequence"]) == ("completed", 2)
    assert (kept["alarm"], kept["alarm_detail"]) == ("does_not_add_up", "2")
    assert (kept["alarm_code"], kept["waiting"]) == (None, "the new account")
    assert kept["earlier_run_id"] == RUN
    assert (kept["due_at"], kept["started_at"], kept["completed_at"]) == (at(0), at(1), at(2))
