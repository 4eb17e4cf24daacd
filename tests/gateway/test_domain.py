"""What an author may write, what a campaign lacks, and what its summary says."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.fakes import NOON

from contracts.events.audience import AudiencePreviewed
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignKind,
    Mode,
    Recurrence,
    WriteTo,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    SendingNumber,
    TwilioAccess,
    Verification,
)
from gateway.domain.definition import (
    activity_types,
    answer_faults,
    faults,
    lacking,
    must_read_columns,
    sending_number,
)
from gateway.domain.regions import known_zone, region_of

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
    assert [each.field for each in lacking(definition, settings_of(), at=NOON)] == fields


def test_without_numbers_there_is_nothing_to_send_from() -> None:
    assert [each.field for each in lacking(DEFINITION, settings_of(numbers=()), at=NOON)] == [
        "from_number"
    ]
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
    assert [each.field for each in faults(definition, settings_of())] == fields


def test_the_columns_are_read_only_when_they_may_have_changed() -> None:
    other = Audience(iqa_path="$/Others", phone_column="Phone", id_column="ID")
    assert must_read_columns(DEFINITION, None)
    assert must_read_columns(changed(audience=other), DEFINITION)
    assert must_read_columns(changed(template="${City}"), DEFINITION)
    assert must_read_columns(DEFINITION, changed(columns=()))
    assert must_read_columns(OTHER, changed(columns=("ID", "Phone", "Phone", "First Name")))
    assert not must_read_columns(OTHER, DEFINITION)
    assert not must_read_columns(changed(audience=None), DEFINITION)


def settings_of(per_day: int = 3000, **more: Any) -> OrganizationSettings:
    given: dict[str, Any] = {
        "name": "Demo",
        "cloud_id": "DEMO",
        "segments_per_day": per_day,
        "numbers": NUMBERS,
        "imis": ImisAccess(url="http://imis", username="u", password_encrypted="x"),
        "twilio": TwilioAccess(account_sid="AC", auth_token_encrypted="x"),
    }
    return OrganizationSettings(**(given | more))


def preview(**counts: Any) -> AudiencePreviewed:
    return AudiencePreviewed(
        organization_id=uuid4(),
        occurred_at=NOON,
        sequence=1,
        preview_id=uuid4(),
        campaign_id=uuid4(),
        **counts,
    )


MONTHLY = Recurrence(rule="FREQ=MONTHLY;BYMONTHDAY=2", starts=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("repeated", "field"),
    [
        ("Phone", "audience.phone_column"),
        ("ID", "audience.id_column"),
        ("First Name", "template"),
    ],
)
def test_tm5_a_column_in_use_whose_alias_others_have_too_is_refused(
    repeated: str, field: str
) -> None:
    [fault] = faults(changed(columns=(*DEFINITION.columns, repeated)), settings_of())
    assert fault.field == field
    assert f"Several columns of the query have the alias '{repeated}'" in fault.detail


def test_tm5_an_alias_that_nobody_uses_may_be_there_twice() -> None:
    assert faults(changed(columns=(*DEFINITION.columns, "City", "City")), settings_of()) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": CampaignKind.RECURRING}, "recurrence"),
        (
            {
                "kind": CampaignKind.RECURRING,
                "recurrence": MONTHLY.model_copy(update={"rule": "FREQ=DAILY;UNTIL=20200101"}),
            },
            "recurrence",
        ),
        ({"write_to": WriteTo.COMMUNICATION_LOG}, "log_subject"),
    ],
)
def test_tm9_tm8_what_a_schedule_needs_besides_is_named(change: dict[str, Any], field: str) -> None:
    assert [each.field for each in lacking(changed(**change), settings_of(), at=NOON)] == [field]


def test_tm8_a_2017_site_has_no_communication_log_to_write_to() -> None:
    old = settings_of().imis.model_copy(update={"version": "2017"})
    log = changed(write_to=WriteTo.COMMUNICATION_LOG, log_subject="Text")
    (fault,) = lacking(log, settings_of(imis=old), at=NOON)
    assert (fault.field, "2017" in fault.detail) == ("write_to", True)
    assert not lacking(log, settings_of(), at=NOON)
    # A draft may say so all the same.
    assert not faults(log, settings_of(imis=old))


@pytest.mark.parametrize(
    ("definition", "write_test_runs", "types"),
    [
        (DEFINITION, False, ("TEXTMSG", "TEXTUNSUB")),
        (changed(write_to=WriteTo.COMMUNICATION_LOG), False, ("TEXTUNSUB",)),
        (changed(write_to=WriteTo.NOTHING), True, ()),
        (changed(mode=Mode.TEST), False, ()),
        (changed(mode=Mode.TEST), True, ("TEXTMSG", "TEXTUNSUB")),
    ],
)
def test_tm8_the_activity_types_are_those_that_will_be_written(
    definition: CampaignDefinition, write_test_runs: bool, types: tuple[str, ...]
) -> None:
    assert activity_types(definition, settings_of(write_test_runs=write_test_runs)) == types


@pytest.mark.parametrize(
    ("given_answers", "field"),
    [
        ({"prompts": ("Boston",)}, None),
        ({"answers": {"City": "Boston"}}, None),
        ({"prompts": ("Boston", "2020")}, "audience.prompts"),
        ({"answers": {"Town": "Boston"}}, "audience.answers"),
        ({"answers": {"City": "Boston"}, "prompts": ("Boston",)}, "audience.answers"),
    ],
)
def test_answers_are_those_that_the_query_asks_for(
    given_answers: dict[str, Any], field: str | None
) -> None:
    audience = Audience(iqa_path="$/M", phone_column="Phone", id_column="ID", **given_answers)
    found = answer_faults(audience, ["City"])
    assert [each.field for each in found] == ([] if field is None else [field])
    assert all("City" in each.detail or "not both" in each.detail for each in found)


def test_a_prompt_is_answered_by_its_name_or_in_its_order() -> None:
    def missing(**answers: Any) -> list[str]:
        audience = Audience(iqa_path="$/M", phone_column="Phone", id_column="ID", **answers)
        found = lacking(
            changed(audience=audience), settings_of(), at=NOON, prompts=["City", "Since"]
        )
        return [each.detail for each in found]

    assert missing(answers={"City": "Boston"}) == ["The query asks for Since."]
    assert missing(answers={"City": "Boston", "Since": "2020"}) == []
    assert missing(prompts=("Boston", "2020")) == []


@given(st.text())
def test_only_countries_and_zones_that_exist_are_known(text: str) -> None:
    for known in (region_of, known_zone):
        try:
            assert known(text)
        except ValueError:
            continue
