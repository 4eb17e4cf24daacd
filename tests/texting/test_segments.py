"""Segments: the examples of the standard, and an oracle that counts one unit at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texting.graphemes import graphemes
from texting.segments import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    STANDARD,
    TOLL_FREE,
    Encoding,
    Segmentation,
    SegmentProfile,
    count,
    ucs2_characters,
)

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
FAMILY = "👨‍👩‍👧‍👦"  # Eleven code units.
FLAG = "🇳🇱"  # Four.
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"  # Fourteen.

PROFILES = st.sampled_from([STANDARD, TOLL_FREE])
GSM7_TEXTS = st.text(GSM7_BASIC + GSM7_EXTENSION * 4, max_size=700)
CLUSTERS = st.sampled_from(
    ["a", "я", "字", "🎉", "👩🏽", FAMILY, FLAG, SCOTLAND, "1️⃣", "e\u0301", "❤️‍🔥", "\r\n", "각", " "]
)
UCS2_TEXTS = st.lists(CLUSTERS, max_size=120).map("".join)
TEXTS = st.text(max_size=400) | GSM7_TEXTS | UCS2_TEXTS


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parts_one_by_one(sizes: list[int], *, single: int, part: int) -> int:
    """The oracle: as many indivisible sizes as fit, part after part."""
    if sum(sizes) <= single:
        return min(sum(sizes), 1)
    parts, room = 0, 0
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (GSM7, 0, 0)),
        ("a", (GSM7, 1, 1)),
        ("a" * 160, (GSM7, 160, 1)),
        ("a" * 161, (GSM7, 161, 2)),
        ("a" * 306, (GSM7, 306, 2)),
        ("a" * 307, (GSM7, 307, 3)),
        (GSM7_BASIC, (GSM7, 127, 1)),
        (GSM7_EXTENSION, (GSM7, 20, 1)),
        ("€" * 80, (GSM7, 160, 1)),
        ("€" * 81, (GSM7, 162, 2)),
        ("a" * 158 + "^", (GSM7, 160, 1)),
        ("a" * 159 + "[", (GSM7, 161, 2)),
        # The pair would straddle the end of the first part, so it moves to the second whole.
        ("a" * 152 + "]" + "a" * 152, (GSM7, 306, 3)),
        ("a" * 151 + "]" + "a" * 153, (GSM7, 306, 2)),
        ("€" * 153, (GSM7, 306, 3)),
        ("я" * 70, (UCS2, 70, 1)),
        ("я" * 71, (UCS2, 71, 2)),
        ("я" * 134, (UCS2, 134, 2)),
        ("я" * 135, (UCS2, 135, 3)),
        ("[" * 69 + "я", (UCS2, 70, 1)),
        ("🎉" * 35, (UCS2, 70, 1)),
        ("🎉" * 66, (UCS2, 132, 2)),
        ("🎉" * 67, (UCS2, 134, 3)),
        ("я" * 66 + "🎉" + "я" * 66, (UCS2, 134, 3)),
        ("я" * 59 + FAMILY, (UCS2, 70, 1)),
        ("я" * 60 + FAMILY + "я" * 56, (UCS2, 127, 2)),
        ("я" * 60 + FAMILY + "я" * 57, (UCS2, 128, 3)),
        ("я" * 64 + FLAG + "я" * 64, (UCS2, 132, 3)),
        ("я" * 63 + FLAG * 2 + "я" * 63, (UCS2, 134, 2)),
        ("я" * 66 + "e\u0301" + "я" * 66, (UCS2, 134, 3)),
        ("я" * 66 + "\r\n" + "я" * 66, (UCS2, 134, 3)),
        ("a" + "\u0301" * 133, (UCS2, 134, 2)),
        ("я" * 60 + "a" + "\u0301" * 73, (UCS2, 134, 2)),
        ("\ud83d", (UCS2, 1, 1)),
        ("`", (UCS2, 1, 1)),
        ("ç", (UCS2, 1, 1)),
        ("\x1b", (UCS2, 1, 1)),
    ],
)
def test_counts(text: str, expected: tuple[Encoding, int, int]) -> None:
    assert count(text) == Segmentation(*expected)


@pytest.mark.parametrize(
    ("text", "standard", "toll_free"),
    [
        ("a" * 160, 1, 1),
        ("a" * 304, 2, 2),
        ("a" * 305, 2, 3),
        ("я" * 70, 1, 1),
        ("я" * 132, 2, 2),
        ("я" * 133, 2, 3),
        ("я" * 66 + "🎉" + "я" * 64, 2, 2),
        ("я" * 65 + "🎉" + "я" * 65, 2, 3),
    ],
)
def test_a_toll_free_number_fits_less_in_a_part(text: str, standard: int, toll_free: int) -> None:
    assert count(text).segments == standard
    assert count(text, profile=TOLL_FREE).segments == toll_free


def test_the_alphabet_is_the_standard_one() -> None:
    # 128 codes, of which one is the escape itself.
    assert len(GSM7_BASIC) == len(set(GSM7_BASIC)) == 127
    assert len(GSM7_EXTENSION) == len(set(GSM7_EXTENSION)) == 10
    assert not set(GSM7_BASIC) & set(GSM7_EXTENSION)
    assert GSM7_BASIC.index("A") == 0x41 - 1  # The escape, 0x1B, is left out.
    assert GSM7_BASIC.index("à") == 0x7F - 1
    assert GSM7_BASIC.index("@") == 0x00


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("plain [€]", ()),
        ("“Hi” — “you”", ("“", "”", "—")),
        ("Привет", ("П", "р", "и", "в", "е", "т")),
        ("a👍🏽`", ("👍", "🏽", "`")),
    ],
)
def test_names_the_characters_that_force_ucs2(text: str, characters: tuple[str, ...]) -> None:
    assert ucs2_characters(text) == characters


@pytest.mark.parametrize(
    "whole",
    [
        *("🎉", "👍🏽", FAMILY, FLAG, SCOTLAND, "1️⃣", "e\u0301\u0323", "❤️‍🔥", "🏳️‍🌈", "🧑🏻‍❤️‍💋‍🧑🏿"),
        *("🙂‍↔️", "\r\n", "\u1112\u1161\u11ab", "กำ", "कि", "ｶﾞ"),
    ],
)
def test_a_grapheme_stays_whole(whole: str) -> None:
    assert list(graphemes(f"a{whole}b")) == ["a", whole, "b"]
    assert list(graphemes(whole + whole)) == [whole, whole]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\u0301", ["\n", "\u0301"]),
        ("\n\r", ["\n", "\r"]),
        ("🇳🇱🇧", ["🇳🇱", "🇧"]),
        ("a\u200d🎉", ["a\u200d", "🎉"]),
        ("🎉🎉", ["🎉", "🎉"]),
    ],
)
def test_graphemes_end_where_nothing_joins(text: str, expected: list[str]) -> None:
    assert list(graphemes(text)) == expected


@given(GSM7_TEXTS, PROFILES)
def test_gsm7_agrees_with_the_oracle(text: str, profile: SegmentProfile) -> None:
    sizes = [2 if character in GSM7_EXTENSION else 1 for character in text]
    parts = parts_one_by_one(sizes, single=160, part=profile.gsm7_part)
    assert count(text, profile=profile) == Segmentation(GSM7, sum(sizes), parts)


@given(UCS2_TEXTS | st.text(max_size=300), PROFILES)
def test_ucs2_agrees_with_the_oracle(text: str, profile: SegmentProfile) -> None:
    text += "я"
    sizes = [units(grapheme) for grapheme in graphemes(text)]
    parts = parts_one_by_one(sizes, single=70, part=profile.ucs2_part)
    assert count(text, profile=profile) == Segmentation(UCS2, units(text), parts)


@given(TEXTS)
def test_a_text_is_gsm7_exactly_when_nothing_forces_ucs2(text: str) -> None:
    forcing = ucs2_characters(text)
    assert (count(text).encoding is GSM7) == (not forcing)
    assert list(forcing) == list(dict.fromkeys(forcing))
    assert not set(forcing) & set(GSM7_BASIC + GSM7_EXTENSION)


@given(TEXTS, TEXTS, PROFILES)
def test_more_text_never_costs_less(first: str, second: str, profile: SegmentProfile) -> None:
    alone = count(first, profile=profile)
    together = count(first + second, profile=profile)
    assert together.segments >= alone.segments


@given(TEXTS)
def test_a_toll_free_number_never_costs_less(text: str) -> None:
    assert count(text, profile=TOLL_FREE).segments >= count(text).segments


@given(TEXTS)
def test_the_order_of_characters_does_not_change_the_units(text: str) -> None:
    before, after = count(text), count("".join(sorted(text)))
    assert (after.encoding, after.units) == (before.encoding, before.units)


@given(TEXTS)
def test_graphemes_joined_again_are_the_text(text: str) -> None:
    pieces = list(graphemes(text))
    assert "".join(pieces) == text
    assert all(pieces)


@given(st.lists(CLUSTERS, max_size=60))
def test_graphemes_are_found_in_any_company(clusters: list[str]) -> None:
    assert list(graphemes("".join(clusters))) == clusters
