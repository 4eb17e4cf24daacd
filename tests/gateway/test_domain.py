"""What may happen to a campaign, and what it is afterwards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.fakes import NOON

from contracts.events.audience import AudiencePreviewed, Reason
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDeleted,
    CampaignEvent,
    CampaignStatus,
    Mode,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    SendingNumber,
    TwilioAccess,
    Verification,
)
from gateway.domain import campaign as aggregate
from gateway.domain.campaign import CLOSES, STARTING, Refused, fold, present_run
from gateway.domain.definition import faults, lacking, must_read_columns, sending_number
from gateway.domain.regions import known_zone, region_of
from gateway.domain.summary import summarise

BY = "staff"
LATER = NOON + timedelta(days=1)
DEFINITION = CampaignDefinition(
    name="Renewal",
    audience=Audience(iqa_path="$/Members", phone_column="Phone", id_column="ID"),
    columns=("ID", "Phone", "First Name"),
    template="Hello ${First Name}",
)
OTHER = DEFINITION.model_copy(update={"template": "Dear ${First Name}"})
NUMBERS = (
    SendingNumber(number="+18885550123", segments_per_second=3),
    SendingNumber(number="+18885550124", segments_per_second=3, verification=Verification.PENDING),
)


def campaign(status: CampaignStatus, due_at: datetime | None = LATER) -> CampaignEvent:
    """Return a campaign in a state, by the way that leads there."""
    made: CampaignEvent = aggregate.draft(
        uuid4(), DEFINITION, organization_id=uuid4(), at=NOON, by=BY
    )
    if status is CampaignStatus.DRAFT:
        return made
    if status is CampaignStatus.DELETED:
        return sure(aggregate.delete(made, at=NOON, by=BY))
    made = sure(aggregate.schedule(made, due_at or NOON, at=NOON, by=BY))
    run = present_run(made)
    assert run is not None
    if status is not CampaignStatus.SCHEDULED:
        made = sure(aggregate.start(made, run, at=NOON, by="status"))
    if status is CampaignStatus.COMPLETED:
        made = sure(aggregate.complete(made, run, at=NOON, by="status"))
    return made


def sure(outcome: CampaignEvent | Refused | None) -> CampaignEvent:
    assert isinstance(outcome, CampaignEvent)
    return outcome


Step = Callable[[CampaignEvent, datetime], CampaignEvent | Refused | None]
STEPS: dict[str, Step] = {
    "edit": lambda c, at: aggregate.edit(c, OTHER, at=at, by=BY),
    "schedule": lambda c, at: aggregate.schedule(c, at + timedelta(days=2), at=at, by=BY),
    "delete": lambda c, at: aggregate.delete(c, at=at, by=BY),
    "start": lambda c, at: aggregate.start(c, present_run(c) or uuid4(), at=at, by="status"),
    "complete": lambda c, at: aggregate.complete(c, present_run(c) or uuid4(), at=at, by="status"),
}
DRAFT, SCHEDULED, SENDING, COMPLETED, DELETED = CampaignStatus


@pytest.mark.parametrize(
    ("status", "step", "becomes"),
    [
        (DRAFT, "edit", DRAFT),
        (DRAFT, "schedule", SCHEDULED),
        (DRAFT, "delete", DELETED),
        (DRAFT, "start", None),
        (DRAFT, "complete", None),
        (SCHEDULED, "edit", SCHEDULED),
        (SCHEDULED, "schedule", SCHEDULED),
        (SCHEDULED, "delete", DELETED),
        (SCHEDULED, "start", SENDING),
        (SCHEDULED, "complete", COMPLETED),
        (SENDING, "edit", Refused),
        (SENDING, "schedule", Refused),
        (SENDING, "delete", Refused),
        (SENDING, "start", None),
        (SENDING, "complete", COMPLETED),
        (COMPLETED, "edit", Refused),
        (COMPLETED, "schedule", Refused),
        (COMPLETED, "delete", Refused),
        (COMPLETED, "start", None),
        (COMPLETED, "complete", None),
        (DELETED, "edit", Refused),
        (DELETED, "schedule", Refused),
        (DELETED, "delete", Refused),
        (DELETED, "start", None),
        (DELETED, "complete", None),
    ],
)
def test_each_step_is_allowed_refused_or_without_effect(
    status: CampaignStatus, step: str, becomes: Any
) -> None:
    before = campaign(status)
    after = STEPS[step](before, NOON)
    if becomes is Refused:
        assert isinstance(after, Refused)
        assert after.reason.endswith((".", "now."))
    elif becomes is None:
        assert after is None
    else:
        after = sure(after)
        assert after.status is becomes
        assert after.sequence == before.sequence + 1
        assert (after.campaign_id, after.organization_id) == (
            before.campaign_id,
            before.organization_id,
        )


def test_the_table_above_is_complete() -> None:
    mark = test_each_step_is_allowed_refused_or_without_effect.pytestmark[0]
    assert len({(row[0], row[1]) for row in mark.args[1]}) == len(CampaignStatus) * len(STEPS)


def test_a_completed_campaign_tells_to_create_a_new_one() -> None:
    refused = aggregate.schedule(campaign(COMPLETED), LATER, at=NOON, by=BY)
    assert isinstance(refused, Refused)
    assert "new one" in refused.reason


@pytest.mark.parametrize("step", ["edit", "delete", "schedule"])
def test_a_campaign_whose_time_has_come_is_left_alone_while_it_starts(step: str) -> None:
    due = campaign(SCHEDULED)
    closes = LATER - CLOSES
    assert isinstance(STEPS[step](due, closes - timedelta(microseconds=1)), CampaignEvent)
    assert isinstance(STEPS[step](due, closes), Refused)
    assert isinstance(STEPS[step](due, LATER), Refused)
    assert isinstance(STEPS[step](due, LATER + STARTING - timedelta(seconds=1)), Refused)


def test_one_that_never_started_can_be_mended_or_dropped_but_not_launched_twice() -> None:
    stuck, at = campaign(SCHEDULED), LATER + STARTING
    assert isinstance(STEPS["edit"](stuck, at), CampaignEvent)
    assert isinstance(STEPS["delete"](stuck, at), CampaignEvent)
    assert isinstance(STEPS["schedule"](stuck, at), Refused)


def test_one_that_was_deleted_too_late_comes_back_as_its_texts_go_out() -> None:
    stuck = campaign(SCHEDULED)
    deleted = sure(STEPS["delete"](stuck, NOON))
    assert isinstance(deleted, CampaignDeleted)
    run = present_run(stuck)
    assert run is not None
    assert sure(aggregate.start(deleted, run, at=LATER, by="status")).status is SENDING


def test_a_reschedule_is_the_same_launch() -> None:
    first = campaign(SCHEDULED)
    second = sure(STEPS["schedule"](first, NOON))
    assert (first.launch, second.launch) == (1, 1)
    assert present_run(first) == present_run(second)


def test_an_edit_keeps_the_schedule_and_one_without_a_change_makes_nothing() -> None:
    before = campaign(SCHEDULED)
    edited = sure(aggregate.edit(before, OTHER, at=NOON, by="other"))
    assert (edited.due_at, edited.launch, edited.by) == (before.due_at, before.launch, "other")
    assert aggregate.edit(before, before.definition, at=NOON, by=BY) is None


def test_another_run_changes_nothing() -> None:
    before = campaign(SCHEDULED)
    assert aggregate.start(before, uuid4(), at=LATER, by="status") is None
    assert aggregate.complete(before, uuid4(), at=LATER, by="status") is None


@st.composite
def lives(draw: st.DrawFn) -> list[CampaignEvent]:
    """A campaign's whole life, by steps that were allowed."""
    events: list[CampaignEvent] = [campaign(DRAFT)]
    at = NOON
    for step in draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=12)):
        at += timedelta(minutes=1)
        after = STEPS[step](events[-1], at)
        if isinstance(after, CampaignEvent):
            events.append(after)
    return events


