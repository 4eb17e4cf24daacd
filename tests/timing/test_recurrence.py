"""TM-9 and X-5: when a recurring campaign runs."""

# A recurrence starts at a local time, which has no offset.
# ruff: noqa: DTZ001

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timing.recurrence import (
    Occurrence,
    RecurrenceError,
    Rule,
    between,
    describe,
    next_after,
    occurrences,
)

NEW_YORK = "America/New_York"
EIGHT_TEN = datetime(2027, 1, 31, 8, 10)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(rule: str, count: int = 3, starts: datetime = EIGHT_TEN) -> list[str]:
    made = Rule.parse(rule, starts)
    return [each.nominal[:10] for each in occurrences(made, after=None, count=count)]


def test_tm9_the_31st_comes_in_months_that_have_one_and_the_last_day_in_every_month() -> None:
    assert days("FREQ=MONTHLY;BYMONTHDAY=31") == ["2027-01-31", "2027-03-31", "2027-05-31"]
    assert days("FREQ=MONTHLY;BYMONTHDAY=-1") == ["2027-01-31", "2027-02-28", "2027-03-31"]
    assert days("FREQ=MONTHLY", starts=EIGHT_TEN) == ["2027-01-31", "2027-03-31", "2027-05-31"]


def test_tm9_29_february_comes_in_leap_years() -> None:
    leap = ["2028-02-29", "2032-02-29", "2036-02-29"]
    assert days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29") == leap
    assert days("FREQ=YEARLY", starts=datetime(2028, 2, 29, 8)) == leap


def test_x5_a_time_that_the_clocks_skip_is_kept_by_the_offset_before_the_gap() -> None:
    rule = Rule.parse("FREQ=DAILY", datetime(2027, 3, 13, 2, 30), NEW_YORK)
    assert occurrences(rule, count=3) == [
        Occurrence("2027-03-13T02:30:00", utc("2027-03-13T07:30")),
        Occurrence("2027-03-14T02:30:00", utc("2027-03-14T07:30")),
        Occurrence("2027-03-15T02:30:00", utc("2027-03-15T06:30")),
    ]


def test_x5_a_time_that_comes_twice_happens_once_at_its_first_instant() -> None:
    rule = Rule.parse("FREQ=DAILY", datetime(2027, 11, 6, 1, 30), NEW_YORK)
    assert [each.at for each in occurrences(rule, count=3)] == [
        utc("2027-11-06T05:30"),
        utc("2027-11-07T05:30"),
        utc("2027-11-08T06:30"),
    ]
    assert next_after(rule, utc("2027-11-07T05:30")) == Occurrence(
        "2027-11-08T01:30:00", utc("2027-11-08T06:30")
    )


def test_x5_two_local_times_that_are_one_instant_happen_once_and_all_in_order() -> None:
    written = "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30"
    rule = Rule.parse(written, datetime(2027, 3, 14, 1), NEW_YORK)
    # 02:00 and 02:30 do not exist that day; by the old offset they are 03:00 and 03:30.
    assert [each.at for each in occurrences(rule, count=3)] == [
        utc("2027-03-14T07:00"),
        utc("2027-03-14T07:30"),
        utc("2027-03-15T06:00"),
    ]
    # Samoa had no 30 December 2011.
    samoa = Rule.parse("FREQ=DAILY", datetime(2011, 12, 29, 10), "Pacific/Apia")
    assert [each.at for each in occurrences(samoa, count=3)] == [
        utc("2011-12-29T20:00"),
        utc("2011-12-30T20:00"),
        utc("2011-12-31T20:00"),
    ]


