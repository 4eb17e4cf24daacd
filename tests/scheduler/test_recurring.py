"""TM-9 and X-5: recurring campaigns on the scheduler's own database, with a clock set by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from tests.databases import DATABASES
from tests.scheduler.facts import Author, at, every_day, promotional, settings_changed

from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts import ids
from contracts.envelope import Envelope, decode
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignDeleted,
    CampaignDue,
    CampaignKind,
    CampaignPaused,
    CampaignResumed,
    Missed,
    OccurrencesSkipped,
    Purpose,
)
from scheduler import handlers
from scheduler.adapters.timers import METADATA, SETTINGS, SqlDesk, SqlTimers

BACKENDS = ["sqlite", "postgresql"]
GRACE = timedelta(minutes=1)


class Killed(Exception):
    """The process ended here."""


class DyingDesk(SqlDesk):
    """A desk whose process is killed after all was written and before it was committed."""

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Any]:
        async with super().work() as both:
            yield both
            await both[1].flush()
            raise Killed


class ReadUp:
    """A log of which everything has been read."""

    async def read_to_end(self) -> bool:
        return True


@dataclass
class Scheduler:
    """One process of the scheduler."""

    store: Store
    now: datetime = field(default_factory=lambda: at("01 00:00"))

    async def hears(self, *campaigns: Envelope[Any]) -> None:
        async with self.store.transaction() as transaction:
            await handlers.follow_campaigns(
                campaigns, timers=SqlTimers(transaction), outbox=transaction
            )

    async def learns(self, settings: Envelope[Any]) -> None:
        async with self.store.transaction() as transaction:
            await SETTINGS.fold(transaction, [settings])

    async def looks(self, moment: str, *, desk: type[SqlDesk] = SqlDesk) -> None:
        """Do what the timers' worker does, until there is nothing to do now."""
        self.now = at(moment)
        for _ in range(50):
            wait = await handlers.keep_time(
                clock=lambda: self.now, desk=desk(self.store), lifecycle=ReadUp(), grace=GRACE
            )
            if wait is None or wait > timedelta():
                return

    async def told(self) -> list[Event]:
        async with self.store.read() as connection:
            query = select(OUTBOX.c.headers, OUTBOX.c.value).order_by(OUTBOX.c.position)
            found = (await connection.execute(query)).all()
        return [decode(headers_of(row.headers), row.value).event for row in found]

    async def runs(self) -> list[CampaignDue]:
        return [each for each in await self.told() if isinstance(each, CampaignDue)]

    async def occurrences(self) -> list[str]:
        return [each.occurrence[5:16] for each in await self.runs()]


@asynccontextmanager
async def processes(kind: str, folder: Path, count: int = 1) -> AsyncIterator[list[Scheduler]]:
    """Several processes of the scheduler on one database."""
    url = DATABASES.make(folder) if kind == "postgresql" else f"sqlite:///{folder}"
    async with AsyncExitStack() as stack:
        made: list[Scheduler] = []
        for number in range(count):
            settings = ServiceSettings(
                kafka_url="127.0.0.1:1",
                database_url=url,
                secret_key=SecretStr(Fernet.generate_key().decode()),
                instance=f"scheduler-{number}",
            )
            store = Store(settings, name="scheduler", metadata=METADATA)
            await store.start()
            stack.push_async_callback(store.stop)
            made.append(Scheduler(store))
        yield made


@pytest.fixture(params=BACKENDS)
async def scheduler(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scheduler]:
    async with processes(request.param, tmp_path) as [one]:
        await one.learns(settings_changed())
        yield one


