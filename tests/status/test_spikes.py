"""X-7: a spike of one error among a campaign's newest outcomes is told, once until a resume."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scheduler.facts import settings_changed
from tests.status import facts
from tests.status.facts import lifecycle
from tests.status.world import World, sealed

from contracts import ids
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignPaused,
    CampaignResumed,
)
from contracts.events.message import Refused
from contracts.events.organization import SendingStop
from contracts.events.run import RunAlarm, RunAlarmRaised
from status.domain.message import UNKNOWN, Message
from status.domain.spike import Campaign, Erring, Failure, Outcomes, look_for_spike, note

FILTERED = "30007"


async def sent(
    world: World, rows: Sequence[int], status: str, code: str = "", *, run: UUID = facts.RUN
) -> None:
    """Texts that Twilio took, and what became of them."""
    for row in rows:
        queued, submitted = facts.queued(row, run=run), facts.submitted(row, run=run)
        await world.take(sealed(queued, submitted, facts.callback(row, status, code, run=run)))


def alarms(world: World) -> list[RunAlarmRaised]:
    return world.told(RunAlarmRaised)


async def test_x7_twenty_of_one_error_among_the_last_hundred_outcomes_are_told_once() -> None:
    world = World()
    await sent(world, range(1, 81), "delivered")
    await sent(world, range(81, 100), "undelivered", FILTERED)
    assert alarms(world) == []
    await sent(world, [100], "undelivered", FILTERED)
    [alarm] = alarms(world)
    assert (alarm.run_id, alarm.alarm, alarm.error_code) == (
        facts.RUN,
        RunAlarm.ERROR_SPIKE,
        30007,
    )
    assert alarm.detail == (
        "20 of the last 100 texts: 30007: The carrier filtered the text as unwanted."
    )
    assert "resume" in alarm.advice
    assert world.watch.alarms == [(facts.RUN, RunAlarm.ERROR_SPIKE)]
    await sent(world, range(101, 150), "undelivered", FILTERED)
    assert len(alarms(world)) == 1


async def test_x7_a_run_that_sends_what_was_missed_can_have_a_spike_of_its_own() -> None:
    world = World()
    other = UUID(int=77)
    await sent(world, range(1, 21), "undelivered", FILTERED)
    await sent(world, range(21, 41), "undelivered", FILTERED)
    assert len(alarms(world)) == 1
    await sent(world, range(1, 21), "undelivered", FILTERED, run=other)
    assert [each.run_id for each in alarms(world)] == [facts.RUN, other]


async def test_x7_the_same_errors_far_apart_are_no_spike() -> None:
    world = World()
    for begin in range(1, 301, 6):
        await sent(world, range(begin, begin + 5), "delivered")
        await sent(world, [begin + 5], "undelivered", FILTERED)
    assert alarms(world) == []


async def test_x7_different_errors_do_not_add_up_to_one_spike() -> None:
    world = World()
    await sent(world, range(1, 20), "undelivered", FILTERED)
    await sent(world, range(20, 39), "undelivered", "30003")
    assert alarms(world) == []
    await sent(world, [39], "undelivered", "30003")
    assert [each.error_code for each in alarms(world)] == [30003]


@pytest.mark.parametrize("code", [21610, 21211, 21614, 21635])
async def test_x7_opted_out_and_invalid_numbers_do_not_count(code: int) -> None:
    world = World()
    for row in range(1, 121):
        refused = facts.submitted(row, Refused(code=code, invalid_number=code != 21610))
        await world.take(sealed(facts.queued(row), refused))
        await world.take(sealed(facts.callback(row, "failed", str(code))))
    assert alarms(world) == []
    # Nor do they hide what counts.
    await sent(world, range(121, 140), "failed", "30008")
    await sent(world, [140], "failed", "30008")
    assert [each.error_code for each in alarms(world)] == [30008]


async def test_x7_a_refusal_counts_when_it_is_answered_and_one_without_a_code_counts_too() -> None:
    world = World()
    for row in range(1, 21):
        await world.take(sealed(facts.queued(row), facts.submitted(row, Refused(code=21408))))
    assert [each.error_code for each in alarms(world)] == [21408]
    world = World()
    await sent(world, range(1, 21), "canceled")
    [alarm] = alarms(world)
    assert (alarm.error_code, alarm.detail) == (
        None,
        "20 of the last 20 texts: failed without an error code",
    )


async def test_x7_only_a_text_s_first_outcome_counts_and_repeats_count_nothing() -> None:
    world = World()
    story: list[Envelope[Event]] = []
    for row in range(1, 20):
        story += sealed(facts.queued(row), facts.submitted(row), facts.callback(row, "delivered"))
        story += sealed(facts.callback(row, "failed", FILTERED))
    await sent(world, range(20, 30), "undelivered", FILTERED)
    for each in story * 3:
        await world.take([each])
    # One that failed first may be delivered after all: it failed, once.
    for row in range(20, 30):
        for status in ("failed", "undelivered", "delivered", "undelivered"):
            await world.take(sealed(facts.callback(row, status, FILTERED)))
    assert alarms(world) == []
    assert world.campaigns.kept[facts.CAMPAIGN].outcomes == 29


async def test_x7_after_a_resume_it_counts_anew_and_not_what_was_tried_before() -> None:
    world = World()
    await sent(world, range(1, 21), "undelivered", FILTERED)
    await world.follows(lifecycle(CampaignPaused, 4, 20), lifecycle(CampaignResumed, 5, 30))
    # Texts of before, whose fate is heard of only now; all tried at 1.9 seconds.
    await sent(world, range(21, 61), "undelivered", FILTERED)
    assert len(alarms(world)) == 1
    # A resume that is read again changes nothing.
    await failing_after(world, range(61, 80), 31)
    await world.follows(lifecycle(CampaignResumed, 5, 30))
    await failing_after(world, [80], 31)
    assert len(alarms(world)) == 2
    first, second = alarms(world)
    assert second.sequence > first.sequence


async def failing_after(world: World, rows: Sequence[int], seconds: float) -> None:
    for row in rows:
        tried = facts.submitted(row).model_copy(update={"attempted_at": facts.at(seconds)})
        report = facts.callback(row, "undelivered", FILTERED)
        await world.take(sealed(facts.queued(row), tried, report))


async def test_x7_the_thresholds_are_the_organisation_s_own() -> None:
    world = World()
    own = settings_changed(spike_errors=3, spike_window=4).event.settings
    world.campaigns.known_settings[facts.ORGANIZATION] = own
    await sent(world, [1, 2], "undelivered", FILTERED)
    await sent(world, [3, 4], "delivered")
    await sent(world, [5, 6], "undelivered", FILTERED)
    assert alarms(world) == []
    await sent(world, [7], "undelivered", FILTERED)
    assert [each.detail[:21] for each in alarms(world)] == ["3 of the last 4 texts"]


async def test_x7_a_recurring_campaign_s_runs_are_one_campaign_and_the_newest_is_told() -> None:
    world = World()
    second = ids.run_id(facts.CAMPAIGN, "2027-01-31T08:10:00")
    await sent(world, range(1, 11), "undelivered", FILTERED)
    await sent(world, range(1, 11), "undelivered", FILTERED, run=second)
    assert [each.run_id for each in alarms(world)] == [second]


async def test_x7_single_texts_are_no_campaign_that_could_be_paused() -> None:
    outcomes: dict[UUID, Outcomes] = {}
    urgent = ids.single_texts_id(facts.ORGANIZATION, "urgent")
    for campaign, counted in ((urgent, False), (facts.CAMPAIGN, True)):
        before: Message = UNKNOWN
        world = World()
        about: Any = {"campaign_id": campaign}
        await world.take(sealed(facts.queued(1).model_copy(update=about), facts.submitted(1)))
        before = world.messages.kept[facts.message(1)]
        failed = sealed(facts.callback(1, "failed", FILTERED))
        await world.take(failed)
        note(outcomes, before, world.messages.kept[facts.message(1)], failed[0])  # type: ignore[arg-type]
        assert (campaign in outcomes) is counted


@settings(max_examples=200, deadline=None)
@given(
    story=st.lists(st.sampled_from([None, 1, 1, 2]), max_size=60),
    errors=st.integers(1, 6),
    among=st.integers(1, 12),
    cuts=st.sets(st.integers(0, 60), max_size=8),
)
def test_x7_a_spike_is_found_at_the_first_outcome_that_makes_it_however_they_are_batched(
    story: list[int | None], errors: int, among: int, cuts: set[int]
) -> None:
    expected = next(
        (
            end
            for end in range(1, len(story) + 1)
            if story[end - 1] is not None
            and story[max(0, end - among) : end].count(story[end - 1]) >= errors
        ),
        None,
    )
    campaign, found, told = Campaign(facts.CAMPAIGN, facts.ORGANIZATION), None, 0
    bounds = sorted({0, len(story), *(cut for cut in cuts if cut < len(story))})
    for begin, end in pairwise(bounds):
        batch = _outcomes(story[begin:end])
        counted = Campaign(
            facts.CAMPAIGN,
            facts.ORGANIZATION,
            outcomes=campaign.outcomes + batch.outcomes,
            errors=campaign.errors,
            alarmed=campaign.alarmed,
        )
        campaign, spike = look_for_spike(counted, batch, errors=errors, among=among)
        assert len(campaign.errors) <= among
        assert all(isinstance(each, Erring) for each in campaign.errors)
        if spike is not None:
            told += 1
            found = begin + spike.last.place
            assert spike.errors >= errors
    assert (found, told) == (expected, int(expected is not None))


def _outcomes(codes: list[int | None]) -> Outcomes:
    failures = tuple(
        Failure(place, code, facts.RUN, facts.at(1), facts.at(2), UUID(int=place))
        for place, code in enumerate(codes, start=1)
        if code is not None
    )
    return Outcomes(facts.ORGANIZATION, len(codes), failures)


async def test_x2_nothing_is_awaited_of_what_staff_keep_back() -> None:
    world = World()
    await world.take(sealed(facts.page([1, 2], facts.totals(2)), facts.queued(1)))
    await world.follows(lifecycle(CampaignPaused, 4, 20))
    for hours in (1, 100, 200):
        await world.listens(facts.START + timedelta(hours=hours))
    assert alarms(world) == []
    await world.follows(lifecycle(CampaignResumed, 5, 200 * 3600))
    stopped = settings_changed(stopped=SendingStop(since=facts.START, by="staff"))
    world.campaigns.known_settings[facts.ORGANIZATION] = stopped.event.settings
    await world.listens(facts.START + timedelta(hours=201))
    assert alarms(world) == []
    world.campaigns.known_settings.clear()
    # The wait begins anew when they let it go on.
    await world.listens(facts.START + timedelta(hours=201, minutes=14))
    assert alarms(world) == []
    await world.listens(facts.START + timedelta(hours=201, minutes=15))
    assert [each.alarm for each in alarms(world)] == [RunAlarm.STALLED]


async def test_x2_a_run_whose_audience_never_ends_raises_its_alarm() -> None:
    world = World()
    await world.take(sealed(facts.page([1]), facts.queued(1), facts.submitted(1)))
    await world.listens(facts.START + timedelta(hours=23))
    assert alarms(world) == []
    await world.listens(facts.START + timedelta(hours=24))
    [alarm] = alarms(world)
    assert alarm.alarm is RunAlarm.STALLED
    assert alarm.detail.startswith("the audience is not whole; recipients 1;")
