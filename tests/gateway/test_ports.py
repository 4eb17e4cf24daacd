"""One suite for the gateway's own stores: on memory, on SQLite, on PostgreSQL if it is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.databases import DATABASES
from tests.gateway.fakes import NOON
from tests.gateway.lives import RECURRING, drafted, sure
from tests.gateway.memory_desk import MemoryDesk
from tests.gateway.test_domain import DEFINITION, LATER, OTHER, preview, settings_of

from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, seal
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from contracts.events.campaign import Audience, CampaignEvent, CampaignKind, CampaignStatus
from contracts.events.message import Resolution
from contracts.events.organization import OrganizationSettingsChanged
from contracts.ids import event_id
from gateway.adapters.desk import SqlDesk
from gateway.adapters.tables import METADATA
from gateway.domain import campaign as aggregate
from gateway.domain.campaign import present_run
from gateway.domain.records import Answer, Decision, Kept, StaffSession, question_of
from gateway.domain.uploads import Upload
from gateway.ports import Desk

ORGANIZATION, OTHER_ORGANIZATION = uuid4(), uuid4()
CAMPAIGN = uuid4()
WINDOW = timedelta(minutes=5)


@asynccontextmanager
async def sql_desk(url: str) -> AsyncIterator[Desk]:
    settings = ServiceSettings(
        kafka_url="localhost:1",
        database_url=url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="test",
    )
    store = Store(settings, name=f"gateway_{uuid4().hex[:8]}", metadata=METADATA)
    await store.start()
    try:
        yield SqlDesk(store)
    finally:
        if url.startswith("postgresql"):
            async with store.transaction() as transaction:
                await transaction.execute(text(f'DROP SCHEMA "{store.name}" CASCADE'))
        await store.stop()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    match request.param:
        case "memory":
            yield MemoryDesk()
        case kind:
            on_sqlite = kind == "sqlite"
            url = f"sqlite:///{tmp_path}" if on_sqlite else DATABASES.make(tmp_path)
            async with sql_desk(url) as made:
                yield made


def a_campaign(organization: UUID = ORGANIZATION) -> Envelope[CampaignEvent]:
    return seal(
        aggregate.draft(event_id(), DEFINITION, organization_id=organization, at=NOON, by="staff")
    )


def after(envelope: Envelope[CampaignEvent], outcome: Any) -> Envelope[CampaignEvent]:
    assert isinstance(outcome, CampaignEvent)
    return seal(outcome, because=envelope.id)


async def test_a_campaign_is_its_newest_event(desk: Desk) -> None:
    first = a_campaign()
    second = after(first, aggregate.edit(first.event, OTHER, at=NOON, by="staff"))
    async with desk.work() as work:
        await work.campaigns.save([first, second])
    async with desk.read() as reading:
        found = await reading.campaigns.get(ORGANIZATION, first.event.campaign_id)
        assert found is not None
        assert (found.id, found.event) == (second.id, second.event)
        assert await reading.campaigns.get(OTHER_ORGANIZATION, first.event.campaign_id) is None
        assert await reading.campaigns.get(ORGANIZATION, uuid4()) is None


async def test_two_events_with_one_sequence_are_not_both_kept(desk: Desk) -> None:
    first = a_campaign()
    async with desk.work() as work:
        await work.campaigns.save([first])
    rival = after(first, aggregate.edit(first.event, OTHER, at=NOON, by="other"))
    second = after(first, aggregate.delete(first.event, at=NOON, by="staff"))
    async with desk.work() as work:
        await work.campaigns.save([second])
    with pytest.raises((LookupError, IntegrityError)):
        async with desk.work() as work:
            await work.campaigns.save([rival])
    async with desk.read() as reading:
        found = await reading.campaigns.get(ORGANIZATION, first.event.campaign_id)
    assert found is not None
    assert found.event.status is CampaignStatus.DELETED


async def test_campaigns_are_paged_counted_and_found_by_run(desk: Desk) -> None:
    # Ids that are drawn within one millisecond are in no order.
    made = sorted((a_campaign() for _ in range(4)), key=lambda each: each.event.campaign_id)
    foreign = a_campaign(OTHER_ORGANIZATION)
    gone = after(made[0], aggregate.delete(made[0].event, at=NOON, by="staff"))
    due = after(made[1], aggregate.schedule(made[1].event, LATER, at=NOON, by="staff"))
    async with desk.work() as work:
        await work.campaigns.save([*made, foreign])
        await work.campaigns.save([gone, due])
        await work.campaigns.save([])
    run = present_run(due.event)
    assert run is not None
    ids = [each.event.campaign_id for each in made]
    async with desk.read() as reading:
        campaigns = reading.campaigns
        everything = await campaigns.page(ORGANIZATION, status=None, before=None, limit=10)
        assert [each.campaign_id for each in everything] == ids[:0:-1]
        rest = await campaigns.page(ORGANIZATION, status=None, before=ids[3], limit=1)
        assert [each.campaign_id for each in rest] == [ids[2]]
        status = CampaignStatus.SCHEDULED
        assert await campaigns.page(ORGANIZATION, status=status, before=None, limit=9) == [
            due.event
        ]
        assert await campaigns.counts(ORGANIZATION) == {
            CampaignStatus.DELETED: 1,
            CampaignStatus.SCHEDULED: 1,
            CampaignStatus.DRAFT: 2,
        }
        assert await campaigns.of_run(ORGANIZATION, run) == due.event
        assert await campaigns.of_run(OTHER_ORGANIZATION, run) is None
    async with desk.work() as work:
        held = await work.campaigns.held([ids[1], ids[1], foreign.event.campaign_id, uuid4()])
        assert {key: each.event for key, each in held.items()} == {
            ids[1]: due.event,
            foreign.event.campaign_id: foreign.event,
        }


async def test_campaigns_are_listed_by_kind(desk: Desk) -> None:
    once, again = a_campaign(), seal(drafted(RECURRING, ORGANIZATION))
    async with desk.work() as work:
        await work.campaigns.save([once, again])
    async with desk.read() as reading:
        for kind, expected in ((CampaignKind.ONE_TIME, once), (CampaignKind.RECURRING, again)):
            page = await reading.campaigns.page(
                ORGANIZATION, status=None, kind=kind, before=None, limit=9
            )
            assert page == [expected.event]


async def test_tm12_a_campaign_s_history_is_read_in_parts_by_its_own_people(desk: Desk) -> None:
    first = a_campaign()
    second = after(first, aggregate.edit(first.event, OTHER, at=NOON, by="staff"))
    third = after(second, aggregate.archive(second.event, at=NOON, by="staff"))
    async with desk.work() as work:
        await work.campaigns.save([first, second, third])
        await work.campaigns.save([a_campaign()])
    this = first.event.campaign_id
    async with desk.read() as reading:
        history = reading.campaigns.history
        told = [each.event for each in (first, second, third)]
        assert await history(ORGANIZATION, this, after=0, limit=9) == told
        assert await history(ORGANIZATION, this, after=1, limit=1) == told[1:2]
        assert await history(OTHER_ORGANIZATION, this, after=0, limit=9) == []


async def test_what_was_heard_of_runs_only_grows(desk: Desk) -> None:
    run, other = uuid4(), uuid4()
    async with desk.work() as work:
        await work.campaigns.hear({})
        await work.campaigns.hear({(run, "status"): 3, (run, "sender"): 7, (other, "status"): 1})
        await work.campaigns.hear({(run, "status"): 2, (run, "sender"): 8})
    async with desk.read() as reading:
        assert await reading.campaigns.heard([(run, "status"), (uuid4(), "status")]) == {
            (run, "status"): 3,
            (run, "sender"): 8,
        }


async def test_what_is_over_for_long_is_found_by_each_organisation_s_own_time(desk: Desk) -> None:
    def over(organization: UUID, at: datetime) -> Envelope[CampaignEvent]:
        made = aggregate.draft(
            event_id(), DEFINITION, organization_id=organization, at=at, by="staff"
        )
        scheduled = aggregate.schedule(made, at, at=at, by="staff")
        assert isinstance(scheduled, CampaignEvent)
        return seal(sure(aggregate.cancel(scheduled, at=at, by="staff")))

    late = NOON + timedelta(hours=2)
    old, new, theirs = (
        over(ORGANIZATION, NOON),
        over(ORGANIZATION, late),
        over(OTHER_ORGANIZATION, NOON),
    )
    running = a_campaign()
    async with desk.work() as work:
        await work.campaigns.save([old, new, theirs, running])
    async with desk.work() as work:
        cut = NOON + timedelta(hours=1)
        found = await work.campaigns.aged({ORGANIZATION: cut, OTHER_ORGANIZATION: NOON}, limit=9)
        assert [each.event for each in found] == [old.event]
        assert await work.campaigns.aged({}, limit=9) == []
        later = {ORGANIZATION: LATER, OTHER_ORGANIZATION: LATER}
        assert len(await work.campaigns.aged(later, limit=2)) == 2


async def test_recurring_campaigns_that_wait_are_gone_through_in_parts(desk: Desk) -> None:
    made = [
        seal(sure(aggregate.schedule(drafted(RECURRING, ORGANIZATION), None, at=NOON, by="staff")))
        for _ in range(3)
    ]
    ids = sorted(each.event.campaign_id for each in made)
    async with desk.work() as work:
        await work.campaigns.save([*made, a_campaign()])
    async with desk.work() as work:
        first = await work.campaigns.awaiting(after=None, limit=2)
        assert [each.event.campaign_id for each in first] == ids[:2]
        rest = await work.campaigns.awaiting(after=ids[1], limit=2)
        assert [each.event.campaign_id for each in rest] == ids[2:]


def asked(at: datetime = NOON, **more: Any) -> AudiencePreviewRequested:
    given: dict[str, Any] = {
        "organization_id": ORGANIZATION,
        "campaign_id": CAMPAIGN,
        "audience": Audience(iqa_path="$/M", phone_column="Phone", id_column="ID"),
        "template": "Hello",
        "from_number": "+18885550123",
        "one_text_per_phone": False,
        "default_country": "US",
    }
    return AudiencePreviewRequested(
        occurred_at=at, sequence=1, preview_id=event_id(), **(given | more)
    )


def came(request: AudiencePreviewRequested, **counts: Any) -> AudiencePreviewed:
    return preview(**counts).model_copy(
        update={
            "organization_id": request.organization_id,
            "preview_id": request.preview_id,
            "campaign_id": request.campaign_id,
        }
    )


async def test_tm10_an_answer_to_the_same_question_is_found_while_it_is_fresh(desk: Desk) -> None:
    old, new = asked(), asked(NOON + timedelta(minutes=1))
    failed, waiting = asked(NOON + timedelta(minutes=2)), asked(NOON + timedelta(minutes=3))
    differing = asked(NOON + timedelta(minutes=4), template="Dear")
    async with desk.work() as work:
        for each in (old, new, failed, waiting, differing):
            await work.previews.ask(each)
        await work.previews.receive(
            [
                came(old, recipients=1),
                came(new, recipients=2),
                came(failed, failure="gone"),
                came(differing, recipients=9),
            ]
        )
    async with desk.read() as reading:
        question = question_of(asked(LATER))

        async def newest(since: datetime, organization: UUID = ORGANIZATION) -> int | None:
            found = await reading.previews.newest(organization, CAMPAIGN, question, since=since)
            return None if found is None or found.result is None else found.result.recipients

        assert await newest(NOON) == 2
        assert await newest(NOON + timedelta(minutes=2)) is None
        assert await newest(NOON, OTHER_ORGANIZATION) is None
    async with desk.work() as work:
        await work.previews.forget(before=new.occurred_at)
        assert await work.previews.get(ORGANIZATION, old.preview_id) is None
        assert await work.previews.get(ORGANIZATION, new.preview_id) is not None


async def test_tm10_a_preview_s_progress_never_goes_back(desk: Desk) -> None:
    request = asked()

    def come(rows: int, organization: UUID = ORGANIZATION) -> AudiencePreviewProgressed:
        return AudiencePreviewProgressed(
            organization_id=organization,
            occurred_at=NOON,
            sequence=rows,
            preview_id=request.preview_id,
            rows_read=rows,
            rows_expected=100,
        )

    async with desk.work() as work:
        await work.previews.ask(request)
        await work.previews.progress([come(10), come(30), come(20)])
        await work.previews.progress([come(90, OTHER_ORGANIZATION)])
        await work.previews.progress([])
    async with desk.read() as reading:
        found = await reading.previews.get(ORGANIZATION, request.preview_id)
    assert found is not None
    assert (found.rows_read, found.rows_expected, found.result) == (30, 100, None)


async def test_the_newest_settings_stay(desk: Desk) -> None:
    def changed(sequence: int) -> OrganizationSettingsChanged:
        return OrganizationSettingsChanged(
            organization_id=ORGANIZATION,
            occurred_at=NOON,
            sequence=sequence,
            settings=settings_of(per_day=sequence),
        )

    async with desk.work() as work:
        for sequence in (1, 3, 2, 3):
            await work.organizations.save(changed(sequence))
    async with desk.read() as reading:
        assert await reading.organizations.get(ORGANIZATION) == changed(3)
        assert await reading.organizations.get(uuid4()) is None


async def test_a_session_lives_until_its_end(desk: Desk) -> None:
    session = StaffSession("hash", ORGANIZATION, "staff", LATER, "sealed", NOON)
    async with desk.work() as work:
        await work.sessions.add(session)
    async with desk.read() as reading:
        almost = LATER - timedelta(microseconds=1)
        assert await reading.sessions.find("hash", at=almost) == session
        assert await reading.sessions.find("hash", at=LATER) is None
        assert await reading.sessions.find("other", at=NOON) is None
    async with desk.work() as work:
        await work.sessions.forget(before=LATER)
        assert await work.sessions.find("hash", at=NOON) == session
        await work.sessions.revoke("hash")
        await work.sessions.revoke("hash")
        assert await work.sessions.find("hash", at=NOON) is None
        await work.sessions.add(session)
        await work.sessions.forget(before=LATER + timedelta(seconds=1))
        assert await work.sessions.find("hash", at=NOON) is None


async def test_attempts_are_limited_within_the_window(desk: Desk) -> None:
    async def begin(key: str, seconds: float, attempt: UUID | None = None) -> timedelta | None:
        async with desk.work() as work:
            return await work.attempts.begin(
                attempt or uuid4(),
                key,
                at=NOON + timedelta(seconds=seconds),
                window=WINDOW,
                limit=2,
            )

    second = uuid4()
    assert await begin("a", 0) is None
    assert await begin("a", 100, second) is None
    assert await begin("a", 200) == timedelta(seconds=100)
    assert await begin("b", 200) is None
    assert await begin("a", 300) is None
    assert await begin("a", 301) == timedelta(seconds=99)
    async with desk.work() as work:
        await work.attempts.retract(second)
    assert await begin("a", 302) is None
    assert await begin("a", 303) is not None
    async with desk.work() as work:
        await work.attempts.forgive("a")
    assert await begin("a", 304) is None


async def test_the_first_answer_to_a_preview_stays(desk: Desk) -> None:
    request = AudiencePreviewRequested(
        organization_id=ORGANIZATION,
        occurred_at=NOON,
        sequence=1,
        preview_id=uuid4(),
        campaign_id=uuid4(),
        audience=Audience(iqa_path="$/M", phone_column="Phone", id_column="ID"),
        template="Hello",
        from_number="+18885550123",
        one_text_per_phone=False,
        default_country="US",
    )
    named = {"preview_id": request.preview_id, "organization_id": ORGANIZATION}
    one = preview(recipients=1).model_copy(update=named)
    two = preview(recipients=2).model_copy(update=named)
    foreign = two.model_copy(update={"organization_id": OTHER_ORGANIZATION})
    async with desk.work() as work:
        await work.previews.ask(request)
        await work.previews.receive([preview(), foreign])
    async with desk.read() as reading:
        asked = await reading.previews.get(ORGANIZATION, request.preview_id)
        assert asked is not None
        assert (asked.request, asked.result) == (request, None)
        assert await reading.previews.get(OTHER_ORGANIZATION, request.preview_id) is None
    async with desk.work() as work:
        await work.previews.receive([one, two])
        await work.previews.receive([two])
        await work.previews.receive([])
    async with desk.read() as reading:
        came = await reading.previews.get(ORGANIZATION, request.preview_id)
        assert came is not None
        assert came.result == one


async def test_an_answer_is_kept_once_and_for_its_organisation(desk: Desk) -> None:
    kept = Kept("h1", Answer(201, b'{"a": 1}', {"ETag": '"1"'}))
    async with desk.work() as work:
        assert await work.answers.keep(ORGANIZATION, "k", kept, at=NOON)
        assert not await work.answers.keep(ORGANIZATION, "k", Kept("h2", kept.answer), at=NOON)
        assert await work.answers.keep(OTHER_ORGANIZATION, "k", kept, at=NOON)
    async with desk.read() as reading:
        assert await reading.answers.get(ORGANIZATION, "k") == kept
        assert await reading.answers.get(ORGANIZATION, "other") is None
    async with desk.work() as work:
        await work.answers.forget(before=NOON)
        assert await work.answers.get(ORGANIZATION, "k") == kept
        await work.answers.forget(before=LATER)
        assert await work.answers.get(ORGANIZATION, "k") is None


async def test_a_transaction_that_fails_leaves_nothing(desk: Desk) -> None:
    envelope = a_campaign()
    with pytest.raises(RuntimeError):
        async with desk.work() as work:
            await work.campaigns.save([envelope])
            work.outbox.publish_sealed(envelope)
            raise RuntimeError
    async with desk.read() as reading:
        assert await reading.campaigns.get(ORGANIZATION, envelope.event.campaign_id) is None


async def test_commands_of_a_run_are_counted(desk: Desk) -> None:
    run, other = uuid4(), uuid4()
    for expected in (1, 2, 3):
        async with desk.work() as work:
            assert await work.commands.next_of_run(ORGANIZATION, run) == expected
    async with desk.work() as work:
        assert await work.commands.next_of_run(ORGANIZATION, other) == 1


async def test_a_decision_is_kept_unless_another_was_faster(desk: Desk) -> None:
    message = uuid4()
    first = Decision(sequence=1, about=2, resolution=Resolution.SEND_AGAIN)
    late = Decision(sequence=1, about=2, resolution=Resolution.GIVEN_UP)
    second = Decision(sequence=2, about=4, resolution=Resolution.SENT, sid="SM1")
    async with desk.work() as work:
        assert await work.commands.decision(ORGANIZATION, message) is None
        assert await work.commands.decide(ORGANIZATION, message, first)
    async with desk.work() as work:
        assert not await work.commands.decide(ORGANIZATION, message, late)
        assert await work.commands.decision(ORGANIZATION, message) == first
        assert await work.commands.decision(OTHER_ORGANIZATION, message) is None
        assert not await work.commands.decide(OTHER_ORGANIZATION, message, second)
        assert await work.commands.decide(ORGANIZATION, message, second)
    async with desk.work() as work:
        assert await work.commands.decision(ORGANIZATION, message) == second


async def test_what_a_query_asks_for_is_known_since_it_was_last_read(desk: Desk) -> None:
    path = "$/" + "long/" * 300
    async with desk.work() as work:
        assert await work.queries.prompts(ORGANIZATION, path) == ()
        await work.queries.keep(ORGANIZATION, path, ["City", "Since"])
        await work.queries.keep(OTHER_ORGANIZATION, path, ["Else"])
    async with desk.read() as reading:
        assert await reading.queries.prompts(ORGANIZATION, path) == ("City", "Since")
        assert await reading.queries.prompts(ORGANIZATION, path + "x") == ()
    async with desk.work() as work:
        await work.queries.keep(ORGANIZATION, path, [])
        assert await work.queries.prompts(ORGANIZATION, path) == ()


async def test_x11_an_upload_is_its_organisations(desk: Desk) -> None:
    kept = Upload(uuid4(), ORGANIZATION, "Members", ("ID", "Full Name"), 7, "staff", NOON)
    async with desk.work() as work:
        await work.uploads.keep(kept)
    async with desk.read() as reading:
        assert await reading.uploads.get(ORGANIZATION, kept.upload_id) == kept
        assert await reading.uploads.get(OTHER_ORGANIZATION, kept.upload_id) is None
        assert await reading.uploads.get(ORGANIZATION, uuid4()) is None


async def test_every_organisation_is_listed_for_operators(desk: Desk) -> None:
    def changed(organization: UUID, sequence: int) -> OrganizationSettingsChanged:
        return OrganizationSettingsChanged(
            organization_id=organization,
            occurred_at=NOON,
            sequence=sequence,
            settings=settings_of(per_day=sequence),
        )

    async with desk.work() as work:
        assert await work.organizations.every(limit=9) == []
        for organization, sequence in (
            (ORGANIZATION, 1),
            (OTHER_ORGANIZATION, 1),
            (ORGANIZATION, 2),
        ):
            await work.organizations.save(changed(organization, sequence))
        assert await work.organizations.get(ORGANIZATION, hold=True) == changed(ORGANIZATION, 2)
    async with desk.read() as reading:
        found = await reading.organizations.every(limit=9)
        assert {each.organization_id: each.sequence for each in found} == {
            ORGANIZATION: 2,
            OTHER_ORGANIZATION: 1,
        }
        assert await reading.organizations.every(limit=1) == found[:1]