async def test_tm9_a_recurring_campaign_runs_at_each_of_its_times_with_everything_frozen(
    scheduler: Scheduler,
) -> None:
    author = Author(every_day("08:10", rule="FREQ=DAILY;COUNT=2"), **promotional())
    await scheduler.hears(author.schedules("01 00:00"))
    await scheduler.looks("01 08:09")
    assert await scheduler.runs() == []
    await scheduler.looks("01 08:10")
    await scheduler.hears(author.edits("01 12:00", template="Hi"))
    await scheduler.looks("02 08:10")
    await scheduler.looks("09 08:10")
    first, second = await scheduler.runs()
    assert [first.occurrence, second.occurrence] == [
        "2027-03-01T08:10:00+00:00",
        "2027-03-02T08:10:00+00:00",
    ]
    assert first.run_id == ids.run_id(author.campaign_id, first.occurrence)
    assert (first.due_at, first.template, second.template) == (at("01 08:10"), "Hello", "Hi")
    assert (first.kind, first.purpose) == (CampaignKind.RECURRING, Purpose.PROMOTIONAL)
    assert (first.log_subject, first.accept_empty) == ("Dues", True)
    assert (first.locale, first.leave_out_landlines) == ("en-GB", True)
    assert await scheduler.told() == [first, second]


async def test_x5_what_a_scheduler_that_was_down_missed_is_told_with_what_runs(
    scheduler: Scheduler,
) -> None:
    once, never, all_of_it = (Author(every_day(missed=each)) for each in Missed)
    await scheduler.hears(*(each.schedules() for each in (once, never, all_of_it)))
    await scheduler.looks("03 12:00")
    runs = await scheduler.runs()
    days = {
        author.campaign_id: [e.due_at.day for e in runs if e.campaign_id == author.campaign_id]
        for author in (once, never, all_of_it)
    }
    assert list(days.values()) == [[3], [], [1, 2, 3]]
    told = [each for each in await scheduler.told() if isinstance(each, OccurrencesSkipped)]
    assert {each.campaign_id: each.occurrences for each in told} == {
        once.campaign_id: 2,
        never.campaign_id: 3,
    }
    # The second time that this campaign skips something is its second word on that.
    await scheduler.looks("05 12:00")
    told = [each for each in await scheduler.told() if isinstance(each, OccurrencesSkipped)]
    assert [e.sequence for e in told if e.campaign_id == never.campaign_id] == [1, 2]


async def test_x6_a_pause_keeps_back_and_a_resume_goes_on_with_the_next(
    scheduler: Scheduler,
) -> None:
    author = Author(every_day())
    await scheduler.hears(author.schedules())
    await scheduler.looks("01 10:00")
    await scheduler.hears(author.does(CampaignPaused, "01 11:00"))
    await scheduler.looks("03 12:00")
    assert await scheduler.occurrences() == ["03-01T10:00"]
    resumed = author.does(CampaignResumed, "03 12:00")
    await scheduler.hears(resumed, resumed)
    await scheduler.hears(resumed)
    await scheduler.looks("04 10:00")
    assert await scheduler.occurrences() == ["03-01T10:00", "03-04T10:00"]
    [told] = [each for each in await scheduler.told() if isinstance(each, OccurrencesSkipped)]
    assert (told.first, told.last, told.occurrences) == (at("02 10:00"), at("03 10:00"), 2)


async def test_x5_what_was_missed_before_a_pause_runs_when_it_is_over(scheduler: Scheduler) -> None:
    author = Author(every_day(missed=Missed.RUN_ALL))
    await scheduler.hears(author.schedules("01 11:00"), author.does(CampaignPaused, "03 12:00"))
    await scheduler.looks("04 12:00")
    assert await scheduler.runs() == []
    await scheduler.hears(author.does(CampaignResumed, "04 13:00"))
    await scheduler.looks("04 13:00")
    assert await scheduler.occurrences() == ["03-02T10:00", "03-03T10:00"]


async def test_tm9_a_time_that_is_still_to_come_in_another_zone_runs_though_its_like_has_run(
    scheduler: Scheduler,
) -> None:
    author = Author(every_day("10:00", time_zone="America/New_York"))
    await scheduler.hears(author.schedules())
    await scheduler.looks("01 15:00")
    # Ten o'clock in Los Angeles is still to come that day, and is shown as the next time.
    west = every_day("10:00", time_zone="America/Los_Angeles")
    await scheduler.hears(author.edits("01 16:00", recurrence=west))
    await scheduler.looks("01 18:00")
    # The same instants under another name are no new ones.
    alaska = every_day("09:00", time_zone="America/Anchorage")
    await scheduler.hears(author.edits("01 18:00", recurrence=alaska))
    await scheduler.looks("02 18:00")
    assert [each.occurrence for each in await scheduler.runs()] == [
        "2027-03-01T10:00:00-05:00",
        "2027-03-01T10:00:00-08:00",
        "2027-03-02T09:00:00-09:00",
    ]
    assert len({each.run_id for each in await scheduler.runs()}) == 3


