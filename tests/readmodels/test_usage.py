"""What an organisation has sent, and what that is charged as."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.projections import facts as ours
from tests.projections.models import Models
from tests.status import facts

from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from contracts.events.run import RunFailed
from readmodels import queries
from readmodels.views import ChargeOutcome, QueuedView, RunKind, UsageView

ORGANIZATION = facts.ORGANIZATION
QUARTER = timedelta(minutes=15)


async def test_tm22_attempts_by_quarter_campaign_and_what_they_came_to(models: Models) -> None:
    later = facts.START + 3 * QUARTER
    sent = ours.status(4, 1, MessageStatus.SENT, segments=4, attempted_at=later)
    await models.take(
        ours.status(1, 1, MessageStatus.DELIVERED, segments=2),
        ours.status(2, 1, MessageStatus.UNDELIVERED, code=30003),
        ours.status(3, 1, MessageStatus.FAILED, code=21610),
        sent,
        ours.requested(),
    )
    urgent = ours.requested()
    told = {"run_id": urgent.run_id, "campaign_id": urgent.campaign_id}
    told |= {"message_id": urgent.message_id}
    await models.take(ours.status(1, 1, MessageStatus.SENT).model_copy(update=told))
    async with models.store.read() as connection:
        found = await queries.charges(connection, ORGANIZATION, facts.START, later)
        all_of_it = await queries.charges(connection, ORGANIZATION, facts.START, later + QUARTER)
        none = await queries.charges(connection, facts.STRANGER, facts.START, later + QUARTER)
    assert {(each.purpose, each.outcome, each.messages, each.segments) for each in found} == {
        (RunKind.CAMPAIGN, ChargeOutcome.CHARGED, 2, 3),
        (RunKind.CAMPAIGN, ChargeOutcome.OPTED_OUT, 1, 1),
        (RunKind.URGENT, ChargeOutcome.CHARGED, 1, 1),
    }
    assert {each.start for each in found} == {facts.START}
    [last] = all_of_it[len(found) :]
    assert (last.start, last.campaign_id, last.segments) == (later, facts.CAMPAIGN, 4)
    assert none == []


async def test_tm22_a_late_failure_moves_from_charged_to_failed(models: Models) -> None:
    await models.take(ours.status(1, 1, MessageStatus.SENT, segments=3))
    await models.take(ours.status(1, 2, MessageStatus.FAILED, code=30008, segments=3))
    async with models.store.read() as connection:
        [found] = await queries.charges(
            connection, ORGANIZATION, facts.START, facts.START + QUARTER
        )
    assert (found.outcome, found.messages, found.segments) == (ChargeOutcome.FAILED, 1, 3)


async def test_tm3_a_day_and_a_month_are_the_organisation_s_own(models: Models) -> None:
    """In Kolkata, half an hour off the hours: 1 May begins on 30 April at 18:30 UTC."""
    zone = ZoneInfo("Asia/Kolkata")
    day = datetime(2026, 5, 1, tzinfo=zone)
    moments = {
        1: datetime(2026, 4, 30, 18, 29, 59, tzinfo=UTC),
        2: datetime(2026, 4, 30, 18, 30, tzinfo=UTC),
        3: datetime(2026, 5, 1, 18, 29, tzinfo=UTC),
        4: datetime(2026, 5, 1, 18, 31, tzinfo=UTC),
    }
    await models.take(
        *(
            ours.status(row, 1, MessageStatus.SENT, segments=row, attempted_at=moment)
            for row, moment in moments.items()
        ),
        ours.status(5, 1, MessageStatus.FAILED, code=30001, attempted_at=moments[3]),
        ours.status(6, 1, MessageStatus.FAILED, code=21610, attempted_at=moments[3]),
        ours.status(7, 1, MessageStatus.SIMULATED, mode=Mode.TEST, attempted_at=moments[3]),
        ours.status(8, 1, MessageStatus.UNKNOWN, attempted_at=moments[3]),
    )
    async with models.store.read() as connection:
        used, nobody_s = [
            await queries.usage(
                connection,
                organization,
                day_start=day,
                day_end=day + timedelta(days=1),
                month_start=day,
                at=moments[4],
            )
            for organization in (ORGANIZATION, facts.STRANGER)
        ]
    assert used == UsageView(
        texts_today=2,
        segments_today=7,
        texts_this_month=3,
        segments_this_month=9,
        texts_lifetime=4,
        failed_lifetime=2,
    )
    assert set(nobody_s.model_dump().values()) == {0}


async def test_tm10_what_waits_or_is_held_to_leave_from_a_number(models: Models) -> None:
    test_run = ours.requested(key="test", mode=Mode.TEST)
    lost = ours.requested(key="lost")
    failed = RunFailed(**ours.failed(run=lost.run_id).model_dump(exclude={"type"}))
    await models.take(
        facts.page([1, 2, 3, 4]),
        facts.page([1, 2, 3, 4]),
        ours.status(1, 1, MessageStatus.HELD, segments=3),
        ours.status(2, 1, MessageStatus.PREPARING, segments=2),
        ours.status(3, 1, MessageStatus.SENT, segments=7),
        ours.requested(),
        test_run,
        lost,
        failed,
        ours.requested(key="other", from_number="+18885550199"),
    )
    async with models.store.read() as connection:
        waiting = await queries.queued(connection, ORGANIZATION, facts.FROM)
        other = await queries.queued(connection, ORGANIZATION, "+18885550199")
        strange = await queries.queued(connection, facts.STRANGER, facts.FROM)
    assert waiting == QueuedView(messages=4, segments=3 + 2 + 1 + 1)
    assert other == QueuedView(messages=1, segments=1)
    assert strange == QueuedView(messages=0, segments=0)


async def test_x6_the_marker_rises_with_every_change_and_is_an_organisation_s_own(
    models: Models,
) -> None:
    async def marker() -> int:
        async with models.store.read() as connection:
            assert await queries.change_marker(connection, facts.STRANGER) == 0
            return await queries.change_marker(connection, ORGANIZATION)

    seen = [await marker()]
    for event in (
        ours.campaign(),
        facts.page([1]),
        ours.status(1, 1, MessageStatus.SENT),
        ours.written(1),
        ours.consent(),
        ours.review(),
        ours.run_held(),
    ):
        await models.take(event)
        seen.append(await marker())
    assert seen[0] == 0
    assert seen == sorted(set(seen))


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    zone=st.sampled_from(["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC"]),
)
def test_tm22_any_zone_s_day_is_made_of_whole_quarters(day: date, zone: str) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    assert midnight.timestamp() % QUARTER.total_seconds() == 0