@given(lives(), st.data())
def test_the_state_is_the_same_however_the_events_arrive(
    life: list[CampaignEvent], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(life), max_size=5))
    arrival = data.draw(st.permutations([*life, *repeated]))
    assert fold(arrival) == life[-1]
    assert fold([]) is None


@given(lives())
def test_a_life_counts_its_steps_and_ends_at_most_once(life: list[CampaignEvent]) -> None:
    assert [each.sequence for each in life] == list(range(1, len(life) + 1))
    assert [each.launch for each in life] == sorted(each.launch for each in life)
    assert life[-1].launch <= 1
    over = [each for each in life if each.status is COMPLETED]
    assert len(over) <= 1
    assert not over or life[-1] == over[0]


def changed(**changes: Any) -> CampaignDefinition:
    return DEFINITION.model_copy(update=changes)


@pytest.mark.parametrize(
    ("definition", "fields"),
    [
        (DEFINITION, []),
        (CampaignDefinition(name="Empty"), ["audience", "template"]),
        (changed(template=" \n"), ["template"]),
        (changed(from_number="+18885550124"), ["from_number"]),
        (changed(from_number="+18885550124", mode=Mode.TEST), []),
        (changed(from_number="+18885550199"), ["from_number"]),
        (
            changed(audience=Audience(iqa_path="$/M", phone_column="", id_column="")),
            ["audience.phone_column", "audience.id_column"],
        ),
    ],
)
def test_everything_that_is_lacking_is_named(
    definition: CampaignDefinition, fields: list[str]
) -> None:
    assert [each.field for each in lacking(definition, NUMBERS)] == fields


