"""Read models rebuilt from the real log while the old ones serve."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.harness import Log, eventually, running
from tests.projections import facts as ours
from tests.projections.test_any_order import EVENTS
from tests.status import facts

from chassis.settings import ServiceSettings
from contracts.events.message import MessageStatus
from contracts.topics import DEAD_LETTERS
from projections import rebuilding
from projections.adapters.bookkeeping import Sealed, note
from projections.adapters.generation import Overtaken, positions, store_of
from projections.app import make
from projections.progress import Progress, Rebuilt
from projections.rebuilding import rebuild
from projections.settings import ProjectionsSettings
from readmodels import queries
from readmodels import reader as following
from readmodels.generations import existing, serving
from readmodels.reader import Reader
from readmodels.tables import FIGURES, GAPS, MESSAGES, READ_MODELS

OWN = ProjectionsSettings(look_seconds=0.05)


@asynccontextmanager
async def projections(settings: ServiceSettings) -> AsyncIterator[None]:
    """Run the projections as their process does: with the next generation after a switch."""
    # Before the test asks for them; a rebuild makes those of the generations that follow.
    first = store_of(settings, await serving(settings))
    await first.create_tables()
    await first.stop()
    stop = asyncio.Event()

    async def keep() -> None:
        while not stop.is_set():
            service = make(settings, OWN, generation=await serving(settings))
            life, told = asyncio.create_task(service.run()), asyncio.create_task(stop.wait())
            await asyncio.wait({life, told}, return_when=asyncio.FIRST_COMPLETED)
            service.stop_requested.set()
            await life
            told.cancel()

    # What ends it ends the test, and is seen.
    async with asyncio.TaskGroup() as keeping:
        keeping.create_task(keep())
        try:
            yield
        finally:
            stop.set()


async def tables(settings: ServiceSettings, generation: int) -> Mapping[str, list[dict[str, Any]]]:
    """Return every row of every read model, in a fixed order, and the gaps."""
    store = store_of(settings, generation)
    try:
        async with store.read() as connection:
            found = {
                table.name: [
                    dict(row)
                    for row in (
                        await connection.execute(select(table).order_by(*table.primary_key.columns))
                    ).mappings()
                ]
                for table in (*READ_MODELS, GAPS)
            }
    finally:
        await store.stop()
    for sums in FIGURES:
        found[sums.name] = [each for each in found[sums.name] if each["messages"]]
    return found


async def reached(settings: ServiceSettings, generation: int, records: int) -> bool:
    """Whether a generation has taken so many records of the log."""
    store = store_of(settings, generation)
    try:
        async with store.read() as connection:
            return sum((await positions(connection)).values()) >= records
    finally:
        await store.stop()


async def test_a_rebuild_comes_to_the_same_tables_field_by_field(
    service_settings: ServiceSettings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All types, repeats, another order, and poison: live and rebuilt are the same."""
    async with projections(service_settings):
        await log.publish_sealed(*EVENTS)
        await log.publish_raw("message.queued", b"not JSON")
        # An old status again, and one that came before its message.
        await log.publish_sealed(*EVENTS[-8:], *reversed(EVENTS[8:16]))
        published = len(EVENTS) + 1 + 16
        await eventually(lambda: reached(service_settings, 1, published))
        before = await tables(service_settings, 1)
        steps: list[Progress] = []
        result = await rebuild(service_settings, report=steps.append)
        assert (result.former, result.generation, result.ahead) == (1, 2, 0)
        assert [each.rows for each in result.differences] == [0] * len(READ_MODELS)
        assert result.gaps == 1
        assert await tables(service_settings, 2) == before
        assert sum(len(rows) for rows in before.values()) > 10
        assert (steps[-1].done, steps[-1].left) == (published, 0)
        # The service goes on with the new one, from where it ends.
        await log.publish(ours.status(9, 1, MessageStatus.SENT), facts.queued(9))
        await eventually(lambda: reached(service_settings, 2, published + 2))
        grown = await tables(service_settings, 2)
        assert len(grown["messages"]) == len(before["messages"]) + 1
        # The next rebuild removes the one before the last, which nobody uses since it was written
        # to the new one; it keeps the last.
        monkeypatch.setattr(rebuilding, "FOLLOWING_SECONDS", 0)
        again = await rebuild(service_settings)
        assert (again.generation, await existing(service_settings)) == (3, [2, 3])