async def test_tm9_a_deleted_campaign_runs_no_more_and_others_go_on(scheduler: Scheduler) -> None:
    gone, stays = Author(every_day()), Author(every_day())
    await scheduler.hears(gone.schedules(), stays.schedules())
    await scheduler.hears(gone.does(CampaignDeleted, "01 09:30"))
    await scheduler.looks("01 10:00")
    assert [each.campaign_id for each in await scheduler.runs()] == [stays.campaign_id]


async def test_a_campaign_that_no_number_can_send_waits_and_holds_up_nobody(
    scheduler: Scheduler,
) -> None:
    stuck = [Author(due_at=None) for _ in range(handlers.AT_ONCE)]
    await scheduler.learns(settings_changed())
    for each in stuck:
        event = each.schedules(due_at=at("01 09:00"))
        other = event.event.model_copy(update={"organization_id": ids.organization_id("new")})
        await scheduler.hears(Envelope(other, event.id))
    fine = Author()
    await scheduler.hears(fine.schedules(due_at=at("01 10:00")))
    await scheduler.looks("01 10:00")
    await scheduler.looks("01 10:00")
    assert [each.campaign_id for each in await scheduler.runs()] == [fine.campaign_id]
    settings = settings_changed()
    theirs = settings.event.model_copy(update={"organization_id": ids.organization_id("new")})
    await scheduler.learns(Envelope(theirs, settings.id))
    await scheduler.looks("01 10:01")
    assert len(await scheduler.runs()) == 1 + len(stuck)


async def test_x5_a_scheduler_that_is_killed_starts_each_occurrence_once(
    scheduler: Scheduler,
) -> None:
    await scheduler.hears(
        Author(every_day(missed=Missed.RUN_ALL)).schedules(),
        Author().schedules(due_at=at("02 10:00")),
    )
    for _ in range(3):
        with pytest.raises(Killed):
            await scheduler.looks("03 12:00", desk=DyingDesk)
        assert await scheduler.told() == []
    await scheduler.looks("03 12:00")
    # Killed right after: the next process finds that all is done.
    with pytest.raises(Killed):
        await scheduler.looks("04 10:00", desk=DyingDesk)
    await scheduler.looks("04 10:00")
    await scheduler.looks("04 10:00")
    recurring = ["03-01T10:00", "03-02T10:00", "03-03T10:00", "03-04T10:00"]
    assert sorted(await scheduler.occurrences()) == sorted([*recurring, "h:1"])


@pytest.mark.parametrize("kind", BACKENDS)
async def test_x5_three_schedulers_start_each_occurrence_once(kind: str, tmp_path: Path) -> None:
    async with processes(kind, tmp_path, 3) as schedulers:
        one = schedulers[0]
        await one.learns(settings_changed())
        authors = [Author(every_day(missed=Missed.RUN_ALL)) for _ in range(20)]
        await one.hears(*(each.schedules() for each in authors))
        again = authors[0].edits("02 09:00", template="Hi")

        async def live(each: Scheduler) -> None:
            for moment in ("01 10:00", "02 10:00", "03 10:00"):
                await each.looks(moment)
                # As after a rebalance: what one has read comes to another as well.
                await each.hears(again)

        await asyncio.gather(*(live(each) for each in schedulers))
        await one.looks("03 10:00")
        fired = [(each.campaign_id, each.occurrence) for each in await one.runs()]
        assert len(fired) == len(set(fired)) == 20 * 3
        assert _in_order(await one.runs())


def _in_order(runs: Sequence[CampaignDue]) -> bool:
    """Whether each campaign's runs were announced in the order of their times."""
    by_campaign: dict[Any, list[datetime]] = {}
    for each in runs:
        by_campaign.setdefault(each.campaign_id, []).append(each.due_at)
    return all(times == sorted(times) for times in by_campaign.values())
