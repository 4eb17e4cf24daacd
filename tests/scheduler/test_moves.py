"""A campaign that is moved at the last moment: one run, and never at a time that was taken back.

The gateway's API and the scheduler's timers, both on SQLite, share one clock set by hand. What the
gateway publishes is a list, of which the scheduler has read as much as the test says.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.gateway.client import Client
from tests.gateway.rig import CAMPAIGN, Rig, rigged

from chassis.outbox import OUTBOX, headers_of
from chassis.store import Store
from contracts.envelope import Envelope, decode, seal
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettingsChanged
from gateway.domain.campaign import CLOSES
from scheduler import handlers
from scheduler.adapters.timers import METADATA, SETTINGS, SqlDesk, SqlTimers

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
FIVE_PAST = TEN + timedelta(minutes=5)
GRACE = timedelta(minutes=1)


@dataclass
class Scheduler:
    """A scheduler, and how much of the gateway's log it has read."""

    rig: Rig
    store: Store
    has_read: int = 0
    reads: bool = True

    async def read(self, count: int | None = None) -> None:
        """Read on, to the end or as many events."""
        log = await self.rig.published()
        until = len(log) if count is None else self.has_read + count
        await self.take(*log[self.has_read : until])
        self.has_read = until

    async def take(self, *events: Envelope[Any]) -> None:
        async with self.store.transaction() as transaction:
            settings = [e for e in events if isinstance(e.event, OrganizationSettingsChanged)]
            campaigns = [e for e in events if isinstance(e.event, CampaignEvent)]
            if settings:
                await SETTINGS.fold(transaction, settings)
            if campaigns:
                await handlers.follow_campaigns(
                    campaigns, timers=SqlTimers(transaction), outbox=transaction
                )

    async def read_to_end(self) -> bool:
        if self.reads:
            await self.read()
        return self.reads

    async def look(self) -> None:
        """Do what the timers' worker does, until there is nothing to do now."""
        for _ in range(10):
            wait = await handlers.keep_time(
                clock=self.rig.clock, desk=SqlDesk(self.store), lifecycle=self, grace=GRACE
            )
            if wait is None or wait > timedelta():
                return

    async def runs(self) -> list[CampaignDue]:
        async with self.store.read() as connection:
            found = (await connection.execute(select(OUTBOX.c.headers, OUTBOX.c.value))).all()
        events = [decode(headers_of(row.headers), row.value).event for row in found]
        return [each for each in events if isinstance(each, CampaignDue)]


@pytest.fixture
async def scheduler(tmp_path: Path) -> AsyncIterator[Scheduler]:
    async with rigged(tmp_path) as rig:
        await rig.organization()
        store = Store(rig.settings, name="scheduler", metadata=METADATA)
        await store.start()
        yield Scheduler(rig, store)
        await store.stop()


async def scheduled_for_ten(scheduler: Scheduler) -> tuple[Client, str]:
    scheduler.rig.clock.at = TEN - timedelta(hours=1)
    staff = await scheduler.rig.staff()
    campaign = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    assert (await staff.post(f"{path}/schedule", {"at": TEN.isoformat()})).status == 200
    await scheduler.read()
    return staff, path


MOMENTS = [
    timedelta(minutes=-1),
    -CLOSES - timedelta(microseconds=1),
    -CLOSES,
    timedelta(seconds=-0.1),
    timedelta(),
    timedelta(seconds=1),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("behind", [False, True], ids=["has read the move", "hasn't read it"])
@pytest.mark.parametrize("step", ["move", "delete"])
async def test_what_was_answered_holds_whoever_comes_first(
    scheduler: Scheduler, moment: timedelta, behind: bool, step: str
) -> None:
    staff, path = await scheduled_for_ten(scheduler)
    scheduler.rig.clock.at = TEN + min(moment, timedelta(seconds=-0.2))
    await scheduler.look()
    assert await scheduler.runs() == []
    scheduler.rig.clock.at = TEN + moment
    if moment >= timedelta():
        # The scheduler wakes at the very time; the request comes after it.
        await scheduler.look()
    if step == "move":
        got = await staff.post(f"{path}/schedule", {"at": FIVE_PAST.isoformat()})
    else:
        got = await staff.delete(path)
    taken = got.status in {200, 204}
    # From five seconds before its time on, a schedule stands.
    assert taken == (moment < timedelta(seconds=-5))
    assert taken or "time has come" in got.json()["detail"]
    if not behind:
        await scheduler.read()
    for at in (TEN, TEN + timedelta(seconds=2), FIVE_PAST, FIVE_PAST + timedelta(hours=1)):
        scheduler.rig.clock.at = max(at, scheduler.rig.clock.at)
        await scheduler.look()
    runs = await scheduler.runs()
    if not taken:
        assert [run.due_at for run in runs] == [TEN]
    elif step == "move":
        assert [(run.due_at, run.occurrence) for run in runs] == [(FIVE_PAST, "launch:1")]
    else:
        assert runs == []


async def test_without_the_log_nothing_starts_and_with_it_everything_does(
    scheduler: Scheduler,
) -> None:
    await scheduled_for_ten(scheduler)
    scheduler.reads = False
    scheduler.rig.clock.at = TEN + timedelta(minutes=3)
    await scheduler.look()
    assert await scheduler.runs() == []
    scheduler.reads = True
    await scheduler.look()
    assert [run.due_at for run in await scheduler.runs()] == [TEN]


async def test_an_old_schedule_that_comes_again_moves_nothing_back(scheduler: Scheduler) -> None:
    staff, path = await scheduled_for_ten(scheduler)
    old = (await scheduler.rig.published())[-1]
    moved = await staff.post(f"{path}/schedule", {"at": FIVE_PAST.isoformat()})
    assert moved.status == 200
    await scheduler.read()
    await scheduler.take(old)
    scheduler.rig.clock.at = TEN
    await scheduler.look()
    assert await scheduler.runs() == []
    scheduler.rig.clock.at = FIVE_PAST
    await scheduler.look()
    await scheduler.take(old)
    await scheduler.look()
    assert [run.due_at for run in await scheduler.runs()] == [FIVE_PAST]


async def test_a_run_that_has_begun_is_not_begun_again_by_a_later_schedule(
    scheduler: Scheduler,
) -> None:
    await scheduled_for_ten(scheduler)
    scheduler.rig.clock.at = TEN
    await scheduler.look()
    newest: Any = (await scheduler.rig.published())[-1].event
    # Whatever a gateway says later of the same launch: its run is there.
    again = newest.model_copy(update={"sequence": newest.sequence + 1, "due_at": FIVE_PAST})
    await scheduler.take(seal(again))
    scheduler.rig.clock.at = FIVE_PAST
    await scheduler.look()
    assert [run.due_at for run in await scheduler.runs()] == [TEN]
