"""The times of the recurring campaign are computed apart from the system, and are its rule's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.chaos.job import MOST, drawn_up

from timing.recurrence import Rule, occurrences

TEN_YEARS = 10 * 365 * 86_400
MOMENTS = st.integers(0, TEN_YEARS).map(lambda s: datetime.fromtimestamp(1_767_225_600 + s, UTC))


@settings(deadline=None, max_examples=50)
@given(now=MOMENTS, times=st.integers(1, MOST))
def test_a_job_s_times_are_those_of_its_rule(now: datetime, times: int) -> None:
    job = drawn_up(times, now)
    told = job.recurrence
    rule = Rule(told["rule"], datetime.fromisoformat(told["starts"]), told["time_zone"])
    zone = ZoneInfo(told["time_zone"])
    found = [each.at.astimezone(zone).isoformat() for each in occurrences(rule, count=MOST + 1)]
    assert found == job.times
