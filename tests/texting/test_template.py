"""Merge fields: what authors write is a template, what members typed is only text."""

import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texting.template import Rendered, Template, TemplateError, unknown_fields

NAMES = st.text(string.ascii_letters + " _-.", min_size=1).map(str.strip).filter(bool)
FILLED = st.text(min_size=1).filter(lambda value: value.strip() != "")
LITERALS = st.text().filter(lambda text: "{" not in text and "$" not in text)


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("", {}, ""),
        ("No fields at all", {"FullName": "Ann"}, "No fields at all"),
        ("Hello ${FullName},", {"FullName": "Ann Example"}, "Hello Ann Example,"),
        ("${First Name} ${Last Name}", {"First Name": "Ann", "Last Name": "Ex"}, "Ann Ex"),
        ("${ FullName }", {"FullName": "Ann"}, "Ann"),
        ("${A}${A}", {"A": "x"}, "xx"),
        ("Hi ${FullName|Member}", {}, "Hi Member"),
        ("Hi ${FullName | dear member }!", {"FullName": "  "}, "Hi dear member!"),
        ("Hi ${FullName|Member}", {"FullName": "Ann"}, "Hi Ann"),
        ("${A|b|c}", {}, "b|c"),
        ("$${FullName}", {"FullName": "Ann"}, "${FullName}"),
        ("You owe $$${Balance}", {"Balance": "10"}, "You owe $10"),
        ("$$$${A}", {"A": "x"}, "$${A}"),
        ("$5 or $$ or {A} or }", {"A": "x"}, "$5 or $$ or {A} or }"),
        ("${A}", {"A": " kept as typed "}, " kept as typed "),
        ("${A}", {"A": "${B} $${B}", "B": "no"}, "${B} $${B}"),
        ("€ ${Name} 🎉", {"Name": "Zoë"}, "€ Zoë 🎉"),
    ],
)
def test_renders(source: str, values: dict[str, str], text: str) -> None:
    assert Template.parse(source).render(values) == Rendered(text, ())


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("Hi ${A}!", {}, Rendered("Hi !", ("A",))),
        ("Hi ${A}!", {"A": " \u00a0\t"}, Rendered("Hi !", ("A",))),
        ("${B}${A}${B}", {}, Rendered("", ("B", "A"))),
        ("${A|x}${A}", {}, Rendered("x", ("A",))),
        ("${A|}", {}, Rendered("", ())),
    ],
)
def test_reports_what_is_missing(source: str, values: dict[str, str], expected: Rendered) -> None:
    assert Template.parse(source).render(values) == expected


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"Name": "exact", "NAME": "other"}, "exact"),
        ({"NAME": "any case"}, "any case"),
        ({" name ": "trimmed"}, "trimmed"),
        ({"NAME": "one", "name": "another"}, ""),
    ],
)
def test_a_name_means_its_exact_column_else_the_only_one_alike(
    columns: dict[str, str], text: str
) -> None:
    template = Template.parse("${Name}")
    assert template.render(columns).text == text
    assert unknown_fields(template, list(columns)) == (() if text else ("Name",))


def test_a_blank_exact_column_is_not_replaced_by_one_alike() -> None:
    assert Template.parse("${Name|you}").render({"Name": "", "NAME": "Ann"}).text == "you"


def test_fields_are_distinct_and_in_order() -> None:
    assert Template.parse("${B} ${A|x} ${B|y} $${C}").fields == ("B", "A")


def test_unknown_fields_are_those_without_a_column() -> None:
    template = Template.parse("${Gone|x} ${FullName} ${Also gone}")
    assert unknown_fields(template, ["fullname", "ID"]) == ("Gone", "Also gone")


@pytest.mark.parametrize(
    ("source", "position", "words"),
    [
        ("Hello ${FullName", 7, "no closing"),
        ("Hello ${Name, see ${Date}", 7, "no closing"),
        ("${A|${B}}", 1, "no closing"),
        ("${A} ${}", 6, "no name"),
        ("$$${ | x}", 3, "no name"),
    ],
)
def test_refuses_what_it_cannot_read(source: str, position: int, words: str) -> None:
    with pytest.raises(TemplateError, match=words) as refusal:
        Template.parse(source)
    assert refusal.value.position == position
    assert f"character {position} " in str(refusal.value)


@given(st.text())
def test_text_without_fields_is_left_alone(text: str) -> None:
    if "${" not in text:
        assert Template.parse(text).render({}).text == text


@given(st.text(alphabet="${}|aB $", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        template = Template.parse(text)
    except TemplateError as refusal:
        assert text[refusal.position - 1 :].startswith("${")
    else:
        template.render({})


@given(st.text(alphabet="${}|aB ") | st.text())
def test_any_text_can_be_written_literally(text: str) -> None:
    escaped = re.sub(r"\$+(?=\{)", lambda dollars: dollars[0] * 2, text)
    assert Template.parse(escaped).render({}) == Rendered(text, ())


@given(LITERALS, NAMES, FILLED | st.just("${Other}") | st.just("$${Other}"), LITERALS)
def test_a_value_is_never_expanded(before: str, name: str, value: str, after: str) -> None:
    template = Template.parse(f"{before}${{{name}}}{after}")
    rendered = template.render({name: value, "Other": "expanded"})
    assert rendered == Rendered(before + value + after, ())


@given(st.dictionaries(NAMES, st.text()), st.randoms())
def test_the_order_of_columns_does_not_matter(
    values: dict[str, str], shuffler: random.Random
) -> None:
    template = Template.parse("".join(f"${{{name}}}-" for name in values))
    columns = list(values.items())
    shuffler.shuffle(columns)
    first = template.render(values)
    assert template.render(dict(columns)) == first
    assert template.render(values) == first


@given(st.dictionaries(NAMES, st.sampled_from(["", " ", "\u00a0", "x"])))
def test_missing_names_exactly_the_blank_fields(values: dict[str, str]) -> None:
    template = Template.parse("".join(f"${{{name}}}" for name in values))
    blank = tuple(name for name, value in values.items() if value != "x")
    assert template.render(values).missing == blank