def test_without_numbers_there_is_nothing_to_send_from() -> None:
    assert [each.field for each in lacking(DEFINITION, ())] == ["from_number"]
    assert sending_number(DEFINITION, ()) is None
    assert sending_number(DEFINITION, NUMBERS) == NUMBERS[0]


@pytest.mark.parametrize(
    ("definition", "fields"),
    [
        (DEFINITION, []),
        (CampaignDefinition(name="Empty"), []),
        (changed(template="${first name}"), []),
        (changed(template="${Nmae} ${Date}"), ["template", "template"]),
        (changed(template="${"), ["template"]),
        (changed(columns=("ID", "First Name")), ["audience.phone_column"]),
        (changed(columns=()), []),
        (changed(from_number="+1"), ["from_number"]),
    ],
)
def test_what_is_wrong_is_named(definition: CampaignDefinition, fields: list[str]) -> None:
    assert [each.field for each in faults(definition, NUMBERS)] == fields


def test_the_columns_are_read_only_when_they_may_have_changed() -> None:
    other = Audience(iqa_path="$/Others", phone_column="Phone", id_column="ID")
    assert must_read_columns(DEFINITION, None)
    assert must_read_columns(changed(audience=other), DEFINITION)
    assert must_read_columns(changed(template="${City}"), DEFINITION)
    assert must_read_columns(DEFINITION, changed(columns=()))
    assert not must_read_columns(OTHER, DEFINITION)
    assert not must_read_columns(changed(audience=None), DEFINITION)


def settings_of(per_day: int) -> OrganizationSettings:
    return OrganizationSettings(
        name="Demo",
        cloud_id="DEMO",
        segments_per_day=per_day,
        numbers=NUMBERS,
        imis=ImisAccess(url="http://imis", username="u", password_encrypted="x"),
        twilio=TwilioAccess(account_sid="AC", auth_token_encrypted="x"),
    )


def preview(**counts: Any) -> AudiencePreviewed:
    return AudiencePreviewed(
        organization_id=uuid4(),
        occurred_at=NOON,
        sequence=1,
        preview_id=uuid4(),
        campaign_id=uuid4(),
        **counts,
    )


def test_a_summary_adds_up() -> None:
    counted = preview(recipients=5, segments=9, excluded={Reason.NO_NUMBER: 1})
    summary = summarise(
        counted,
        settings_of(per_day=10),
        from_number="+18885550123",
        used_today=12,
        due_at=NOON - timedelta(days=1),
        at=NOON,
    )
    assert (summary.state, summary.segments_left_today) == ("done", 0)
    assert (summary.estimated_begin, summary.estimated_seconds) == (NOON, 3.0)
    assert summary.estimated_end == NOON + timedelta(seconds=3)
    assert summary.excluded == {"no_number": 1}


@pytest.mark.parametrize(
    ("given_preview", "state"), [(None, "counting"), (preview(failure="gone"), "failed")]
)
def test_a_summary_without_counts_says_so(given_preview: Any, state: str) -> None:
    summary = summarise(
        given_preview,
        settings_of(per_day=10),
        from_number="+18885550123",
        used_today=0,
        due_at=None,
        at=NOON,
    )
    assert (summary.state, summary.estimated_begin) == (state, None)


@given(st.text())
def test_only_countries_and_zones_that_exist_are_known(text: str) -> None:
    for known in (region_of, known_zone):
        try:
            assert known(text)
        except ValueError:
            continue
