"""TM-4: the author gets a full status report of each run, and once more if it changed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.notifier.doubles import FakeReports, office, row
from tests.notifier.facts import (
    AUTHOR,
    CAMPAIGN,
    NOON,
    ORGANIZATION,
    RUN,
    Clock,
    Told,
    about_run,
    completed,
    definition,
    scheduled,
    settings_changed,
)

from chassis.store import Store
from contracts import ids
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus, MessageStatusChanged
from contracts.events.organization import Prices
from contracts.events.run import RunCompleted
from notifier.domain.figures import Count, Hour

HOURS = 3600.0


@pytest.fixture
async def told(store: Store, clock: Clock) -> Told:
    made = Told(store, clock)
    await made.tell(
        settings_changed(time_zone="America/New_York"),
        scheduled(what=definition(report_late_changes=True)),
    )
    return made


def status_changed(status: MessageStatus = MessageStatus.DELIVERED) -> MessageStatusChanged:
    return MessageStatusChanged(
        **about_run(),
        message_id=ids.message_id(ids.recipient_id(RUN, 3)),
        status=status,
        segments=1,
        mode=Mode.LIVE,
    )


async def test_tm4_the_report_has_every_figure_and_goes_to_the_author_alone(
    store: Store, clock: Clock, told: Told
) -> None:
    rows = [
        *(row(number) for number in range(1, 1201)),
        row(1201, "undelivered", error_code=30003, segments=2),
        row(1202, "failed", error_code=30007, sid="SM1"),
        row(1203, "error", reason="invalid_number", sid="", segments=0),
        row(1204, "excluded", reason="opted_out", sid="", segments=1),
        row(1205, "sent", activity="refused"),
    ]
    one = office(store, clock, reports=FakeReports(rows))
    await told.tell(completed(rows=1205))
    await one.work()
    [(letter, to)] = one.post.letters
    assert to == {AUTHOR}
    assert letter.subject == "Text Manager: Report: Dues"
    assert "Cost" not in letter.text + letter.html
    lines = [" ".join(line.split()) for line in letter.text.splitlines()]
    for line in (
        "Contacts returned: 1,205",
        "Charged: 1,202 texts, 1,203 segments",
        "Delivered 1,200 1,200 The carrier confirmed that it arrived.",
        "Left out 1 1 No text was sent, for the reason below.",
        "30003 1 2 Undelivered: The phone is off or out of reach.",
        "30007 1 1 Failed: The carrier filtered the text as unwanted.",
        "1 1 Opted out",
        "1 0 The phone number is not valid",
        "Activities refused: 1",
    ):
        assert line in lines
    assert [each.name for each in letter.attachments] == ["run.csv"]


async def test_tm4_the_report_says_what_each_hour_came_to_and_what_the_run_costs(
    store: Store, clock: Clock
) -> None:
    hours = [
        Hour(NOON, {"undelivered": Count(1, 2), "delivered": Count(1200, 1300)}),
        Hour(NOON + timedelta(hours=1), {"sent": Count(3, 3)}),
    ]
    told, one = Told(store, clock), office(store, clock, reports=FakeReports(hours=hours))
    prices = Prices(currency="AUD", segment=Decimal("0.50"))
    zone = settings_changed(time_zone="Asia/Kolkata", prices=prices)
    await told.tell(zone, scheduled(), completed())
    await one.work()
    letter = one.post.letters[0][0]
    lines = [" ".join(line.split()) for line in letter.text.splitlines()]
    assert "Cost: 1.50 AUD" in lines
    first = "31 January 2027, 17:30 (Asia/Kolkata)"
    assert f"1,201 1,302 {first}: Delivered 1,200, Undelivered 1" in lines
    assert "3 3 31 January 2027, 18:30 (Asia/Kolkata): Sent 3" in lines
    assert f"<td>{first}</td>" in letter.html and "<td>1.50 AUD</td>" in letter.html


async def test_tm4_what_people_wrote_is_shown_and_never_run(
    store: Store, clock: Clock, told: Told
) -> None:
    nasty = "<script>x</script>\r\nBcc: a@b.example"
    one = office(store, clock, reports=FakeReports(name=nasty))
    await told.tell(completed())
    await one.work()
    letter = one.post.letters[0][0]
    assert letter.subject == "Text Manager: Report: <script>x</script> Bcc: a@b.example"
    assert "<script>" not in letter.html
    assert "&lt;script&gt;x&lt;/script&gt;" in letter.html


async def test_tm6_a_test_is_reported_as_one(store: Store, clock: Clock, told: Told) -> None:
    one = office(store, clock, reports=FakeReports([row(1, "simulated", sid="")], test=True))
    await told.tell(completed(rows=1))
    await one.work()
    letter = one.post.letters[0][0]
    assert letter.subject == "Text Manager: [TEST] Report: Dues"
    assert "TEST: the campaign was conducted whole, and no text was sent." in letter.text
    assert "no text was sent" in letter.html


async def test_tm4_a_run_of_an_empty_audience_is_reported_with_0(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock, reports=FakeReports([], name=""))
    await told.tell(completed(rows=0))
    await one.work()
    letter = one.post.letters[0][0]
    assert letter.subject == "Text Manager: Report: Dues"
    assert "Contacts returned: 0\n" in letter.text
    assert "<h1>Dues</h1>" in letter.html


async def test_tm4_the_report_waits_for_the_read_models_to_have_the_whole_run(
    store: Store, clock: Clock, told: Told
) -> None:
    reports = FakeReports([row(1), row(2, "preparing")])
    one = office(store, clock, reports=reports)
    await told.tell(completed(rows=3))
    for rows in ([row(1), row(2)], [row(1), row(2), row(3, "held")]):
        await one.work()
        clock.passes(1)
        reports.rows = rows
    await one.work()
    assert (one.post.letters, reports.counted) == ([], 0)
    reports.rows = [row(1), row(2), row(3)]
    clock.passes(1)
    await one.work()
    assert len(one.post.letters) == 1
    assert "missing" not in one.post.letters[0][0].text


async def test_tm4_read_models_that_never_have_it_all_do_not_keep_the_report_for_ever(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock, reports=FakeReports([row(1)]))
    await told.tell(completed(rows=3))
    clock.passes(600)
    await one.work()
    assert "Some figures were still missing" in one.post.letters[0][0].text


async def test_tm4_without_an_address_of_the_campaign_there_is_no_report(
    store: Store, clock: Clock
) -> None:
    told, one = Told(store, clock), office(store, clock)
    await told.tell(settings_changed(), scheduled(what=definition(email=None)), completed())
    single = ids.single_texts_id(ORGANIZATION, "urgent")
    urgent = completed().model_copy(update={"campaign_id": single, "run_id": RUN})
    assert single != CAMPAIGN
    await told.tell(RunCompleted.model_validate(urgent.model_dump()))
    await one.work()
    assert one.post.letters == []


async def test_tm4_changed_by_late_statuses_it_is_mailed_once_more_when_all_are_final(
    store: Store, clock: Clock, told: Told
) -> None:
    reports = FakeReports([row(1), row(2, "sent"), row(3, "sent")])
    one = office(store, clock, reports=reports)
    await told.tell(completed())
    await one.work()
    clock.passes(60)
    await one.work()
    reports.rows = [row(1), row(2), row(3, "sent")]
    await told.tell(status_changed())
    clock.passes(60)
    await one.work()
    assert len(one.post.letters) == 1
    reports.rows = [row(1), row(2), row(3, "undelivered", error_code=30003)]
    await told.tell(status_changed(MessageStatus.UNDELIVERED))
    clock.passes(59)
    await one.work()
    assert len(one.post.letters) == 1
    clock.passes(1)
    await one.work()
    first, second = (letter for letter, _ in one.post.letters)
    assert second.subject == "Text Manager: Changed report: Dues"
    assert (second.follows, second.mail_id == first.mail_id) == (first.mail_id, False)
    assert "The phone is off or out of reach." in second.text
    await told.tell(status_changed(), completed())
    clock.passes(100 * HOURS)
    await one.work()
    assert len(one.post.letters) == 2


async def test_tm4_after_72_hours_the_changed_report_waits_no_longer(
    store: Store, clock: Clock, told: Told
) -> None:
    reports = FakeReports([row(1), row(2, "sent"), row(3, "sent")])
    one = office(store, clock, reports=reports)
    await told.tell(completed())
    await one.work()
    reports.rows = [row(1), row(2), row(3, "sent")]
    clock.now = NOON
    clock.passes(72 * HOURS - 1)
    await one.work()
    assert len(one.post.letters) == 1
    clock.passes(1)
    await one.work()
    assert len(one.post.letters) == 2


@pytest.mark.parametrize("rows", [[row(1), row(2), row(3)], [row(1), row(2), row(3, "sent")]])
async def test_tm4_a_report_that_nothing_changed_is_not_mailed_again(
    store: Store, clock: Clock, told: Told, rows: list[object]
) -> None:
    one = office(store, clock, reports=FakeReports(rows))  # type: ignore[arg-type]
    await told.tell(completed())
    await one.work()
    await told.tell(status_changed())
    clock.passes(73 * HOURS)
    await one.work()
    assert len(one.post.letters) == 1


async def test_tm4_a_status_that_comes_while_the_report_is_looked_at_is_not_missed(
    store: Store, clock: Clock, told: Told
) -> None:
    reports = FakeReports([row(1), row(2, "sent"), row(3, "sent")])
    one = office(store, clock, reports=reports)
    await told.tell(completed())
    await one.work()
    at = clock.passes(60)
    [job] = await one.mails.claim(at=at, lease_until=clock.passes(0), limit=8)
    await told.tell(status_changed())
    looked = await one.posting._settle(job)
    await one.mails.record([looked], at=at)
    reports.rows = [row(1), row(2), row(3)]
    clock.passes(60)
    await one.work()
    assert one.post.subjects[1:] == ["Text Manager: Changed report: Dues"]