def test_tm9_a_rule_ends_by_its_count_or_by_its_end() -> None:
    starts = datetime(2027, 3, 1, 9)
    assert len(days("FREQ=DAILY;COUNT=4", 10, starts)) == 4
    # A date alone holds to the end of that day; a time is local, and UTC with Z.
    assert days("FREQ=DAILY;UNTIL=20270303", 10, starts)[-1] == "2027-03-03"
    assert days("FREQ=DAILY;UNTIL=20270303T085959", 10, starts)[-1] == "2027-03-02"
    in_utc = Rule.parse("FREQ=DAILY;UNTIL=20270303T140000Z", starts, NEW_YORK)
    assert occurrences(in_utc, count=10)[-1].nominal == "2027-03-03T09:00:00"
    before = Rule.parse("FREQ=DAILY;UNTIL=20270303T135959Z", starts, NEW_YORK)
    assert occurrences(before, count=10)[-1].nominal == "2027-03-02T09:00:00"
    assert next_after(in_utc, utc("2027-03-03T14:00")) is None


def test_tm9_a_start_that_the_rule_does_not_give_is_no_occurrence() -> None:
    # 31 January 2027 is a Sunday.
    assert days("FREQ=WEEKLY;BYDAY=MO;COUNT=2", 5) == ["2027-02-01", "2027-02-08"]


REFUSED = {
    "": "no part of a rule",
    "MONTHLY": "no part of a rule",
    "BYDAY=MO": "needs FREQ",
    "FREQ=HOURLY": "too often",
    "FREQ=MINUTELY": "too often",
    "FREQ=SECONDLY": "too often",
    "FREQ=FORTNIGHTLY": "needs FREQ",
    "FREQ=DAILY;FREQ=DAILY": "twice",
    "FREQ=DAILY;COUNT=2;UNTIL=20280101": "not by both",
    "FREQ=DAILY;COUNT=0": "COUNT=0",
    "FREQ=DAILY;INTERVAL=0": "INTERVAL=0",
    "FREQ=DAILY;INTERVAL=x": "INTERVAL=X",
    "FREQ=DAILY;BYHOUR=25": "BYHOUR=25",
    "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60))): "24 times a day",
    "FREQ=DAILY;BYDAY=2MO": "numbers a day",
    "FREQ=MONTHLY;BYDAY=XX": "no day",
    "FREQ=MONTHLY;BYDAY=0MO": "no day",
    "FREQ=WEEKLY;BYMONTHDAY=1": "goes with",
    "FREQ=MONTHLY;BYYEARDAY=1": "goes with",
    "FREQ=MONTHLY;BYSETPOS=1": "there is none",
    "FREQ=DAILY;WKST=1": "WKST",
    "FREQ=DAILY;EXDATE=20270101": "no part of a rule that is known",
    "FREQ=DAILY\nFREQ=DAILY": "needs FREQ",
    "FREQ=DAILY;UNTIL=soon": "no date",
    "FREQ=DAILY;UNTIL=20271301": "no day of the calendar",
    "FREQ=DAILY;UNTIL=20260101": "never comes true before its end",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30": "never comes true",
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO": "never comes true",
    "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 300): "longer than",
}


@pytest.mark.parametrize("rule", REFUSED)
def test_tm9_what_cannot_be_followed_is_refused_in_a_sentence(rule: str) -> None:
    with pytest.raises(RecurrenceError) as refused:
        Rule.parse(rule, EIGHT_TEN)
    assert REFUSED[rule] in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("zone", ["", "Mars", "America", "../../etc/passwd", "/etc", "UTC\0"])
def test_tm9_an_unknown_time_zone_is_refused_by_name(zone: str) -> None:
    with pytest.raises(RecurrenceError, match="no time zone"):
        Rule.parse("FREQ=DAILY", EIGHT_TEN, zone)


@pytest.mark.parametrize("starts", [EIGHT_TEN.replace(tzinfo=UTC), datetime(9999, 1, 1)])
def test_tm9_a_start_that_is_no_local_time_of_ours_is_refused(starts: datetime) -> None:
    with pytest.raises(RecurrenceError, match="start"):
        Rule.parse("FREQ=DAILY", starts)


