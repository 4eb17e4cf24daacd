"""TM-9 and X-5: what each state of a campaign makes of its timer; no database, no clock."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scheduler.facts import STATES, Author, at, every_day

from contracts.envelope import Envelope
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignEdited,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
    CampaignStatus,
    Missed,
    OccurrencesSkipped,
)
from scheduler.domain.missed import Dealt, deal
from scheduler.domain.timer import Timer, fold
from timing.recurrence import occurrences

GRACE = timedelta(minutes=1)


def after(*events: Envelope[CampaignEvent]) -> tuple[Timer, list[OccurrencesSkipped]]:
    timer, told = None, []
    for each in events:
        if (folded := fold(timer, each)) is not None:
            timer, skipped = folded
            told += [] if skipped is None else [skipped]
    assert timer is not None
    return timer, told


def started(timer: Timer, moment: str) -> Dealt:
    return deal(timer, at=at(moment), grace=GRACE)


def nominal(dealt: Dealt) -> list[str]:
    return [each.nominal for each in dealt.running]


def test_tm9_what_was_before_the_scheduling_does_not_count() -> None:
    author = Author(every_day())
    timer, told = after(author.schedules("05 10:00"))
    assert (timer.due_at, told) == (at("06 10:00"), [])
    early, _ = after(Author(every_day()).schedules("01 09:59"))
    assert early.due_at == at("01 10:00")


def test_x5_each_occurrence_runs_once_and_the_next_is_awaited() -> None:
    timer, _ = after(Author(every_day()).schedules())
    first = started(timer, "01 10:00")
    assert (nominal(first), first.skipped) == (["2027-03-01T10:00:00"], None)
    assert first.timer.due_at == at("02 10:00")
    assert nominal(started(first.timer, "01 23:00")) == []


@pytest.mark.parametrize(
    ("missed", "running", "skipped"),
    [
        (Missed.RUN_ONCE, ["04"], 3),
        (Missed.SKIP, [], 4),
        (Missed.RUN_ALL, ["01", "02", "03", "04"], 0),
    ],
)
def test_x5_what_was_missed_while_down_is_as_its_author_chose(
    missed: Missed, running: list[str], skipped: int
) -> None:
    timer, _ = after(Author(every_day(missed=missed)).schedules())
    dealt = started(timer, "04 12:00")
    assert nominal(dealt) == [f"2027-03-{day}T10:00:00" for day in running]
    told = dealt.skipped
    assert (told.occurrences if told else 0) == skipped
    if told is not None:
        assert told.first == at("01 10:00")
        assert told.last == at("03 10:00" if missed is Missed.RUN_ONCE else "04 10:00")
    assert dealt.timer.due_at == at("05 10:00")


@pytest.mark.parametrize("missed", Missed)
def test_x5_what_is_late_by_the_grace_at_most_runs_in_any_case(missed: Missed) -> None:
    timer, _ = after(Author(every_day(missed=missed)).schedules("02 12:00"))
    assert nominal(started(timer, "03 10:01")) == ["2027-03-03T10:00:00"]
    # Beside one that runs in time, what was missed is not made up for by `run once`.
    both = started(timer, "04 10:01")
    everything = ["2027-03-03T10:00:00", "2027-03-04T10:00:00"]
    assert nominal(both) == (everything if missed is Missed.RUN_ALL else everything[1:])


def test_x5_what_was_missed_for_a_century_is_settled_in_portions_and_runs_once() -> None:
    timer, _ = after(Author(every_day()).schedules())
    running, skipped = [], 0
    end = at("01 12:00").replace(year=2127)
    while timer.due_at is not None and timer.due_at <= end:
        dealt = deal(timer, at=end, grace=GRACE)
        running += nominal(dealt)
        skipped += dealt.skipped.occurrences if dealt.skipped else 0
        timer = dealt.timer
    assert running == ["2127-03-01T10:00:00"]
    assert skipped == (end - at("01 10:00")).days
    assert timer.skips == 8


def test_x6_a_paused_campaign_never_runs_and_what_passed_is_skipped_and_told() -> None:
    author = Author(every_day())
    paused, _ = after(author.schedules(), author.does(CampaignPaused, "02 09:00"))
    assert paused.due_at is None
    assert nominal(started(paused, "05 12:00")) == []
    author = Author(every_day(missed=Missed.RUN_ALL))
    resumed, told = after(
        author.schedules("02 11:00"),
        author.does(CampaignPaused, "02 12:00"),
        author.does(CampaignResumed, "05 11:00"),
    )
    assert [(each.first, each.last, each.occurrences) for each in told] == [
        (at("03 10:00"), at("05 10:00"), 3)
    ]
    assert resumed.due_at == at("06 10:00")


@pytest.mark.parametrize(
    ("missed", "running"),
    [(Missed.RUN_ONCE, ["03"]), (Missed.SKIP, []), (Missed.RUN_ALL, ["02", "03"])],
)
def test_x5_what_was_missed_before_a_pause_is_as_its_author_chose_when_it_is_over(
    missed: Missed, running: list[str]
) -> None:
    author = Author(every_day(missed=missed))
    timer, told = after(
        author.schedules("01 11:00"),
        author.does(CampaignPaused, "03 12:00"),
        author.edits("04 12:00", template="Hi"),
        author.does(CampaignPaused, "04 13:00"),
        author.does(CampaignResumed, "05 11:00"),
    )
    dealt = started(timer, "05 11:02")
    assert nominal(dealt) == [f"2027-03-{day}T10:00:00" for day in running]
    # The days of the pause are skipped, whatever the author chose.
    assert sum(each.occurrences for each in told) == 4 - len(running)
    assert [each.last for each in told][-1] == at("05 10:00")
    assert (dealt.skipped, dealt.timer.due_at) == (None, at("06 10:00"))
    assert nominal(started(dealt.timer, "06 10:00")) == ["2027-03-06T10:00:00"]


def test_x5_what_was_missed_before_a_pause_gives_way_to_what_runs_in_time() -> None:
    author = Author(every_day())
    timer, _ = after(
        author.schedules("01 11:00"),
        author.does(CampaignPaused, "02 12:00"),
        author.does(CampaignResumed, "03 09:59"),
    )
    both = started(timer, "03 10:00")
    assert nominal(both) == ["2027-03-03T10:00:00"]
    assert both.skipped is not None
    assert both.skipped.occurrences == 1


def test_tm9_what_was_missed_before_a_pause_goes_with_its_rule() -> None:
    author = Author(every_day(missed=Missed.RUN_ALL))
    timer, told = after(
        author.schedules("01 11:00"),
        author.does(CampaignPaused, "02 12:00"),
        author.edits("02 13:00", recurrence=every_day("09:00", missed=Missed.RUN_ALL)),
        author.does(CampaignResumed, "02 14:00", status=CampaignStatus.SCHEDULED),
    )
    assert (timer.owed, timer.due_at) == ((), at("03 09:00"))
    assert [(each.first, each.occurrences) for each in told] == [(at("02 10:00"), 1)]


def test_x6_a_pause_in_which_nothing_was_due_is_not_told() -> None:
    author = Author(every_day())
    resumed, told = after(
        author.schedules("02 11:00"),
        author.does(CampaignPaused, "02 12:00"),
        author.does(CampaignResumed, "02 13:00"),
    )
    assert (resumed.due_at, told) == (at("03 10:00"), [])


def test_tm9_an_edit_counts_from_the_next_run() -> None:
    author = Author(every_day())
    timer, _ = after(author.schedules("02 11:00"))
    timer = started(timer, "03 10:00").timer
    # To an earlier time of the day that has run already, and to one that is still to come.
    earlier = fold(timer, author.edits("03 10:30", recurrence=every_day("08:00")))
    assert earlier is not None
    assert (earlier[0].due_at, earlier[1]) == (at("04 08:00"), None)
    later = fold(earlier[0], author.edits("03 10:40", recurrence=every_day("11:00")))
    assert later is not None
    assert later[0].due_at == at("03 11:00")


def test_tm9_an_edit_of_anything_else_leaves_what_was_missed_to_its_policy() -> None:
    author = Author(every_day(missed=Missed.SKIP))
    timer, told = after(
        author.schedules("02 11:00"),
        author.edits("03 12:00", template="Hi", recurrence=every_day(missed=Missed.RUN_ONCE)),
    )
    assert (timer.due_at, told) == (at("03 10:00"), [])
    assert nominal(started(timer, "03 12:01")) == ["2027-03-03T10:00:00"]


def test_tm9_what_the_old_rule_missed_is_told_when_the_rule_changes() -> None:
    author = Author(every_day(missed=Missed.RUN_ALL))
    timer, told = after(
        author.schedules("02 11:00"),
        author.edits("03 12:00", recurrence=every_day("09:00", missed=Missed.RUN_ALL)),
    )
    assert timer.due_at == at("04 09:00")
    assert [(each.first, each.occurrences) for each in told] == [(at("03 10:00"), 1)]


@pytest.mark.parametrize("end", [CampaignCancelled, CampaignDeleted, CampaignArchived])
def test_tm9_nothing_runs_after_a_campaign_s_end(end: type[CampaignEvent]) -> None:
    author = Author(every_day())
    timer, told = after(author.schedules(), author.does(end, "02 09:00"))
    assert (timer.due_at, told) == (None, [])
    assert nominal(started(timer, "09 12:00")) == []


def test_tm9_a_recurring_campaign_goes_on_while_a_run_of_it_is_sending() -> None:
    author = Author(every_day())
    timer, _ = after(author.schedules(), author.does(CampaignStarted, "01 10:00"))
    assert timer.due_at == at("01 10:00")
    assert timer.state.status is CampaignStatus.SENDING


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20270302"])
def test_tm9_a_rule_that_ends_ends_the_timer(rule: str) -> None:
    timer, _ = after(Author(every_day(rule=rule)).schedules())
    timer = started(timer, "01 10:00").timer
    dealt = started(timer, "02 10:00")
    assert (nominal(dealt), dealt.timer.due_at) == (["2027-03-02T10:00:00"], None)


def test_x5_a_last_time_that_was_missed_runs_though_its_campaign_counts_as_completed() -> None:
    author = Author(every_day(rule="FREQ=DAILY;COUNT=2"))
    timer, _ = after(author.schedules())
    timer = started(timer, "01 10:00").timer
    # Nobody started the second one, and the gateway found no time left.
    folded = fold(timer, author.does(CampaignCompleted, "02 10:15"))
    assert folded is not None
    dealt = started(folded[0], "02 12:00")
    assert (nominal(dealt), dealt.timer.due_at) == (["2027-03-02T10:00:00"], None)


def test_x6_what_passed_in_a_pause_is_told_though_no_time_is_left() -> None:
    author = Author(every_day(rule="FREQ=DAILY;COUNT=2"))
    timer, told = after(
        author.schedules(),
        author.does(CampaignPaused, "01 09:30"),
        author.does(CampaignResumed, "05 09:00", status=CampaignStatus.COMPLETED),
    )
    assert (timer.due_at, [each.occurrences for each in told]) == (None, [2])


def test_x6_a_one_time_campaign_that_is_paused_over_its_time_runs_when_it_is_resumed() -> None:
    author = Author()
    paused, _ = after(
        author.schedules(due_at=at("02 10:00")), author.does(CampaignPaused, "02 09:00")
    )
    assert paused.due_at is None
    resumed = fold(paused, author.does(CampaignResumed, "03 09:00"))
    assert resumed is not None
    assert resumed[0].due_at == at("02 10:00")


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*STATES, CampaignEdited]),
        st.integers(0, 60 * 30),
        st.sampled_from(["08:00", "10:00", "23:30"]),
        st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
        st.sampled_from(Missed),
    ),
    max_size=12,
)
Lived = list[tuple[datetime, Envelope[CampaignEvent]]]


def lived(steps: list[Any]) -> Lived:
    author = Author(every_day())
    now = at("01 00:00")
    events: Lived = []
    for kind, minutes, time, zone, missed in steps:
        now += timedelta(minutes=minutes)
        rule = every_day(time, time_zone=zone, missed=missed)
        events.append((now, author.does(kind, now, recurrence=rule)))
    return events


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, looks=st.lists(st.integers(0, 12)), repeated=st.lists(st.integers(0, 11)))
def test_x5_no_instant_is_dealt_with_twice_and_repeats_change_nothing(
    steps: list[Any], looks: list[int], repeated: list[int]
) -> None:
    timer: Timer | None = None
    fired: list[datetime] = []
    skips: list[int] = []
    events = lived(steps)
    for index, (now, event) in enumerate(events):
        # Anything that comes again is older than what is known, or the same.
        for old in (each for each in repeated if each < index):
            assert fold(timer, events[old][1]) is None
        folded = fold(timer, event)
        assert folded is not None
        timer, told = folded
        skips += [told.sequence] if told else []
        assert fold(timer, event) is None
        if index in looks:
            dealt = deal(timer, at=now, grace=GRACE)
            timer = dealt.timer
            fired += [each.at for each in dealt.running]
            skips += [dealt.skipped.sequence] if dealt.skipped else []
            assert deal(timer, at=now, grace=GRACE).running == []
        over = timer.state.status in {CampaignStatus.CANCELLED, CampaignStatus.DELETED}
        held = timer.state.status is CampaignStatus.PAUSED
        assert timer.due_at is None or not (over or held)
    assert fired == sorted(set(fired))
    assert skips == list(range(1, len(skips) + 1))


@settings(max_examples=100, deadline=None)
@given(missed=st.sampled_from(Missed), looks=st.lists(st.integers(0, 60 * 40), max_size=10))
def test_x5_every_occurrence_either_runs_or_is_told_to_be_skipped(
    missed: Missed, looks: list[int]
) -> None:
    rule = every_day(missed=missed, rule="FREQ=DAILY;BYHOUR=3,10,10,22;BYMINUTE=0")
    timer, _ = after(Author(rule).does(CampaignScheduled, "01 00:00"))
    settled, running, now = 0, 0, at("01 00:00")
    for minutes in looks:
        now += timedelta(minutes=minutes)
        dealt = deal(timer, at=now, grace=GRACE)
        running += len(dealt.running)
        settled += len(dealt.running) + (dealt.skipped.occurrences if dealt.skipped else 0)
        timer = dealt.timer
    passed = [each for each in occurrences(rule, count=1000) if each.at <= now]
    assert settled == len(passed)
    assert running == len(passed) or missed is not Missed.RUN_ALL
