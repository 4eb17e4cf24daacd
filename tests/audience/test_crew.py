"""Nobody waits behind an iMIS that hangs, however many of them do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from tests.audience.fakes import Clock, FakeImis
from tests.audience.orders import DEMO, NOON, OTHER, members, sealed, settings_changed
from tests.audience.rigs import SqlRig, events_of, sqlite_rig
from tests.harness import eventually

from audience import runs
from audience.crew import AwayAtSource, Crew, Turn
from audience.ports import Claim
from contracts import ids
from contracts.events.audience import RecipientsResolved
from contracts.events.campaign import CampaignDue

HANGING = [ids.organization_id(f"hanging-{number}") for number in range(12)]


@asynccontextmanager
async def at_work(
    rig: SqlRig, imis: FakeImis, *, turns: int = 1, most: int = 64
) -> AsyncIterator[Crew[CampaignDue]]:
    """A crew for runs, as the service has it."""
    desk = rig.runs()

    async def conduct(claim: Claim[CampaignDue], turn: Turn) -> None:
        await runs.conduct(
            claim,
            desk=desk,
            ledger=rig.ledger(),
            source=AwayAtSource(imis, turn),
            clock=Clock(NOON),
            stopping=lambda: crew.is_stopping,
        )

    crew: Crew[CampaignDue] = Crew(
        "runs", desk, conduct, clock=Clock(NOON), most=most, turns=turns, idle_seconds=0.05
    )
    task = asyncio.create_task(crew.run())
    try:
        yield crew
    finally:
        task.cancel()
        await asyncio.wait([task])


async def resolved(rig: SqlRig) -> set[UUID]:
    pages = events_of(await rig.published(), RecipientsResolved)
    return {page.run_id for page in pages if page.totals}


async def test_a_run_goes_on_while_more_organisations_hang_than_there_are_turns() -> None:
    imis = FakeImis(members(3))
    imis.hanging.update(HANGING)
    async with sqlite_rig(with_settings=True) as rig:
        for organization in (OTHER, *HANGING):
            await rig.change_settings(settings_changed(organization))
        # All of the hanging ones stand before the others.
        await rig.take(
            *(sealed(each) for each in HANGING for _ in range(2)), at=NOON - timedelta(seconds=1)
        )
        others = [sealed(DEMO), sealed(OTHER), sealed(OTHER)]
        await rig.take(*others)
        wanted = {each.event.run_id for each in others}
        async with at_work(rig, imis):

            async def done() -> bool:
                return await resolved(rig) == wanted

            assert await eventually(done, seconds=10)
        # Each of the hanging ones was asked, once: its second run waits for its first.
        asked = [organization for organization, _ in imis.pages if organization in HANGING]
        assert sorted(asked) == sorted(HANGING)


async def test_work_on_rows_is_bounded_by_turns() -> None:
    turns = asyncio.Semaphore(2)
    busy = most = 0
    answered = asyncio.Event()

    async def work() -> None:
        nonlocal busy, most
        async with Turn(turns) as turn:
            for _ in range(3):
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0)
                busy -= 1
                async with turn.away():
                    await answered.wait()

    tasks = [asyncio.create_task(work()) for _ in range(8)]
    await asyncio.sleep(0)
    answered.set()
    await asyncio.gather(*tasks)
    assert most == 2
    # All turns are back, whatever happened on the way.
    assert [await turns.acquire() for _ in range(2)] == [True, True]
    assert turns.locked()


async def test_a_turn_is_given_back_once_even_if_what_is_away_fails() -> None:
    turns = asyncio.Semaphore(1)
    with pytest.raises(LookupError):
        async with Turn(turns) as turn, turn.away():
            raise LookupError
    assert not turns.locked()
    await turns.acquire()
    assert turns.locked()


async def test_no_more_is_taken_up_than_one_process_may_have_in_hand() -> None:
    imis = FakeImis(members(1))
    imis.hanging.update(HANGING)
    async with sqlite_rig() as rig:
        for each in HANGING:
            await rig.change_settings(settings_changed(each))
        await rig.take(*(sealed(each) for each in HANGING))
        async with at_work(rig, imis, most=5):
            await eventually(lambda: len(imis.pages) == 5)
            await asyncio.sleep(0.2)
            assert len(imis.pages) == 5


async def test_a_piece_of_work_that_fails_ends_no_other() -> None:
    imis = FakeImis(members(1))
    imis.errors = [RuntimeError("odd")]
    async with sqlite_rig(with_settings=True) as rig:
        await rig.change_settings(settings_changed(OTHER))
        await rig.take(sealed(DEMO), at=NOON - timedelta(seconds=1))
        await rig.take(second := sealed(OTHER))
        async with at_work(rig, imis):

            async def done() -> bool:
                return await resolved(rig) == {second.event.run_id}

            assert await eventually(done, seconds=10)


async def test_what_is_in_hand_is_finished_before_the_end() -> None:
    imis = FakeImis(members(2))
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(run := sealed(DEMO))
        async with at_work(rig, imis) as crew:
            await eventually(lambda: imis.pages)
            crew.stop()

            async def put_back_or_done() -> bool:
                claim = await rig.runs("two").claim(at=NOON)
                return claim is not None or run.event.run_id in await resolved(rig)

            assert await eventually(put_back_or_done, seconds=10)
