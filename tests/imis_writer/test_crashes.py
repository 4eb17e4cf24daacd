"""X-1: whatever dies at whatever moment, iMIS has each activity once, and we know it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.imis_writer.doubles import Clock, FakeImis, FakeOrganizations
from tests.imis_writer.facts import (
    NOON,
    ORGANIZATION,
    excluded,
    organization,
    queued,
    start,
    status,
)
from tests.imis_writer.kept import SqlKept, open_store

from contracts.events.activity import ActivityDeleted, ActivityWritten
from contracts.events.base import Event
from contracts.events.campaign import WriteTo
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.outcomes import Doubtful
from imis_writer.settings import ImisWriterSettings
from imis_writer.writing import OrganizationWriter

TEXTS = 3
ROUNDS = 12


class Death(BaseException):
    """The process is gone: nothing that it still asks for happens."""


class Fuse:
    """Burns down at each step of the process; then everything stops."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self) -> None:
        if self.left == 0:
            raise Death
        self.left -= 1


class Mortal:
    """Passes calls on, and dies before one or after one."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    async def site(self, organization: OrganizationSettingsChanged) -> "Mortal":
        return self

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        inner = getattr(self._inner, name)

        async def call(*args: Any, **more: Any) -> Any:
            self._fuse.burn()
            result = await inner(*args, **more)
            self._fuse.burn()
            return result

        return call


@dataclass(frozen=True)
class Work:
    """What is to be done: three texts, as activities or as entries of the log, or deletions."""

    name: str
    done: Callable[[FakeImis], int]
    """How much of it iMIS shows; doing one thing twice shows too."""
    result: type[Event]

    async def prepare(self, kept: SqlKept, imis: FakeImis, clock: Clock) -> None:
        await kept.know(organization())
        # The same member twice, at the same second: only the texts tell them apart.
        write_to = WriteTo.COMMUNICATION_LOG if self.name == "log" else WriteTo.ACTIVITY
        if self.name != "deletion":
            messages = [
                queued(imis_id=str(n // 2), text=f"Hello {n}", write_to=write_to)
                for n in range(TEXTS)
            ]
            await kept.queued(messages)
            await kept.succeeded([status(each.event.message_id) for each in messages])
            return
        await kept.excluded([excluded(imis_id=str(n), occurred_at=NOON) for n in range(TEXTS)])
        while await writer_on(kept, imis, clock).step():
            pass
        assert len(imis.held) == TEXTS
        await kept.consents([start(1, clock())])


WORKS = [
    Work("activity", lambda imis: len(imis.held), ActivityWritten),
    Work("log", lambda imis: len(imis.on_record), ActivityWritten),
    Work("deletion", lambda imis: len(imis.deleted), ActivityDeleted),
]


def writer_on(ledger: Any, sites: Any, clock: Clock) -> OrganizationWriter:
    return OrganizationWriter(
        ORGANIZATION,
        ledger=ledger,
        sites=sites,
        organizations=FakeOrganizations({ORGANIZATION: organization()}),
        settings=ImisWriterSettings(),
        clock=clock,
    )


async def results(kept: SqlKept, work: Work) -> list[Any]:
    return [each for each in await kept.published() if isinstance(each, work.result)]


async def live(folder: Path, imis: FakeImis, clock: Clock, work: Work, *, steps: int) -> bool:
    """Run one process on the stored state; returns whether it lived to see all done."""
    store = open_store(folder)
    await store.start()
    try:
        fuse = Fuse(steps)
        kept = SqlKept(store)
        ledger: Any = Mortal(kept, fuse)
        writer = writer_on(ledger, Mortal(imis, fuse), clock)
        for _ in range(ROUNDS):
            if len(await results(kept, work)) == TEXTS:
                break
            await ledger.recover(at=clock(), look_at=clock())
            while await writer.step():
                pass
            clock.passes(100)
        return True
    except Death:
        return False
    finally:
        await store.stop()


async def prepare(folder: Path, work: Work) -> tuple[SqlKept, FakeImis, Clock]:
    store = open_store(folder)
    await store.start()
    kept, imis, clock = SqlKept(store), FakeImis(), Clock()
    clock.passes(1)
    await work.prepare(kept, imis, clock)
    return kept, imis, clock


@pytest.mark.parametrize("first", ["well", "lost", "not done"])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
async def test_a_crash_at_each_step_does_each_thing_once(
    tmp_path: Path, work: Work, first: str
) -> None:
    steps, survived = 0, False
    while not survived:
        folder = tmp_path / str(steps)
        kept, imis, clock = await prepare(folder, work)
        imis.plan = [Doubtful()] if first == "not done" else [first]
        survived = await live(folder, imis, clock, work, steps=steps)
        clock.passes(1)
        assert await live(folder, imis, clock, work, steps=1_000_000)

        told = await results(kept, work)
        assert work.done(imis) == len(told) == TEXTS, steps
        assert len({each.seqn for each in told}) == TEXTS
        # Of what is written before it is put on a record, nothing is left over.
        assert len(imis.entries) == len(imis.on_record)
        assert len({each.note for each in imis.held}) in {0, TEXTS}
        await kept.store.stop()
        steps += 1
    assert steps > 10


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
async def test_a_second_death_while_the_first_is_being_settled(tmp_path: Path, work: Work) -> None:
    for steps in range(0, 40, 4):
        folder = tmp_path / str(steps)
        kept, imis, clock = await prepare(folder, work)
        imis.plan = ["lost", "lost"]
        await live(folder, imis, clock, work, steps=5 + steps % 7)
        for _ in range(3):
            clock.passes(1)
            await live(folder, imis, clock, work, steps=steps)
        clock.passes(1)
        assert await live(folder, imis, clock, work, steps=1_000_000)
        assert work.done(imis) == len(await results(kept, work)) == TEXTS, steps
        await kept.store.stop()
