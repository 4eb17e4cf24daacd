"""Many pieces of work at a time, of which few use this machine: the others wait for an iMIS.

An iMIS that hangs would keep whoever waits for it. So a turn is held only while rows are worked
on, and given up for as long as an iMIS is asked: hanging ones take no turns, and each piece of
work that waits costs no more than a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Generic
from uuid import UUID

from audience.ports import Claim, Desk, Order, RowSource
from chassis.batches import is_outage
from chassis.logs import describe, get_logger
from chassis.workers import Worker
from contracts.events.campaign import Audience
from imis_client import Page

Clock = Callable[[], datetime]


class Turn:
    """One of the few turns on this machine; held inside the block, but for when we are away."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._held = False

    async def __aenter__(self) -> "Turn":
        """Wait for a turn."""
        await self._turns.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave it to the next one."""
        self._leave()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Let others have the turn inside the block, and wait for one again at its end."""
        self._leave()
        yield
        await self.__aenter__()

    def _leave(self) -> None:
        if self._held:
            self._held = False
            self._turns.release()


class AwayAtSource:
    """A source of rows that is asked while others have the turn."""

    def __init__(self, source: RowSource, turn: Turn) -> None:
        self._source = source
        self._turn = turn

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page of an audience; raises what the source raises."""
        async with self._turn.away():
            return await self._source.page(organization_id, audience, offset=offset, limit=limit)


class Crew(Generic[Order]):
    """Works on all that its desk gives out, up to `most` pieces at a time, `turns` of them busy."""

    def __init__(
        self,
        name: str,
        desk: Desk[Order],
        conduct: Callable[[Claim[Order], Turn], Awaitable[None]],
        *,
        clock: Clock,
        most: int,
        turns: int,
        idle_seconds: float,
    ) -> None:
        self.name = name
        self._desk: Desk[Order] = desk
        self._conduct: Callable[[Claim[Order], Turn], Awaitable[None]] = conduct
        self._clock = clock
        self._most = most
        self._turns = asyncio.Semaphore(turns)
        self._idle_seconds = idle_seconds
        self._worker = Worker(name, self._take_up, idle_seconds=idle_seconds)
        self._working: set[asyncio.Task[None]] = set()

    @property
    def is_stopping(self) -> bool:
        """Whether what is in hand is to be the last."""
        return self._worker.stopping.is_set()

    def wake(self) -> None:
        """Say that there is work."""
        self._worker.wake()

    def stop(self) -> None:
        """Let what is in hand be the last."""
        self._worker.stop()

    async def run(self) -> None:
        """Work until told to stop, and finish what is in hand."""
        try:
            await self._worker.run()
            if self._working:
                await asyncio.wait(self._working)
        finally:
            for task in self._working:
                task.cancel()

    async def _take_up(self) -> bool:
        if len(self._working) >= self._most:
            await self._worker.wait(self._idle_seconds)
            return True
        claim = await self._desk.claim(at=self._clock())
        if claim is None:
            return False
        task = asyncio.create_task(self._work(claim), name=f"{self.name}.{claim.id}")
        self._working.add(task)
        task.add_done_callback(self._finished)
        return True

    async def _work(self, claim: Claim[Order]) -> None:
        async with self._desk.keep(claim), Turn(self._turns) as turn:
            await self._conduct(claim, turn)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        # Its organisation may have more to do, and there is a place again.
        self._worker.wake()
        if task.cancelled() or (error := task.exception()) is None:
            return
        # It ends no other's work; its lease runs out, and whoever is there then takes it up again.
        get_logger().log(
            30 if is_outage(error) else 40,
            "A piece of work failed.",
            work=task.get_name(),
            **describe(error),
        )
