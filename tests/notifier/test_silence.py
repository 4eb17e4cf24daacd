"""X-20: a run that didn't happen is noticed, whatever kept it from happening."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notifier.doubles import Office, office
from tests.notifier.facts import (
    CAMPAIGN,
    NOON,
    ORGANIZATION,
    Clock,
    Told,
    due,
    recurring,
    scheduled,
    settings_changed,
)

from chassis.store import Store
from contracts.events.campaign import CampaignScheduled, CampaignStatus, OccurrencesSkipped
from notifier.adapters.campaigns import SqlCampaigns
from notifier.adapters.notices import SqlNotices
from notifier.domain.schedule import Known, expected, handle, learn
from notifier.handlers.watching import listen_for_silence
from notifier.ports import Campaigns, Notices

DAILY = recurring("FREQ=DAILY", starts="2027-01-01T08:10:00")


@dataclass
class FakeLog:
    """A log that may not be read to its end."""

    read: bool = True
    asked: int = 0

    async def read_to_end(self) -> bool:
        self.asked += 1
        return self.read


@dataclass
class Watch:
    """The ear for silence, and the mails that it causes."""

    store: Store
    clock: Clock
    office: Office
    log: FakeLog = field(default_factory=FakeLog)

    async def hears(self) -> list[str]:
        @asynccontextmanager
        async def work() -> AsyncIterator[tuple[Campaigns, Notices]]:
            async with self.store.transaction() as transaction:
                yield SqlCampaigns(transaction), SqlNotices(transaction)

        await listen_for_silence(
            clock=self.clock, grace=timedelta(minutes=5), logs=[self.log], work=work
        )
        await self.office.work()
        return self.office.post.subjects


@pytest.fixture
async def told(store: Store, clock: Clock) -> Told:
    made = Told(store, clock)
    await made.tell(settings_changed())
    return made


@pytest.fixture
def watch(store: Store, clock: Clock) -> Watch:
    return Watch(store, clock, office(store, clock))


def skipped(until: datetime) -> OccurrencesSkipped:
    return OccurrencesSkipped(
        organization_id=ORGANIZATION,
        occurred_at=until,
        sequence=1,
        campaign_id=CAMPAIGN,
        first=NOON,
        last=until,
        occurrences=1,
    )


async def test_x20_a_one_time_campaign_that_did_not_run_is_told_once(
    told: Told, watch: Watch, clock: Clock
) -> None:
    await told.tell(scheduled(at=NOON))
    clock.passes(299)
    assert await watch.hears() == []
    assert watch.log.asked == 0
    clock.passes(1)
    assert await watch.hears() == ["Text Manager: “Dues” did not run"]
    assert "It was due on 31 January 2027, 12:00 (UTC)" in watch.office.post.letters[0][0].text
    clock.passes(86_400)
    assert len(await watch.hears()) == 1


async def test_x20_nothing_is_said_before_all_that_was_said_is_read(
    told: Told, watch: Watch, clock: Clock
) -> None:
    await told.tell(scheduled(at=NOON))
    clock.passes(600)
    watch.log.read = False
    assert await watch.hears() == []
    # It did run; the notifier only heard of it late.
    await told.tell(due(at=NOON))
    watch.log.read = True
    assert await watch.hears() == []


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.CANCELLED])
async def test_x20_what_is_not_to_run_is_not_missed(
    told: Told, watch: Watch, clock: Clock, status: CampaignStatus
) -> None:
    await told.tell(scheduled(at=NOON), scheduled(at=NOON, sequence=3, status=status))
    clock.passes(600)
    assert await watch.hears() == []


async def test_x20_a_resumed_campaign_has_its_grace_from_the_resume_on(
    told: Told, watch: Watch, clock: Clock
) -> None:
    paused = scheduled(at=NOON, sequence=3, status=CampaignStatus.PAUSED)
    await told.tell(scheduled(at=NOON), paused)
    resumed = clock.passes(3600)
    await told.tell(scheduled(at=NOON, sequence=4, occurred_at=resumed))
    clock.passes(299)
    assert await watch.hears() == []
    clock.passes(1)
    assert len(await watch.hears()) == 1


async def test_x20_each_missed_run_of_a_recurring_campaign_is_told(
    told: Told, watch: Watch, clock: Clock
) -> None:
    await told.tell(scheduled(at=None, what=DAILY))
    first = datetime(2027, 2, 1, 8, 10, tzinfo=UTC)
    clock.now = first + timedelta(minutes=1)
    await told.tell(due(at=first, occurrence="2027-02-01T08:10:00"))
    clock.now = first + timedelta(hours=23)
    assert await watch.hears() == []
    clock.now = first + timedelta(days=1, minutes=5)
    assert await watch.hears() == ["Text Manager: “Dues” did not run"]
    await told.tell(skipped(first + timedelta(days=2)))
    clock.now = first + timedelta(days=2, minutes=5)
    assert len([each for each in await watch.hears() if "did not run" in each]) == 1
    clock.now = first + timedelta(days=3, minutes=5)
    assert len([each for each in await watch.hears() if "did not run" in each]) == 2


async def test_x20_an_edited_time_counts_from_the_edit_on(
    told: Told, watch: Watch, clock: Clock
) -> None:
    await told.tell(scheduled(at=None, what=DAILY))
    later = recurring("FREQ=DAILY", starts="2027-01-01T20:00:00")
    await told.tell(scheduled(at=None, what=later, sequence=3, occurred_at=NOON))
    clock.now = datetime(2027, 1, 31, 20, 4, tzinfo=UTC)
    assert await watch.hears() == []
    clock.passes(60)
    assert len(await watch.hears()) == 1


def test_x20_the_31st_is_waited_for_in_the_zone_of_the_campaign() -> None:
    monthly = recurring(
        "FREQ=MONTHLY;BYMONTHDAY=31", starts="2027-01-31T08:10:00", zone="America/New_York"
    )
    known = learn(Known(), scheduled(at=None, what=monthly))
    assert expected(known) == datetime(2027, 1, 31, 13, 10, tzinfo=UTC)
    known = handle(known, datetime(2027, 1, 31, 13, 10, tzinfo=UTC))
    assert expected(known) == datetime(2027, 3, 31, 12, 10, tzinfo=UTC)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_x20_in_any_order_and_however_often_the_newest_state_counts(
    days: list[int], random: object
) -> None:
    """A repeat and an older state change nothing; runs count by their times."""
    states = [
        scheduled(at=None, what=DAILY, sequence=2),
        scheduled(at=None, what=DAILY, sequence=3, status=CampaignStatus.SENDING),
        scheduled(at=None, what=DAILY, sequence=4),
    ]
    first = datetime(2027, 2, 1, 8, 10, tzinfo=UTC)
    told: list[CampaignScheduled | datetime] = [*states, *states]
    told += [first + timedelta(days=day) for day in days]
    random.shuffle(told)  # type: ignore[attr-defined]
    known = Known()
    for each in told:
        known = handle(known, each) if isinstance(each, datetime) else learn(known, each)
    assert known.campaign == states[-1]
    assert expected(known) == first + timedelta(days=max(days) + 1)
    assert learn(known, states[0]) == handle(known, first) == known
