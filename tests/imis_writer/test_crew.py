"""The crew: who has work is woken, nobody waits for another, and stopping ends all."""

import asyncio
from datetime import timedelta
from uuid import UUID

from tests.harness import eventually
from tests.imis_writer.doubles import Clock
from tests.imis_writer.facts import NOON, ORGANIZATION, OTHER, organization, queued, status
from tests.imis_writer.kept import FakeLedger

from imis_writer.crew import Crew
from imis_writer.domain.effects import About, Key, State


class Unit:
    """Claims its organisation's work; may be slow about it."""

    def __init__(self, organization_id: UUID, ledger: FakeLedger, clock: Clock) -> None:
        self.organization_id = organization_id
        self.ledger = ledger
        self.clock = clock
        self.slow = organization_id == OTHER
        self.done = asyncio.Event()

    async def step(self) -> bool:
        if self.slow:
            await self.done.wait()
            return False
        lease = self.clock() + timedelta(seconds=60)
        claimed = await self.ledger.claim(
            self.organization_id, at=self.clock(), lease_until=lease, limit=1
        )
        return bool(claimed)

    def stop(self) -> None:
        self.done.set()


async def test_the_crew() -> None:
    ledger, clock = FakeLedger(), Clock(NOON + timedelta(seconds=1))
    units: dict[UUID, Unit] = {}

    def make(organization_id: UUID) -> Unit:
        units[organization_id] = Unit(organization_id, ledger, clock)
        return units[organization_id]

    async def text(organization_id: UUID) -> UUID:
        await ledger.know(organization(organization_id=organization_id))
        message = queued(organization_id=organization_id)
        await ledger.queued([message])
        await ledger.succeeded([status(message.event.message_id)])
        return message.event.message_id

    crew = Crew(make, ledger, clock=clock, poll_seconds=30, first_look_seconds=1)
    await text(OTHER)
    first = await text(ORGANIZATION)
    running = asyncio.create_task(crew.run())
    await eventually(lambda: ledger.rows[Key(first, About.TEXT)].state is State.CLAIMED)
    second = await text(ORGANIZATION)
    crew.wake()
    await eventually(lambda: ledger.rows[Key(second, About.TEXT)].state is State.CLAIMED)
    assert set(units) == {ORGANIZATION, OTHER}

    clock.passes(61)
    crew.wake()
    await eventually(lambda: ledger.rows[Key(first, About.TEXT)].state is State.IN_DOUBT)
    crew.stop()
    await asyncio.wait_for(running, 5)
