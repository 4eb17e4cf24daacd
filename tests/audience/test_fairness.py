"""One organisation's slow iMIS delays nobody else."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.audience.fakes import Clock, FakeImis
from tests.audience.orders import DEMO, NOON, OTHER, members, sealed, settings_changed
from tests.audience.rigs import SqlRig, events_of, sqlite_rig
from tests.harness import eventually

from audience import runs
from contracts.events.audience import RecipientsResolved


async def work(rig: SqlRig, imis: FakeImis) -> bool:
    """Do what one worker does in a step."""
    desk = rig.runs()
    claim = await desk.claim(at=NOON)
    if claim is None:
        return False
    async with desk.keep(claim):
        await runs.conduct(
            claim,
            desk=desk,
            ledger=rig.ledger(),
            source=imis,
            clock=Clock(NOON),
            stopping=lambda: False,
        )
    return True


async def test_an_imis_that_hangs_holds_up_its_own_organisation_only() -> None:
    imis = FakeImis(members(3))
    imis.hanging.add(DEMO)
    other = [sealed(OTHER) for _ in range(3)]
    async with sqlite_rig(with_settings=True) as rig:
        await rig.change_settings(settings_changed(OTHER))
        # Ten runs of the hanging organisation stand before the first of the other one.
        await rig.take(*(sealed(DEMO) for _ in range(10)), at=NOON - timedelta(seconds=1))
        await rig.take(*other)
        hanging = asyncio.create_task(work(rig, imis))
        await imis.hangs.wait()

        async def others() -> set[Any]:
            await work(rig, imis)
            pages = events_of(await rig.published(), RecipientsResolved)
            done = {page.run_id for page in pages if page.totals}
            return done if len(done) == len(other) else set()

        assert await eventually(others) == {each.event.run_id for each in other}
        # The share of the hanging one is used up: no other worker is lost to it.
        assert await work(rig, imis) is False
        assert [organization for organization, _ in imis.pages].count(DEMO) == 1
        hanging.cancel()
        await asyncio.wait([hanging])
