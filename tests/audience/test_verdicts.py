"""Each row gets one text, or one reason why not."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audience.orders import AUDIENCE, MOBILE, due, member, request

from audience.domain.failures import Unusable
from audience.domain.rows import rows_of
from audience.domain.verdicts import (
    Accepted,
    Rejected,
    Seen,
    Terms,
    Verdict,
    judge,
    numbered,
    terms_of,
)
from contracts.events.audience import Reason

OTHER_MOBILE = "+12025550144"


def verdicts(
    given_rows: Sequence[dict[str, str]], terms: Terms | None = None, seen: Seen | None = None
) -> list[Verdict]:
    terms = terms or terms_of(due())
    rows = rows_of(given_rows, AUDIENCE, after=0, is_first_page=True)
    return judge(numbered(rows, terms), terms, seen or Seen())


def outcomes(found: Sequence[Verdict]) -> list[str]:
    return [each.reason.value if isinstance(each, Rejected) else each.to for each in found]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([member("1")], [MOBILE]),
        ([member("1", " (202) 555-0143 ")], [MOBILE]),
        ([member("1", "2025550143")], [MOBILE]),
        ([member("1", "+44 7400 123456")], ["+447400123456"]),
        ([member("")], [Reason.NO_MEMBER_ID]),
        ([member("  ", "")], [Reason.NO_MEMBER_ID]),
        ([member("1", "")], [Reason.NO_NUMBER]),
        ([member("1", " \u00a0")], [Reason.NO_NUMBER]),
        ([member("1", "12345")], [Reason.INVALID_NUMBER]),
        ([member("1", "ask her husband")], [Reason.INVALID_NUMBER]),
        ([member("1"), member("1")], [MOBILE, Reason.REPEATED_ROW]),
        ([member(" 1 "), member("1")], [MOBILE, Reason.REPEATED_ROW]),
        ([member("1"), member("1", name="Changed")], [MOBILE, Reason.REPEATED_ROW]),
        ([member("1"), member("1", "202.555.0143")], [MOBILE, Reason.REPEATED_ROW]),
        ([member("1"), member("1", OTHER_MOBILE)], [MOBILE, OTHER_MOBILE]),
        ([member("1"), member("2")], [MOBILE, MOBILE]),
        ([member("", ""), member("", "")], [Reason.NO_MEMBER_ID] * 2),
        ([member("1", ""), member("1", "")], [Reason.NO_NUMBER] * 2),
    ],
)
def test_tm_18_numbers_and_repeats(rows: list[dict[str, str]], expected: list[str]) -> None:
    assert outcomes(verdicts(rows)) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([member("1"), member("2")], [MOBILE, Reason.SHARED_PHONE]),
        ([member("1"), member("2", "202 555 0143")], [MOBILE, Reason.SHARED_PHONE]),
        ([member("1"), member("1", OTHER_MOBILE)], [MOBILE, OTHER_MOBILE]),
        (
            [member("1"), member("2"), member("2"), member("1")],
            [MOBILE, Reason.SHARED_PHONE, Reason.REPEATED_ROW, Reason.REPEATED_ROW],
        ),
    ],
)
def test_tm_8_one_text_a_phone_where_the_campaign_asks_for_it(
    rows: list[dict[str, str]], expected: list[str]
) -> None:
    terms = terms_of(due(one_text_per_phone=True))
    assert outcomes(verdicts(rows, terms)) == expected


def test_tm8_a_row_that_another_stands_for_names_the_first_ones_member() -> None:
    rows = [member("7", name=""), member("7"), member("8"), member("9"), member("9")]
    template = "${Full Name}"
    found = verdicts(rows, terms_of(due(one_text_per_phone=True, template=template)))
    assert [
        (each.reason, each.same_as_imis_id) for each in found if isinstance(each, Rejected)
    ] == [
        (Reason.EMPTY_TEXT, ""),
        (Reason.REPEATED_ROW, "7"),
        (Reason.SHARED_PHONE, "7"),
        (Reason.SHARED_PHONE, "7"),
        (Reason.REPEATED_ROW, "9"),
    ]


@pytest.mark.parametrize(
    ("phone", "default_country", "leave_out", "expected"),
    [
        ("(415) 555-2671", "US", False, "+14155552671"),
        ("0412 345 678", "AU", False, "+61412345678"),
        ("+44 20 7234 3456", "US", False, "+442072343456"),
        ("+44 20 7234 3456", "AU", False, "+442072343456"),
        ("+44 20 7234 3456", "US", True, Reason.LANDLINE),
        ("020 7234 3456", "GB", True, Reason.LANDLINE),
        ("07400 123456", "GB", True, "+447400123456"),
        # Whether it is a mobile nobody can tell by an American number: it counts as one.
        ("(415) 555-2671", "US", True, "+14155552671"),
        ("12345", "US", True, Reason.INVALID_NUMBER),
    ],
)
def test_tm17_tm18_fixed_lines_are_texted_unless_the_settings_leave_them_out(
    phone: str, default_country: str, leave_out: bool, expected: str
) -> None:
    terms = terms_of(due(default_country=default_country, leave_out_landlines=leave_out))
    assert outcomes(verdicts([member("1", phone)], terms)) == [expected]


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ("America/New_York", "America/New_York"),
        (" Pacific/Auckland ", "Pacific/Auckland"),
        ("EST5EDT", "EST5EDT"),
        ("", ""),
        ("Eastern", ""),
        ("UTC+5", ""),
        ("../../etc/passwd", ""),
        ("Factory", ""),
    ],
)
def test_x4_a_members_zone_is_an_iana_name_or_nothing(told: str, zone: str) -> None:
    audience = AUDIENCE.model_copy(update={"zone_column": "Zone"})
    terms = terms_of(due(audience=audience))
    rows = rows_of([member("1", ZONE=told)], audience, after=0, is_first_page=True)
    [verdict] = judge(numbered(rows, terms), terms, Seen())
    assert isinstance(verdict, Accepted)
    assert verdict.zone == zone
    [without] = verdicts([member("1", Zone=told)])
    assert isinstance(without, Accepted)
    assert without.zone == ""


@pytest.mark.parametrize(
    ("template", "name", "expected"),
    [
        ("${Full Name}", "", Reason.EMPTY_TEXT),
        (" ${Full Name} \n", " ", Reason.EMPTY_TEXT),
        ("", "Ann", Reason.EMPTY_TEXT),
        ("${Full Name|Member}", "", MOBILE),
        ("${Full Name}", "a" * 1600, MOBILE),
        ("${Full Name}", "a" * 1601, Reason.TEXT_TOO_LONG),
        ("${Full Name}!", "a" * 1600, Reason.TEXT_TOO_LONG),
    ],
)
def test_the_merged_text_decides(template: str, name: str, expected: str) -> None:
    [verdict] = verdicts([member("1", name=name)], terms_of(due(template=template)))
    assert outcomes([verdict]) == [expected]


def test_the_first_row_speaks_for_its_member_and_phone_even_without_a_text() -> None:
    rows = [member("1", name=""), member("1"), member("2")]
    terms = terms_of(due(template="${Full Name}", one_text_per_phone=True))
    assert outcomes(verdicts(rows, terms)) == [
        Reason.EMPTY_TEXT,
        Reason.REPEATED_ROW,
        Reason.SHARED_PHONE,
    ]


@pytest.mark.parametrize(
    ("template", "name", "text", "segments", "lacks"),
    [
        ("Hello ${Full Name},", "Ann", "Hello Ann,", 1, False),
        ("Hello ${Full Name},", "", "Hello ,", 1, True),
        ("Hello ${Full Name|you},", "", "Hello you,", 1, False),
        ("Hello ${Gone},", "Ann", "Hello ,", 1, True),
        ("${Full Name}" + "a" * 160, "b", "b" + "a" * 160, 2, False),
        ("${Full Name}" + "a" * 70, "Ж", "Ж" + "a" * 70, 2, False),
    ],
)
def test_tm_7_the_text_is_merged_and_measured(
    template: str, name: str, text: str, segments: int, lacks: bool
) -> None:
    [verdict] = verdicts([member("1", name=name)], terms_of(due(template=template)))
    assert isinstance(verdict, Accepted)
    assert (verdict.text, verdict.segments, bool(verdict.missing)) == (text, segments, lacks)
    assert verdict.is_ucs2 is not text.isascii()


def test_the_senders_kind_decides_how_much_fits_in_a_part() -> None:
    row = [member("1", name="a" * 305)]
    for sender, segments in (("+12025550100", 2), ("+18885550100", 3)):
        [verdict] = verdicts(row, terms_of(due(template="${Full Name}", from_number=sender)))
        assert isinstance(verdict, Accepted)
        assert verdict.segments == segments


def test_tm_17_a_number_without_a_prefix_is_dialled_from_the_organisations_country() -> None:
    [verdict] = verdicts([member("1", "07400 123456")], terms_of(due(default_country="GB")))
    assert outcomes([verdict]) == ["+447400123456"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "Hello ${Name"}, "no closing"),
        ({"default_country": "XX"}, "country"),
        ({"locale": "en-XX-US"}, "locale"),
    ],
)
def test_what_cant_be_read_is_said_in_a_sentence(changes: dict[str, Any], words: str) -> None:
    for order in (due(**changes), request(**changes)):
        with pytest.raises(Unusable) as refusal:
            terms_of(order)
        assert words in refusal.value.sentence


ROWS = st.lists(
    st.builds(
        member,
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "12345", MOBILE, "202-555-0143", OTHER_MOBILE]),
        st.sampled_from(["", "Ann", "Ben", "x" * 1601]),
    ),
    max_size=30,
)


@given(ROWS, st.booleans())
def test_nobody_is_texted_twice_and_every_row_has_one_outcome(
    rows: list[dict[str, str]], one_text_per_phone: bool
) -> None:
    terms = terms_of(due(template="${Full Name}", one_text_per_phone=one_text_per_phone))
    found = verdicts(rows, terms)
    assert [each.row.number for each in found] == list(range(1, len(rows) + 1))
    accepted = [each for each in found if isinstance(each, Accepted)]
    pairs = [(each.row.imis_id, each.to) for each in accepted]
    assert len(pairs) == len(set(pairs))
    if one_text_per_phone:
        assert len({number for _, number in pairs}) == len(pairs)


@given(ROWS, st.booleans(), st.integers(0, 30))
def test_it_does_not_matter_where_the_rows_are_cut(
    rows: list[dict[str, str]], one_text_per_phone: bool, cut: int
) -> None:
    terms = terms_of(due(template="${Full Name}", one_text_per_phone=one_text_per_phone))
    seen = Seen()
    in_two = verdicts(rows[:cut], terms, seen) + verdicts(rows[cut:], terms, seen)
    assert outcomes(in_two) == outcomes(verdicts(rows, terms))