DESCRIBED = {
    "FREQ=DAILY": "every day at 08:10, New York time",
    "FREQ=DAILY;BYHOUR=17,9;BYMINUTE=0": "every day at 09:00 and 17:00, New York time",
    "FREQ=WEEKLY": "every week on Sunday at 08:10, New York time",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,MO": (
        "every 2 weeks on Monday and Thursday at 08:10, New York time"
    ),
    "FREQ=MONTHLY;BYMONTHDAY=31": "every month on the 31st at 08:10, New York time",
    "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3": (
        "every month on the last day at 08:10, New York time, 3 times"
    ),
    "FREQ=MONTHLY;BYDAY=2TU": "every month on the second Tuesday at 08:10, New York time",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": (
        "every month on the last weekday at 08:10, New York time"
    ),
    "FREQ=YEARLY;UNTIL=20300601": (
        "every year on the 31st of January at 08:10, New York time, until 1 June 2030"
    ),
    "FREQ=YEARLY;BYMONTHDAY=1": (
        "every year by the rule FREQ=YEARLY;BYMONTHDAY=1 at 08:10, New York time"
    ),
}


@pytest.mark.parametrize("rule", DESCRIBED)
def test_tm9_a_rule_reads_as_plain_english(rule: str) -> None:
    assert describe(Rule.parse(rule, EIGHT_TEN, NEW_YORK)) == DESCRIBED[rule]


def test_x5_what_is_far_away_is_found_without_walking_there() -> None:
    far = utc("2090-01-01T00:00")
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU", "FREQ=MONTHLY;BYMONTHDAY=-1"):
        began = perf_counter()
        assert next_after(Rule.parse(rule, EIGHT_TEN, NEW_YORK), far) is not None
        # A walk of 23,000 days takes 15 ms on a quiet machine, a jump 0.1; this one is busy.
        assert perf_counter() - began < 2


ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"}))
RULES = st.sampled_from(
    [
        *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,30"),
        *("FREQ=DAILY;COUNT=40", "FREQ=DAILY;UNTIL=20271115", "FREQ=DAILY;BYMONTH=3,11"),
        *("FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;BYSETPOS=-1"),
        *("FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=YEARLY;BYWEEKNO=12"),
    ]
)
STARTS = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1))


@settings(max_examples=150, deadline=None)
@given(written=RULES, starts=STARTS, zone=ZONES, skip=st.integers(0, 30), off=st.integers(-90, 90))
def test_x5_in_every_zone_instants_rise_and_each_way_to_ask_gives_the_same(
    written: str, starts: datetime, zone: str, skip: int, off: int
) -> None:
    rule = Rule(written, starts, zone)
    first = occurrences(rule, count=45)
    assert all(one.at < other.at for one, other in pairwise(first))
    assert len({each.nominal for each in first}) == len(first)
    for each in first:
        local = datetime.fromisoformat(each.nominal).replace(tzinfo=ZoneInfo(zone))
        assert local.astimezone(UTC) == each.at
    if len(first) <= skip + 1:
        return
    after = first[skip].at + timedelta(minutes=off)
    later = [each for each in first if each.at > after]
    assert occurrences(rule, after=after, count=len(later)) == later
    if later:
        assert next_after(rule, after) == later[0]
    until = first[-1].at
    assert between(rule, after, until, 100) == later
    assert between(rule, after, until, 2) == later[:2]


@settings(max_examples=40, deadline=None)
@given(zone=ZONES, starts=STARTS, years=st.integers(0, 60))
def test_x5_the_jump_over_the_years_lands_where_a_walk_would(
    zone: str, starts: datetime, years: int
) -> None:
    after = starts.replace(tzinfo=UTC) + timedelta(days=365 * years)
    for written in ("FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;BYSETPOS=-1"):
        jumped = next_after(Rule(written, starts, zone), after)
        # With a count there is no jump: the walk counts from the start.
        walked = next_after(Rule(f"{written};COUNT=100000", starts, zone), after)
        assert jumped == walked
