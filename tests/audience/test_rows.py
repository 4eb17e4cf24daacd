"""What a row of an IQA is, and when two rows are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audience.orders import AUDIENCE, member

from audience.domain.failures import Unusable
from audience.domain.rows import Row, not_among, rows_of
from texting.template import Template


def row(values: dict[str, str]) -> Row:
    return Row(1, "", "", values)


def test_rows_are_numbered_after_those_that_are_stored() -> None:
    found = rows_of([member("7"), member("8", " x ")], AUDIENCE, after=500, is_first_page=False)
    assert [(each.number, each.imis_id, each.phone) for each in found] == [
        (501, "7", "+12025550143"),
        (502, "8", " x "),
    ]


@pytest.mark.parametrize("name", ["Mobile Phone", "MOBILE PHONE", " mobile phone "])
def test_a_column_is_found_as_a_merge_field_finds_it(name: str) -> None:
    [found] = rows_of([{"iMIS Id": "1", name: "x"}], AUDIENCE, after=0, is_first_page=True)
    assert found.phone == "x"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["iMIS Id", "Phone"], "no column Mobile Phone"),
        (["Id", "Mobile Phone"], "no column iMIS Id"),
        (["Id"], "no column iMIS Id and no column Mobile Phone"),
        (["iMIS Id", "mobile phone", "MOBILE PHONE"], "no column Mobile Phone"),
    ],
)
def test_a_column_that_is_gone_is_named(names: list[str], words: str) -> None:
    with pytest.raises(Unusable) as refusal:
        rows_of([dict.fromkeys(names, "1")], AUDIENCE, after=0, is_first_page=True)
    assert words in refusal.value.sentence
    assert ", ".join(names) in refusal.value.sentence
    assert "1" not in str(refusal.value)


def test_tm7_a_column_that_the_text_merges_is_needed_too() -> None:
    text = Template.parse("Hello ${full name|member}, ${Dues} and ${Dues} again")
    with pytest.raises(Unusable) as refusal:
        rows_of([member("1")], AUDIENCE, after=0, is_first_page=True, merged=text)
    assert "no column Dues any more" in refusal.value.sentence
    assert len(rows_of([member("1")], AUDIENCE, after=500, is_first_page=False, merged=text)) == 1


def test_of_very_many_columns_a_sentence_lists_the_first() -> None:
    names = [f"Column {index}" for index in range(10_000)]
    with pytest.raises(Unusable) as refusal:
        rows_of([dict.fromkeys(names, "1")], AUDIENCE, after=0, is_first_page=True)
    assert "Column 7," in refusal.value.sentence
    assert len(refusal.value.sentence) < 2_500


def test_a_later_page_may_lack_what_all_its_rows_lack() -> None:
    [found] = rows_of([{"iMIS Id": "1"}], AUDIENCE, after=500, is_first_page=False)
    assert (found.imis_id, found.phone) == ("1", "")


def test_an_empty_page_lacks_nothing() -> None:
    assert rows_of([], AUDIENCE, after=0, is_first_page=True) == []


def test_what_no_database_takes_is_left_out() -> None:
    given_row = member("1\x00", name="a\ud83d\x00b \ud83c\udf89")
    [found] = rows_of([given_row], AUDIENCE, after=0, is_first_page=True)
    assert (found.imis_id, found.values["Full Name"]) == ("1", "a\ufffdb 🎉")


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, True),
        ({"a": "1", "b": ""}, {"a": "1"}, True),
        ({"a": "1"}, {"a": "2"}, False),
        ({"a": "1"}, {"b": "1"}, False),
        ({"a": "1", "b": "2"}, {"a": '1","b":"2'}, False),
        ({"a": " 1"}, {"a": "1"}, False),
    ],
)
def test_rows_of_equal_contents_are_the_same_row(
    one: dict[str, str], other: dict[str, str], are_the_same: bool
) -> None:
    assert (row(one).contents == row(other).contents) is are_the_same


@given(st.lists(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_only_new_rows_are_added_each_once(names: list[str], known_names: set[str]) -> None:
    known = {row({"x": name}).contents for name in known_names}
    fresh = not_among([row({"x": name}) for name in names], known, after=9)
    assert [each.values["x"] for each in fresh] == [
        name for name in dict.fromkeys(names) if name not in known_names
    ]
    assert [each.number for each in fresh] == list(range(10, 10 + len(fresh)))
