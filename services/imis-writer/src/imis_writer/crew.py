"""A worker for each organisation that has something to do, and the one who wakes them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from chassis.logs import get_logger
from chassis.workers import Step, Worker
from imis_writer.ports import Ledger

REST_SECONDS = 60.0


class Crew(Worker):
    """Finds out who has work, and puts the claims of the dead in doubt."""

    def __init__(
        self,
        make_step: Callable[[UUID], Step],
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        poll_seconds: float,
        first_look_seconds: float,
    ) -> None:
        super().__init__("imis-writer.crew", self._look_round, idle_seconds=poll_seconds)
        self._make_step = make_step
        self._ledger = ledger
        self._clock = clock
        self._first_look = timedelta(seconds=first_look_seconds)
        self._workers: dict[UUID, Worker] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until told to stop, and let each organisation finish its batch in hand."""
        try:
            await super().run()
        finally:
            for worker in self._workers.values():
                worker.stop()
            try:
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
        step = self._make_step(organization_id)
        worker = Worker("imis-writer.organization", step, idle_seconds=REST_SECONDS)
        self._workers[organization_id] = worker
        task = asyncio.create_task(worker.run(), name=worker.name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
