"""TM-5: a query's prompts get the campaign's values, each its own, or the run says why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audience.orders import AUDIENCE

from audience.domain.failures import Unusable
from audience.domain.prompts import Question, answered, refused
from contracts.events.campaign import Audience

CITY = Question("City:", "City")
SINCE = Question("Member since", "JoinDate")


def audience(**changes: Any) -> Audience:
    return AUDIENCE.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"City:": "", "Member since": ""}),
        ({"prompts": ("Boston",)}, {"City:": "Boston", "Member since": ""}),
        ({"prompts": ("Boston", "2020")}, {"City:": "Boston", "Member since": "2020"}),
        ({"prompts": ("Boston", "2020", "")}, {"City:": "Boston", "Member since": "2020"}),
        ({"answers": {"City:": "Boston"}}, {"City:": "Boston", "Member since": ""}),
        ({"answers": {" city ": "Boston"}}, {"City:": "Boston", "Member since": ""}),
        ({"answers": {"JoinDate": "2020"}}, {"City:": "", "Member since": "2020"}),
        (
            {"prompts": ("Austin", "2020"), "answers": {"City": "Boston"}},
            {"City:": "Boston", "Member since": "2020"},
        ),
        ({"answers": {"Gone": ""}}, {"City:": "", "Member since": ""}),
    ],
)
def test_tm5_each_prompt_has_its_value(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert answered([CITY, SINCE], audience(**changes)) == expected


@pytest.mark.parametrize(
    ("questions", "changes", "words"),
    [
        ([Question("Town:")], {"answers": {"City:": "Boston"}}, ["City:", "Town:", "renamed"]),
        ([], {"answers": {"City:": "Boston"}}, ["City:", "nothing"]),
        ([CITY], {"prompts": ("Boston", "2020")}, ["2 values", "asks for 1", "City:"]),
        ([], {"prompts": ("Boston",)}, ["asks for 0", "nothing"]),
    ],
)
def test_tm5_a_value_whose_prompt_is_gone_is_named(
    questions: list[Question], changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(Unusable) as refusal:
        answered(questions, audience(**changes))
    assert all(each in refusal.value.sentence for each in [*words, AUDIENCE.iqa_path])
    # What the author answered is nobody's business in a log.
    assert "Boston" not in refusal.value.sentence + str(refusal.value)


def test_tm5_prompts_of_one_name_keep_their_places() -> None:
    between = [Question("Joined"), Question("Joined")]
    assert list(answered(between, audience(prompts=("2019", "2020"))).values()) == ["2019", "2020"]


def test_tm5_a_prompt_without_a_value_is_named_when_imis_refuses() -> None:
    values = answered([CITY, SINCE], audience(prompts=("", "2020")))
    found = refused(audience(), values, said="A value is required.")
    assert found is not None
    assert "City:" in found.sentence
    assert "Member since" not in found.sentence
    assert "A value is required." in found.sentence
    assert refused(audience(), {"City:": "Boston"}, said="no") is None


@given(st.lists(st.text(min_size=1, max_size=5), unique_by=str.casefold, max_size=5))
def test_tm5_what_is_answered_in_order_stays_in_order(values: list[str]) -> None:
    questions = [Question(f"Prompt {place}") for place, _ in enumerate(values)]
    found = answered(questions, audience(prompts=tuple(values)))
    assert list(found.values()) == values
