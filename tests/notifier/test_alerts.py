"""TM-16, X-20: whoever has to know is told when anything goes wrong, once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.notifier.doubles import office
from tests.notifier.facts import (
    AUTHOR,
    CAMPAIGN,
    NOON,
    OFFICE,
    ORGANIZATION,
    RUN,
    Clock,
    Told,
    about_run,
    alarm,
    due,
    failed,
    scheduled,
    settings_changed,
)

from chassis.store import Store
from contracts import ids
from contracts.envelope import seal
from contracts.events.activity import ActivitiesHeld, ActivityRefused, ActivityUnknown
from contracts.events.audience import AudienceAwaited
from contracts.events.base import Event
from contracts.events.campaign import CampaignPaused, CampaignStatus, Mode, OccurrencesSkipped
from contracts.events.consent import ReviewChanged, ReviewStatus
from contracts.events.run import HeldBy, RunAlarm, RunHeld
from notifier.domain.notices import Kind


def held(by: HeldBy = HeldBy.DAY_LIMIT, *, sequence: int = 1, left_out: bool = False) -> RunHeld:
    return RunHeld(
        **about_run(sequence=sequence),
        held_by=by,
        messages=40,
        segments=80,
        left_out=left_out,
        until=NOON + timedelta(hours=12),
        error_code=30032 if by is HeldBy.CONFIGURATION else None,
    )


def paused(*, by: str = "status", sequence: int = 3) -> CampaignPaused:
    return CampaignPaused(
        **scheduled(sequence=sequence).model_dump(exclude={"type", "by", "status", "reason"}),
        status=CampaignStatus.PAUSED,
        by=by,
        reason="Error 30007, again and again.",
    )


def awaited(*, settings_sequence: int = 1, run: UUID = RUN) -> AudienceAwaited:
    return AudienceAwaited(
        **about_run(run_id=run), settings_sequence=settings_sequence, reason="Password expired."
    )


def activities_held(*, settings_sequence: int = 1) -> ActivitiesHeld:
    return ActivitiesHeld(
        organization_id=ORGANIZATION,
        occurred_at=NOON,
        sequence=1,
        settings_sequence=settings_sequence,
        reason="Password expired.",
    )


def review(status: ReviewStatus = ReviewStatus.OPEN, *, number: int = 1) -> ReviewChanged:
    return ReviewChanged(
        organization_id=ORGANIZATION,
        occurred_at=NOON,
        sequence=1 if status is ReviewStatus.OPEN else 2,
        review_id=UUID(int=number),
        number="+14155550100",
        from_number="+18885550100",
        text="please stop bothering me",
        received_at=NOON,
        status=status,
    )


def refused(kind: type[ActivityRefused] | type[ActivityUnknown], reason: str) -> Event:
    message = uuid4()
    return kind(
        **about_run(),
        effect_id=ids.effect_id(message, "TEXTMSG"),
        message_id=message,
        kind="TEXTMSG",
        imis_id="1",
        reason=reason,
    )


@pytest.mark.parametrize(
    ("event", "subject", "line"),
    [
        (failed(), "“Dues” could not run", "The query is gone."),
        (alarm(), "“Dues”: the run stands still", "3 of 5 texts"),
        (alarm(RunAlarm.DOES_NOT_ADD_UP), "“Dues”: the run does not add up", "3 of 5 texts"),
        (alarm(RunAlarm.AUDIENCE_EMPTY), "“Dues”: the audience is empty", "nobody was texted"),
        (
            alarm(RunAlarm.AUDIENCE_SHRANK, advice="Look at the query."),
            "“Dues”: far fewer members than last time",
            "Look at the query.",
        ),
        (
            alarm(RunAlarm.ERROR_SPIKE, error_code=30007, advice="Reword it."),
            "“Dues” paused by itself: error 30007",
            "Error 30007: The carrier filtered the text as unwanted.",
        ),
        (held(), "“Dues”: the day's limit is reached", "40 texts (80 segments) wait"),
        (
            held(HeldBy.RUN_LIMIT, left_out=True),
            "“Dues”: the campaign's limit is reached",
            "40 texts (80 segments) are left out.",
        ),
        (
            held(HeldBy.CONFIGURATION),
            "“Dues” paused by itself: error 30032",
            "Finish the sending number's registration with the carriers, then resume.",
        ),
        (paused(by="sender"), "“Dues” paused by itself", "Error 30007, again and again."),
        (awaited(), "iMIS refuses our account", "Password expired."),
        (activities_held(), "iMIS refuses our account", "Save the iMIS account anew"),
        (
            OccurrencesSkipped(
                organization_id=ORGANIZATION,
                occurred_at=NOON,
                sequence=1,
                campaign_id=CAMPAIGN,
                first=NOON - timedelta(days=2),
                last=NOON - timedelta(days=1),
                occurrences=2,
            ),
            "“Dues”: 2 times passed unused",
            "From 29 January 2027, 12:00 (UTC) to 30 January 2027, 12:00 (UTC).",
        ),
    ],
    ids=lambda each: each.type if isinstance(each, Event) else "",
)
async def test_tm16_what_goes_wrong_is_told_to_the_default_and_the_campaigns_address(
    store: Store, told: Told, event: Event, subject: str, line: str
) -> None:
    one = office(store, told.clock)
    sealed = [seal(event)]
    await told.tell_sealed(sealed)
    await told.tell_sealed(sealed)
    await one.work()
    [(letter, to)] = one.post.letters
    both = {OFFICE} if isinstance(event, ActivitiesHeld) else {OFFICE, AUTHOR}
    assert to == both
    assert letter.subject == f"Text Manager: {subject}"
    for content in (letter.text, letter.html.replace("&#39;", "'")):
        assert line in content
    await told.tell_sealed(sealed)
    await one.work()
    assert len(one.post.letters) == 1


async def test_x7_a_pause_and_its_cause_are_one_mail_whichever_is_heard_first(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    spike, wrong = (
        seal(alarm(RunAlarm.ERROR_SPIKE, error_code=30007)),
        seal(held(HeldBy.CONFIGURATION)),
    )
    await told.tell_sealed([spike, seal(paused(), because=spike.id)])
    await told.tell_sealed([seal(paused(by="sender", sequence=4), because=wrong.id), wrong])
    await one.work()
    assert len(one.post.letters) == 2


async def test_x6_a_pause_by_a_person_is_no_alarm(store: Store, clock: Clock, told: Told) -> None:
    one = office(store, clock)
    await told.tell(paused(by="jdoe"), held(HeldBy.QUIET_HOURS))
    await one.work()
    assert one.post.letters == []


async def test_x20_a_refused_imis_account_is_told_once_until_it_is_saved_anew(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    runs = [ids.run_id(CAMPAIGN, f"launch:{number}") for number in range(4)]
    await told.tell(*(awaited(run=run) for run in runs), activities_held())
    await one.work()
    assert len(one.post.letters) == 1
    await told.tell(awaited(settings_sequence=2), activities_held(settings_sequence=2))
    await one.work()
    assert len(one.post.letters) == 2


async def test_tm8_refused_activities_are_told_once_a_run_after_a_quiet_minute(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    await told.tell(refused(ActivityRefused, "No such member."))
    clock.passes(59)
    again = refused(ActivityRefused, "No such member.")
    await told.tell(again, again, refused(ActivityUnknown, "Nobody knows."))
    clock.passes(59)
    await one.work()
    assert one.post.letters == []
    clock.passes(1)
    await one.work()
    [(letter, _)] = one.post.letters
    assert "2 activities: No such member." in letter.text
    assert "1 activity: Nobody knows." in letter.text
    await told.tell(refused(ActivityRefused, "No such member."))
    clock.passes(3600)
    await one.work()
    assert len(one.post.letters) == 1


async def test_tm8_refusals_without_end_are_told_of_after_ten_minutes(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    for _ in range(20):
        await told.tell(refused(ActivityRefused, "No such member."))
        clock.passes(30)
    await one.work()
    [(letter, _)] = one.post.letters
    assert "20 activities: No such member." in letter.text


async def test_tm20_replies_to_read_are_told_once_an_hour_and_decided_ones_not_at_all(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    await told.tell(review(number=1), review(number=2))
    # Decided before it was told, and told again afterwards.
    await told.tell(review(number=3), review(ReviewStatus.DISMISSED, number=3), review(number=3))
    clock.passes(60)
    await one.work()
    assert one.post.subjects == ["Text Manager: 2 replies of members wait for you to read them"]
    letter, to = one.post.letters[0]
    assert to == {OFFICE}
    assert "bothering" not in letter.text + letter.html
    await told.tell(review(number=4))
    clock.passes(3500)
    await one.work()
    assert len(one.post.letters) == 1
    clock.passes(200)
    await one.work()
    assert one.post.subjects[1:] == ["Text Manager: A member's reply waits for you to read it"]


async def test_x20_a_storm_of_one_kind_is_one_mail(store: Store, clock: Clock, told: Told) -> None:
    one = office(store, clock)
    runs = [ids.run_id(CAMPAIGN, f"launch:{number}") for number in range(30)]
    await told.tell(*(failed(run_id=run) for run in runs), alarm())
    await one.work()
    assert sorted(one.post.subjects) == [
        "Text Manager: 30 alerts: “Dues” could not run, and more",
        "Text Manager: “Dues”: the run stands still",
    ]
    for number in range(40, 44):
        await told.tell(failed(run_id=ids.run_id(CAMPAIGN, f"launch:{number}")))
        await one.work()
    assert len(one.post.letters) == 6
    # The hour is full: what comes now waits, and comes together.
    for number in range(50, 53):
        await told.tell(failed(run_id=ids.run_id(CAMPAIGN, f"launch:{number}")))
        await one.work()
    assert len(one.post.letters) == 6
    clock.passes(3600)
    await one.work()
    assert len(one.post.letters) == 9
    assert len(set(one.post.mail_ids)) == 9


async def test_tm6_an_alert_about_a_test_says_so(store: Store, clock: Clock) -> None:
    told, one = Told(store, clock), office(store, clock)
    await told.tell(settings_changed(), scheduled(), due(mode=Mode.TEST), failed())
    await one.work()
    assert one.post.subjects == ["Text Manager: [TEST] “Dues” could not run"]


def test_each_alarm_has_its_words() -> None:
    assert {each.value for each in RunAlarm} <= {each.value for each in Kind}
