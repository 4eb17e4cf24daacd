"""TM-5: answers to a query's prompts, by whatever name people know them."""

import pytest

from contracts.events.campaign import Audience
from gateway.domain.prompts import settled
from imis_client import Prompt

ASKED = [Prompt("City:", property_name="CsAddress.City"), Prompt("Since", property_name="Joined")]


def answered(**given: object) -> Audience:
    audience = Audience(iqa_path="$/Q", phone_column="Phone", id_column="ID")
    return settled(audience.model_copy(update=given), ASKED)


@pytest.mark.parametrize("name", ["City:", "City", "city", " CITY : ", "csaddress.city"])
def test_tm5_an_answer_is_kept_under_the_prompt_s_own_name(name: str) -> None:
    assert answered(answers={name: "Austin"}).answers == {"City:": "Austin"}


def test_tm5_values_in_order_are_kept_by_name() -> None:
    audience = answered(prompts=("Austin", ""))
    assert (audience.answers, audience.prompts) == ({"City:": "Austin", "Since": ""}, ())


def test_tm5_what_the_query_does_not_ask_for_stays_as_it_is_to_be_refused() -> None:
    assert answered(answers={"Town": "Austin", "": "x"}).answers == {"Town": "Austin", "": "x"}
    assert answered(prompts=("Austin",)).prompts == ("Austin",)