async def test_what_differs_is_said(service_settings: ServiceSettings, log: Log) -> None:
    async with running(make(service_settings, OWN)):
        await log.publish(ours.due(), facts.page([1, 2, 3]), facts.rejected(4))
        await eventually(lambda: reached(service_settings, 1, 3))
    store = store_of(service_settings, 1)
    async with store.transaction() as transaction:
        row = MESSAGES.c.message_id
        await transaction.execute(
            update(MESSAGES).where(row == facts.message(2)).values(segments=7)
        )
        await transaction.execute(MESSAGES.delete().where(row == facts.message(3)))
        bogus = {"message_id": facts.message(99), "run_id": facts.RUN}
        bogus |= {"organization_id": facts.ORGANIZATION, "campaign_id": facts.CAMPAIGN}
        await transaction.insert_new(MESSAGES, [bogus])
    result = await rebuild(service_settings, tables=["messages"])
    # A process that hasn't noticed yet can't write to what was compared.
    with pytest.raises(Sealed):
        async with store.transaction() as transaction:
            await note(transaction, [])
    await store.stop()
    [found] = result.differences
    assert (found.before, found.after) == (4, 4)
    assert (found.missing, found.added, found.changed) == (1, 1, 1)
    assert found.columns == {"segments": 1}
    assert set(found.keys) == {str(facts.message(row)) for row in (2, 3, 99)}


async def test_readers_see_no_empty_moment_while_it_is_switched(
    service_settings: ServiceSettings, log: Log
) -> None:
    runs = [UUID(int=number) for number in range(1, 30)]
    reader = Reader(service_settings)
    stop = asyncio.Event()
    # By reader: of two reads side by side, the one with the older picture may end last.
    counts: list[list[int]] = [[], [], []]

    async def hammer(seen: list[int]) -> None:
        while not stop.is_set():
            async with reader.read() as connection:
                found = await queries.runs_of(connection, facts.ORGANIZATION, facts.CAMPAIGN)
            seen.append(len(found))
            await asyncio.sleep(0)

    async with projections(service_settings):
        await log.publish(*(ours.due(run=run) for run in runs[:10]))
        await eventually(lambda: reached(service_settings, 1, 10))
        # A read that fails ends the test, and says why.
        async with asyncio.TaskGroup() as hammering:
            for seen in counts:
                hammering.create_task(hammer(seen))
            await eventually(lambda: all(counts))
            for turn in (1, 2):
                # Runs go on coming while it is rebuilt.
                some = runs[turn * 10 : turn * 10 + 9]
                await asyncio.gather(
                    rebuild(service_settings), log.publish(*(ours.due(run=run) for run in some))
                )
            await eventually(lambda: all(seen[-1] == 28 for seen in counts))
            stop.set()
    for seen in counts:
        assert seen == sorted(seen)
        assert seen[0] == 10 and len(seen) > 20
    await reader.close()


