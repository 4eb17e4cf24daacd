"""TM-9: a campaign runs once, now or once in the future."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.harness import Log, running

from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts import ids
from contracts.envelope import seal
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDeleted,
    CampaignDue,
    CampaignKind,
    CampaignPaused,
    CampaignResumed,
    CampaignScheduled,
    CampaignStatus,
    OccurrencesSkipped,
    Recurrence,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from scheduler import handlers
from scheduler.adapters.timers import METADATA, SETTINGS, SqlTimers
from scheduler.app import make

ORGANIZATION = ids.organization_id("demo")
AUDIENCE = Audience(iqa_path="$/q", phone_column="Phone", id_column="Id")
DEFINITION = CampaignDefinition(name="Dues", audience=AUDIENCE, template="Hello")


def settings_changed() -> OrganizationSettingsChanged:
    return OrganizationSettingsChanged(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            default_country="GB",
            numbers=(SendingNumber(number="+18885550100", segments_per_second=3),),
            imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
            twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
        ),
    )


def scheduled(*, at: datetime, sequence: int = 2, launch: int = 1) -> CampaignScheduled:
    return CampaignScheduled(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=sequence,
        campaign_id=uuid4(),
        status=CampaignStatus.SCHEDULED,
        definition=DEFINITION,
        launch=launch,
        due_at=at,
    )


async def test_tm_9_a_campaign_for_now_is_due_once_with_everything_frozen(
    service_settings: ServiceSettings, log: Log
) -> None:
    event = scheduled(at=datetime.now(UTC))
    sealed = await log.publish(event)
    async with running(make(service_settings)):
        # The campaign was there before its organisation's settings: it waits for them.
        await log.publish(settings_changed())
        [due] = await log.wait_for(CampaignDue)
        assert due.run_id == ids.run_id(event.campaign_id, "launch:1")
        assert (due.default_country, due.from_number) == ("GB", "+18885550100")
        assert log.of(CampaignDue)[0].causation_id == sealed[0].id

        # The same event again, and an older one, change nothing; a marker shows they were read.
        await log.publish_sealed(*sealed)
        marker = scheduled(at=datetime.now(UTC))
        await log.publish(marker)
        await log.wait_for(CampaignDue, where=lambda each: each.campaign_id == marker.campaign_id)
        assert len([e for e in log.of(CampaignDue) if e.event.run_id == due.run_id]) == 1


async def test_tm_9_a_campaign_runs_when_its_time_comes_and_a_moved_one_at_the_new_time(
    service_settings: ServiceSettings, log: Log
) -> None:
    start = datetime.now(UTC)
    soon = scheduled(at=start + timedelta(seconds=2))
    moved = scheduled(at=start + timedelta(seconds=1))
    later = moved.model_copy(update={"sequence": 3, "due_at": start + timedelta(days=1)})
    dropped = scheduled(at=start + timedelta(seconds=1))
    gone = CampaignDeleted(
        **dropped.model_dump(exclude={"type", "sequence", "status"}),
        sequence=3,
        status=CampaignStatus.DELETED,
    )
    async with running(make(service_settings)):
        await log.publish(settings_changed(), moved, later, gone, dropped, soon)
        [due] = await log.wait_for(CampaignDue)
    assert due.campaign_id == soon.campaign_id
    assert due.occurred_at >= soon.due_at  # type: ignore[operator]


async def test_a_fired_timer_survives_a_restart_without_firing_again(
    service_settings: ServiceSettings, log: Log
) -> None:
    first, second = scheduled(at=datetime.now(UTC)), scheduled(at=datetime.now(UTC))
    async with running(make(service_settings)):
        await log.publish(settings_changed(), first)
        await log.wait_for(CampaignDue)
    async with running(make(service_settings)):
        await log.publish(second)
        await log.wait_for(CampaignDue, count=2)
    assert sorted(e.event.campaign_id for e in log.of(CampaignDue)) == sorted(
        [first.campaign_id, second.campaign_id]
    )


async def test_a_move_that_came_while_the_scheduler_was_down_is_read_before_anything_starts(
    service_settings: ServiceSettings, log: Log
) -> None:
    start = datetime.now(UTC)
    past = scheduled(at=start)
    moved = past.model_copy(update={"sequence": 3, "due_at": start + timedelta(days=1)})
    async with running(make(service_settings)):
        pass
    # All that it had taken in when it died.
    store = Store(service_settings, name="scheduler", metadata=METADATA)
    await store.start()
    async with store.transaction() as transaction:
        await handlers.follow_campaigns(
            [seal(past)], timers=SqlTimers(transaction), outbox=transaction
        )
        await SETTINGS.fold(transaction, [seal(settings_changed())])
    await store.stop()
    await log.publish(past, moved)
    marker = scheduled(at=datetime.now(UTC))
    async with running(make(service_settings)):
        await log.publish(marker)
        await log.wait_for(CampaignDue, where=lambda each: each.campaign_id == marker.campaign_id)
    assert [each.event.campaign_id for each in log.of(CampaignDue)] == [marker.campaign_id]


async def test_a_first_start_takes_all_that_was_said_before_it(
    service_settings: ServiceSettings, log: Log
) -> None:
    start = datetime.now(UTC)
    moved, due, dropped = (scheduled(at=start) for _ in range(3))
    later = moved.model_copy(update={"sequence": 3, "due_at": start + timedelta(days=1)})
    gone = CampaignDeleted(
        **dropped.model_dump(exclude={"type", "sequence", "status"}),
        sequence=3,
        status=CampaignStatus.DELETED,
    )
    await log.publish(moved, later, dropped, gone, due, settings_changed())
    async with running(make(service_settings)):
        await log.wait_for(CampaignDue)
        marker = scheduled(at=datetime.now(UTC))
        await log.publish(marker)
        await log.wait_for(CampaignDue, where=lambda each: each.campaign_id == marker.campaign_id)
    begun = {each.event.campaign_id for each in log.of(CampaignDue)}
    assert begun == {due.campaign_id, marker.campaign_id}


async def test_tm9_a_recurring_campaign_runs_at_its_local_time_and_not_while_it_is_paused(
    service_settings: ServiceSettings, log: Log
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    soon = datetime.now(zone).replace(microsecond=0, tzinfo=None) + timedelta(seconds=2)
    definition = DEFINITION.model_copy(
        update={
            "kind": CampaignKind.RECURRING,
            "recurrence": Recurrence(rule="FREQ=DAILY", starts=soon, time_zone=zone.key),
        }
    )
    runs, paused = (
        scheduled(at=datetime.now(UTC)).model_copy(update={"definition": definition})
        for _ in range(2)
    )
    pause = CampaignPaused(
        **paused.model_dump(exclude={"type", "sequence", "status"}),
        sequence=3,
        status=CampaignStatus.PAUSED,
    )
    due_at = soon.replace(tzinfo=zone)
    async with running(make(service_settings)):
        await log.publish(settings_changed(), paused, pause, runs)
        [due] = await log.wait_for(CampaignDue)
        resume = CampaignResumed(
            **pause.model_dump(exclude={"type", "sequence", "status", "occurred_at"}),
            occurred_at=datetime.now(UTC),
            sequence=4,
            status=CampaignStatus.SCHEDULED,
        )
        await log.publish(resume)
        [skipped] = await log.wait_for(OccurrencesSkipped)
    assert (due.campaign_id, due.occurrence) == (runs.campaign_id, due_at.isoformat())
    assert due.due_at == due_at
    assert (skipped.campaign_id, skipped.occurrences) == (paused.campaign_id, 1)
    assert len(log.of(CampaignDue)) == 1
