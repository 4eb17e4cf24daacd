"""A worker for each organisation that has something to do, and the one who wakes them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from chassis.logs import get_logger
from chassis.workers import Worker
from imis_writer.ports import Ledger

REST_SECONDS = 60.0


class Member(Protocol):
    """Does one organisation's work."""

    async def step(self) -> bool:
        """Do a batch; returns whether there may be more to do at once."""

    def stop(self) -> None:
        """Begin nothing new within the batch in hand."""


class Crew(Worker):
    """Finds out who has work, and puts the claims of the dead in doubt."""

    def __init__(
        self,
        make_member: Callable[[UUID], Member],
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        poll_seconds: float,
        first_look_seconds: float,
    ) -> None:
        super().__init__("imis-writer.crew", self._look_round, idle_seconds=poll_seconds)
        self._make_member = make_member
        self._ledger = ledger
        self._clock = clock
        self._first_look = timedelta(seconds=first_look_seconds)
        self._workers: dict[UUID, Worker] = {}
        self._members: list[Member] = []
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Let each organisation finish what it has sent, and send nothing new."""
        super().stop()
        for member in self._members:
            member.stop()
        for worker in self._workers.values():
            worker.stop()

    async def run(self) -> None:
        """Work until told to stop and everybody is done."""
        try:
            await super().run()
            await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()

    async def _look_round(self) -> bool:
        at = self._clock()
        found = await self._ledger.recover(at=at, look_at=at + self._first_look)
        if found:
            get_logger().warning("Claims of a dead process are in doubt.", count=found)
        for organization_id in await self._ledger.organizations(at=at):
            if organization_id not in self._workers:
                self._hire(organization_id)
            self._workers[organization_id].wake()
        return False

    def _hire(self, organization_id: UUID) -> None:
        member = self._make_member(organization_id)
        self._members.append(member)
        worker = Worker("imis-writer.organization", member.step, idle_seconds=REST_SECONDS)
        self._workers[organization_id] = worker
        task = asyncio.create_task(worker.run(), name=worker.name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