async def test_who_has_not_followed_yet_keeps_what_served_before(
    service_settings: ServiceSettings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebuilt twice at once, while a process is slow to notice even the first switch."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 600)
    reader = Reader(service_settings)

    async def runs() -> int:
        async with reader.read() as connection:
            found = await queries.runs_of(connection, facts.ORGANIZATION, facts.CAMPAIGN)
        return len(found)

    # When it stops, it looks for what it has to publish still: that must not fail either.
    async with running(make(service_settings, ProjectionsSettings(look_seconds=600))):
        await log.publish(*(ours.due(run=UUID(int=number)) for number in (1, 2, 3)))
        await eventually(lambda: reached(service_settings, 1, 3))
        assert await runs() == 3
        results = [await rebuild(service_settings) for _ in range(2)]
        assert await asyncio.gather(*(runs() for _ in range(5))) == [3] * 5
    assert [(each.generation, each.removed) for each in results] == [(2, []), (3, [])]
    assert await existing(service_settings) == [1, 2, 3]
    await reader.close()


async def test_a_rebuild_that_is_stopped_goes_on_where_it_was(
    service_settings: ServiceSettings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "AT_ONCE", 20)
    async with running(make(service_settings, OWN)):
        await log.publish(*(facts.queued(row) for row in range(1, 101)))
        await eventually(lambda: reached(service_settings, 1, 100))

    class Stopped(Exception):
        pass

    def stop_half_way(progress: Progress) -> None:
        if progress.done >= 40:
            raise Stopped

    with pytest.raises(Stopped):
        await rebuild(service_settings, report=stop_half_way)
    assert await serving(service_settings) == 1
    result = await rebuild(service_settings)
    assert 0 < result.events <= 60
    assert [each.rows for each in result.differences] == [0] * len(READ_MODELS)
    assert len((await tables(service_settings, 2))["messages"]) == 100


async def test_two_rebuilds_at_once_spoil_nothing(
    service_settings: ServiceSettings, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "AT_ONCE", 10)
    async with running(make(service_settings, OWN)):
        await log.publish(*(facts.queued(row) for row in range(1, 101)))
        await eventually(lambda: reached(service_settings, 1, 100))
    results = await asyncio.gather(
        rebuild(service_settings), rebuild(service_settings), return_exceptions=True
    )
    # Either both fill one generation and one of them gives way, or one comes after the other.
    assert {type(each) for each in results} <= {Rebuilt, Overtaken}, results
    assert any(isinstance(each, Rebuilt) for each in results)
    await rebuild(service_settings)
    last = await serving(service_settings)
    assert len((await tables(service_settings, last))["messages"]) == 100


async def test_several_processes_follow_the_switch(
    service_settings: ServiceSettings, log: Log
) -> None:
    other = service_settings.model_copy(update={"instance": "under-test-2"})
    async with projections(service_settings), projections(other):
        await log.publish(*(facts.queued(row) for row in range(1, 31)))
        await eventually(lambda: reached(service_settings, 1, 30))
        result = await rebuild(service_settings)
        assert [each.rows for each in result.differences] == [0] * len(READ_MODELS)
        await log.publish(*(ours.status(row, 1, MessageStatus.SENT) for row in range(1, 31)))
        await eventually(lambda: reached(service_settings, 2, 60))
    rows = (await tables(service_settings, 2))["messages"]
    assert {row["status"] for row in rows} == {"sent"}


async def test_an_event_that_nobody_can_project_leaves_a_gap_in_both(
    service_settings: ServiceSettings, log: Log
) -> None:
    """One poison row among others: the rest is there, and the read models say what they lack."""
    impossible = facts.queued(2).model_copy(update={"row": 2**70})
    reader = Reader(service_settings)
    async with projections(service_settings):
        await log.publish(facts.queued(1), impossible, facts.queued(3))
        await eventually(lambda: reached(service_settings, 1, 3))
        async with reader.read() as connection:
            assert await queries.incomplete(connection) == 1
        result = await rebuild(service_settings)
    assert result.gaps == 1
    assert [each.rows for each in result.differences] == [0] * len(READ_MODELS)
    found = await tables(service_settings, 2)
    assert [row["row"] for row in found["messages"]] == [1, 3]
    assert [gap["reason"] for gap in found["gaps"]] == ["handler_failed"]
    assert found["gaps"] == (await tables(service_settings, 1))["gaps"]
    await reader.close()


async def test_a_dead_letter_that_was_not_published_yet_is_not_left_behind(
    service_settings: ServiceSettings, log: Log
) -> None:
    """A process was killed between its commit and its relay; then comes the switch."""
    store = store_of(service_settings, 1)
    await store.create_tables()
    topic = service_settings.topic(DEAD_LETTERS)
    async with store.transaction() as transaction:
        transaction.publish_raw(topic, b"key", b"not JSON", [("tm-reason", b"unknown_type")])
    await store.stop()
    await rebuild(service_settings)
    async with projections(service_settings):
        await eventually(lambda: log.dead)
