"""X-1: whatever dies at whatever moment, iMIS has each activity once, and we know it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.imis_writer.doubles import (
    ORGANIZATION,
    Clock,
    FakeImis,
    FakeOrganizations,
    SqlKept,
    open_store,
    organization,
    queued,
    status,
)

from contracts.events.activity import ActivityWritten
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.effects import Doubtful
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


async def live(folder: Path, imis: FakeImis, clock: Clock, *, steps: int) -> bool:
    """Run one process on the stored state; returns whether it lived to see all done."""
    store = open_store(folder)
    await store.start()
    try:
        fuse = Fuse(steps)
        kept = SqlKept(store)
        ledger: Any = Mortal(kept, fuse)
        sites: Any = Mortal(imis, fuse)
        writer = OrganizationWriter(
            ORGANIZATION,
            ledger=ledger,
            sites=sites,
            organizations=FakeOrganizations({ORGANIZATION: organization()}),
            settings=ImisWriterSettings(),
            clock=clock,
        )
        for _ in range(ROUNDS):
            if len(await kept.published()) == TEXTS:
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


async def prepare(folder: Path) -> SqlKept:
    store = open_store(folder)
    await store.start()
    kept = SqlKept(store)
    await kept.know(organization())
    # The same member twice, at the same second: only the texts tell them apart.
    messages = [queued(imis_id=str(n // 2), text=f"Hello {n}") for n in range(TEXTS)]
    await kept.queued(messages)
    await kept.succeeded([status(each.event.message_id) for each in messages])
    return kept


@pytest.mark.parametrize("first", ["well", "lost", "not done"])
async def test_a_crash_at_each_step_writes_each_activity_once(tmp_path: Path, first: str) -> None:
    steps, survived = 0, False
    while not survived:
        folder = tmp_path / str(steps)
        kept = await prepare(folder)
        imis = FakeImis(plan=[Doubtful()] if first == "not done" else [first])
        clock = Clock()
        clock.passes(1)
        survived = await live(folder, imis, clock, steps=steps)
        clock.passes(1)
        assert await live(folder, imis, clock, steps=1_000_000)

        told = await kept.published()
        written = [each for each in told if isinstance(each, ActivityWritten)]
        assert len(imis.held) == len(written) == len(told) == TEXTS, steps
        assert {each.seqn for each in written} == {each.seqn for each in imis.held}
        notes = {each.seqn: each.note for each in imis.held}
        assert len(set(notes.values())) == TEXTS
        await kept.store.stop()
        steps += 1
    assert steps > 10


async def test_a_second_death_while_the_first_is_being_settled(tmp_path: Path) -> None:
    for steps in range(0, 40, 3):
        folder = tmp_path / str(steps)
        kept = await prepare(folder)
        imis, clock = FakeImis(plan=["lost", "lost"]), Clock()
        clock.passes(1)
        await live(folder, imis, clock, steps=5 + steps % 7)
        for _ in range(3):
            clock.passes(1)
            await live(folder, imis, clock, steps=steps)
        clock.passes(1)
        assert await live(folder, imis, clock, steps=1_000_000)
        assert len(imis.held) == len(await kept.published()) == TEXTS, steps
        await kept.store.stop()
