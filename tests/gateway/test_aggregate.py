"""TM-12, X-6: what a campaign is after what happens to it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.fakes import NOON
from tests.gateway.lives import BY, RECURRING, RUN, TWICE, campaign, drafted, run_of, sure
from tests.gateway.steps import STEPS
from tests.gateway.test_domain import DEFINITION, LATER, OTHER

from contracts.events.campaign import (
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
)
from gateway.domain import campaign as aggregate
from gateway.domain import following
from gateway.domain.campaign import CLOSES, STARTING, present_run
from gateway.domain.transitions import Refused

S = CampaignStatus


def test_a_completed_campaign_tells_to_copy_it() -> None:
    refused = aggregate.schedule(campaign(S.COMPLETED), LATER, at=NOON, by=BY)
    assert isinstance(refused, Refused)
    assert "Copy it" in refused.reason


@pytest.mark.parametrize("step", ["edit", "delete", "schedule"])
def test_a_campaign_whose_time_has_come_is_left_alone_while_it_starts(step: str) -> None:
    due = campaign(S.SCHEDULED)
    closes = LATER - CLOSES
    assert isinstance(STEPS[step](due, closes - timedelta(microseconds=1)), CampaignEvent)
    for at in (closes, LATER, LATER + STARTING - timedelta(seconds=1)):
        refused = STEPS[step](due, at)
        assert isinstance(refused, Refused)
        assert "its run is being started" in refused.reason


@pytest.mark.parametrize("step", ["pause", "cancel"])
def test_x6_it_can_be_stopped_at_that_very_moment(step: str) -> None:
    assert isinstance(STEPS[step](campaign(S.SCHEDULED), LATER), CampaignEvent)


def test_one_that_never_started_can_be_mended_or_dropped_but_not_launched_twice() -> None:
    stuck, at = campaign(S.SCHEDULED), LATER + STARTING
    assert isinstance(STEPS["edit"](stuck, at), CampaignEvent)
    assert isinstance(STEPS["delete"](stuck, at), CampaignEvent)
    assert isinstance(STEPS["schedule"](stuck, at), Refused)


def test_x6_what_is_deleted_stays_so_and_its_run_sends_nothing() -> None:
    deleted = sure(STEPS["delete"](campaign(S.SCHEDULED), NOON))
    assert isinstance(deleted, CampaignDeleted)
    assert deleted.cancels_runs
    assert STEPS["start"](deleted, LATER) is None
    never = sure(STEPS["delete"](campaign(S.DRAFT), NOON))
    assert isinstance(never, CampaignDeleted)
    assert not never.cancels_runs


@pytest.mark.parametrize(("runs", "cancels"), [("finish", False), ("cancel", True)])
def test_tm13_deleting_a_job_says_what_becomes_of_its_run(runs: Any, cancels: bool) -> None:
    sending = campaign(S.SENDING, RECURRING)
    refused = aggregate.delete(sending, at=NOON, by=BY)
    assert isinstance(refused, Refused)
    assert "run=finish" in refused.reason
    assert "run=cancel" in refused.reason
    deleted = sure(aggregate.delete(sending, at=NOON, by=BY, runs=runs))
    assert isinstance(deleted, CampaignDeleted)
    assert deleted.cancels_runs is cancels
    assert STEPS["complete"](deleted, NOON) is None


def test_a_paused_one_time_campaign_with_a_run_is_cancelled_not_deleted() -> None:
    held = sure(aggregate.pause(campaign(S.SENDING), at=NOON, by=BY))
    refused = aggregate.delete(held, at=NOON, by=BY, runs="cancel")
    assert isinstance(refused, Refused)
    assert "Cancel the campaign" in refused.reason


def test_x6_a_pause_goes_back_to_where_it_was() -> None:
    for status in (S.SCHEDULED, S.SENDING):
        before = campaign(status)
        held = sure(aggregate.pause(before, at=NOON, by=BY, reason="Wrong date."))
        assert (held.returns_to, held.reason) == (status, "Wrong date.")
        resumed = sure(aggregate.resume(held, at=NOON, by=BY))
        assert (resumed.status, resumed.returns_to) == (status, None)
        assert (resumed.due_at, resumed.under_way) == (before.due_at, before.under_way)


def test_x7_why_it_is_paused_stays_known_until_it_goes_on() -> None:
    held = sure(aggregate.pause(campaign(S.SCHEDULED), at=NOON, by=BY, reason="30007"))
    begun = sure(STEPS["start"](held, LATER))
    edited = sure(STEPS["edit"](begun, LATER))
    assert (begun.reason, edited.reason) == ("30007", "30007")
    assert sure(aggregate.resume(edited, at=LATER, by=BY)).reason == ""
    assert sure(aggregate.cancel(edited, at=LATER, by=BY, reason="Late.")).reason == "Late."
    assert sure(aggregate.delete(held, at=LATER, by=BY)).reason == ""


def test_x6_a_run_that_begins_or_ends_meanwhile_is_not_forgotten() -> None:
    held = sure(aggregate.pause(campaign(S.SCHEDULED), at=NOON, by=BY))
    begun = sure(STEPS["start"](held, LATER))
    assert (begun.status, begun.returns_to) == (S.PAUSED, S.SENDING)
    assert begun.under_way == (run_of(held),)
    assert sure(aggregate.resume(begun, at=LATER, by=BY)).status is S.SENDING
    ended = sure(STEPS["complete"](begun, LATER))
    assert (ended.status, ended.under_way, ended.returns_to) == (S.COMPLETED, (), None)


def test_x7_what_was_missed_can_be_held_when_it_is_sent_after_all() -> None:
    over = campaign(S.COMPLETED)
    assert following.hold(over, run_of(over), reason="x", at=NOON, by="sender") is None
    held = sure(following.hold(over, uuid4(), reason="x", at=NOON, by="sender"))
    assert (held.status, held.returns_to, held.reason, held.by) == (
        S.PAUSED,
        S.COMPLETED,
        "x",
        "sender",
    )
    assert STEPS["complete"](held, NOON) is None
    assert sure(aggregate.resume(held, at=NOON, by=BY)).status is S.COMPLETED
    # It has run with what it says, and what it did is kept.
    for command in ("edit", "delete"):
        refused = STEPS[command](held, NOON)
        assert isinstance(refused, Refused)
        assert "Resume the campaign or cancel it" in refused.reason


def test_a_recurring_campaign_sends_while_any_of_its_runs_does() -> None:
    one, two = uuid4(), uuid4()
    made = sure(aggregate.schedule(drafted(TWICE), None, at=NOON, by=BY))
    assert (made.due_at, present_run(made)) == (None, None)
    made = sure(following.start(made, one, at=NOON, by="status"))
    assert following.start(made, one, at=NOON, by="status") is None
    made = sure(following.start(made, two, at=NOON, by="status"))
    assert made.under_way == (one, two)
    made = sure(following.complete(made, one, at=NOON, by="status"))
    assert (made.status, made.under_way) == (S.SENDING, (two,))
    made = sure(following.complete(made, two, at=NOON, by="status"))
    assert (made.status, made.under_way) == (S.SCHEDULED, ())
    assert following.complete(made, two, at=NOON, by="status") is None


def test_tm12_a_recurring_campaign_completes_when_no_time_is_left() -> None:
    end = NOON + timedelta(days=1, hours=1)
    made = sure(aggregate.schedule(drafted(TWICE), None, at=NOON, by=BY))
    made = sure(following.start(made, RUN, at=end, by="status"))
    made = sure(following.complete(made, RUN, at=end, by="status"))
    assert made.status is S.COMPLETED
    # Two runs at once: the last one may begin after the other's end.
    late = sure(following.start(made, uuid4(), at=end, by="status"))
    assert late.status is S.SENDING


def test_a_recurring_campaign_whose_last_time_was_skipped_completes_by_itself() -> None:
    end = NOON + timedelta(days=1, hours=1)
    made = sure(aggregate.schedule(drafted(TWICE), None, at=NOON, by=BY))
    # Its last run may be late; that long it is waited for.
    assert following.exhausted(made, at=end + STARTING / 2, by="gateway") is None
    done = sure(following.exhausted(made, at=end + STARTING, by="gateway"))
    assert (done.status, done.by) == (S.COMPLETED, "gateway")
    held = sure(aggregate.pause(made, at=NOON, by=BY))
    assert sure(aggregate.resume(held, at=end, by=BY)).status is S.COMPLETED


def test_only_a_draft_changes_between_once_and_again_and_again() -> None:
    assert sure(aggregate.edit(drafted(), RECURRING, at=NOON, by=BY)).definition == RECURRING
    refused = aggregate.edit(campaign(S.SCHEDULED), RECURRING, at=NOON, by=BY)
    assert isinstance(refused, Refused)


def test_what_is_archived_comes_back_as_it_was() -> None:
    for status in (S.DRAFT, S.COMPLETED, S.CANCELLED):
        away = sure(aggregate.archive(campaign(status), at=NOON, by=BY))
        assert (away.status, away.returns_to) == (S.ARCHIVED, status)
        back = sure(aggregate.restore(away, at=NOON, by=BY))
        assert (back.status, back.returns_to) == (status, None)


def test_a_copy_has_a_name_of_its_own_that_fits() -> None:
    assert aggregate.copied(DEFINITION).name == "Copy of Renewal"
    long = DEFINITION.model_copy(update={"name": "x" * 200})
    assert len(aggregate.copied(long).name) == 200


def test_a_reschedule_is_the_same_launch() -> None:
    first = campaign(S.SCHEDULED)
    second = sure(STEPS["schedule"](first, NOON))
    assert (first.launch, second.launch) == (1, 1)
    assert present_run(first) == present_run(second)


def test_an_edit_keeps_the_schedule_and_one_without_a_change_makes_nothing() -> None:
    before = campaign(S.SCHEDULED)
    edited = sure(aggregate.edit(before, OTHER, at=NOON, by="other"))
    assert (edited.due_at, edited.launch, edited.by) == (before.due_at, before.launch, "other")
    assert aggregate.edit(before, before.definition, at=NOON, by=BY) is None


def test_another_run_changes_nothing() -> None:
    before = campaign(S.SCHEDULED)
    assert following.start(before, uuid4(), at=LATER, by="status") is None
    assert following.complete(before, uuid4(), at=LATER, by="status") is None
