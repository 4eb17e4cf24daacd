"""Phone numbers: what people type, against what the metadata says of each country."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from texting.phones import (
    InvalidPhone,
    InvalidReason,
    PhoneNumber,
    SenderKind,
    countries,
    default_prefix,
    is_fixed_line,
    mask,
    normalise,
    profile_for,
    sender_kind,
)
from texting.segments import STANDARD, TOLL_FREE, SegmentProfile

REGIONS = st.sampled_from([region for region, _ in countries()])
DIGITS = st.text("0123456789", min_size=1, max_size=16)
SEPARATORS = st.sampled_from(["", "", " ", "-", ".", "(", ")", "\u00a0", "\u2011", "\u202c", "/"])


@pytest.mark.parametrize(
    ("raw", "default", "e164", "country"),
    [
        ("+14155552671", "GB", "+14155552671", "US"),
        ("(415) 555-2671", "US", "+14155552671", "US"),
        ("415.555.2671", "US", "+14155552671", "US"),
        ("1 415 555 2671", "US", "+14155552671", "US"),
        ("1-415-555-2671", "CA", "+14155552671", "US"),
        ("604/555-1234", "US", "+16045551234", "CA"),
        ("415\u00a0555\u20112671", "us", "+14155552671", "US"),
        ("\u202a+1 415 555 2671\u202c", "NL", "+14155552671", "US"),
        ("４１５５５５２６７１", "US", "+14155552671", "US"),
        ("＋１４１５５５５２６７１", "GB", "+14155552671", "US"),
        ("٤١٥٥٥٥٢٦٧١", "US", "+14155552671", "US"),
        ("'4155552671", "US", "+14155552671", "US"),
        (" ’+44 20 7946 0958 ", "US", "+442079460958", "GB"),
        ("020 7946 0958", "GB", "+442079460958", "GB"),
        ("+44 (0)20 7946 0958", "US", "+442079460958", "GB"),
        ("011 44 20 7946 0958", "US", "+442079460958", "GB"),
        ("00 1 415 555 2671", "GB", "+14155552671", "US"),
        ("0171 1234567", "DE", "+491711234567", "DE"),
        ("06 12345678", "NL", "+31612345678", "NL"),
        ("06 1234 5678", "IT", "+390612345678", "IT"),
        ("0412 345 678", "AU", "+61412345678", "AU"),
        ("+41 44 668 18 00", "US", "+41446681800", "CH"),
        ("+80012345678", "US", "+80012345678", None),
        ("+15005550006", "US", "+15005550006", "US"),
        # A spreadsheet's figure: the digit behind its point would make it somebody else's number.
        ("4155552671.0", "US", "+14155552671", "US"),
        ("3331234567.0", "IT", "+393331234567", "IT"),
        ("+15123456789.00", "DE", "+15123456789", "US"),
    ],
)
def test_reads_what_people_type(raw: str, default: str, e164: str, country: str | None) -> None:
    assert normalise(raw, default_country=default) == PhoneNumber(e164, country)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (" \u00a0\t", "empty"),
        ("n/a", "not_a_number"),
        ("-", "not_a_number"),
        ("+", "not_a_number"),
        ("1-800-FLOWERS", "not_a_number"),
        ("1.4155552671E+10", "not_a_number"),
        ("415+5552671", "not_a_number"),
        ("++14155552671", "not_a_number"),
        ("ann@example.org", "not_a_number"),
        ("5", "too_short"),
        ("555-2671", "too_short"),
        ("+1 415", "too_short"),
        # Switzerland's prefix: the default country's is never put before a "+".
        ("+4155552671", "too_short"),
        ("415 555 26711", "too_long"),
        ("4155552671 4155552672", "too_long"),
        ("1" * 400, "too_long"),
        ("+1 999 999 9999", "invalid"),
        ("+999 123 4567", "invalid"),
        ("0000000000", "invalid"),
        ("415-555-2671 x123", "invalid"),
        ("415-555-2671 ext. 123", "invalid"),
        ("415-555-2671 Extension: 4", "invalid"),
        ("+14155552671;ext=5", "invalid"),
        ("4155552671,,5#", "invalid"),
        ("4155552671#5", "invalid"),
    ],
)
def test_says_why_a_value_cannot_be_texted(raw: str, reason: InvalidReason) -> None:
    invalid = normalise(raw, default_country="US")
    assert isinstance(invalid, InvalidPhone) and invalid == InvalidPhone(reason)
    assert invalid.in_words.startswith("it ") and "_" not in invalid.in_words


@pytest.mark.parametrize(
    ("raw", "default", "e164", "is_fixed"),
    [
        ("(415) 555-2671", "US", "+14155552671", False),
        ("0412 345 678", "AU", "+61412345678", False),
        ("+44 20 7234 3456", "US", "+442072343456", True),
        ("+44 20 7234 3456", "AU", "+442072343456", True),
        ("011 44 20 7234 3456", "US", "+442072343456", True),
        ("0011 44 20 7234 3456", "AU", "+442072343456", True),
        ("00 44 20 7234 3456", "DE", "+442072343456", True),
        ("011 61 412 345 678", "US", "+61412345678", False),
        ("07400 123456", "GB", "+447400123456", False),
        ("02 9374 4000", "AU", "+61293744000", True),
        ("+80012345678", "US", "+80012345678", False),
    ],
)
def test_tm17_the_default_country_counts_only_without_a_plus(
    raw: str, default: str, e164: str, is_fixed: bool
) -> None:
    found = normalise(raw, default_country=default)
    assert isinstance(found, PhoneNumber)
    assert (found.e164, is_fixed_line(found)) == (e164, is_fixed)


@pytest.mark.parametrize("default", ["US", "AU"])
def test_tm17_another_countrys_international_prefix_is_not_understood(default: str) -> None:
    assert isinstance(normalise("00 44 20 7234 3456", default_country=default), InvalidPhone)


def test_an_unknown_country_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="'XX' is not an ISO region"):
        normalise("4155552671", default_country="XX")
    with pytest.raises(ValueError, match="'001'"):
        default_prefix("001")


def test_prefixes_of_countries() -> None:
    assert default_prefix("US") == default_prefix("ca") == "+1"
    assert default_prefix("NL") == "+31"
    listed = countries()
    assert listed == sorted(listed)
    assert {("US", "+1"), ("GB", "+44"), ("GG", "+44")} <= set(listed)
    assert {region for region, _ in listed} == phonenumbers.SUPPORTED_REGIONS


@pytest.mark.parametrize(
    ("sender", "kind", "profile"),
    [
        ("+18005550199", SenderKind.TOLL_FREE, TOLL_FREE),
        ("+18331234567", SenderKind.TOLL_FREE, TOLL_FREE),
        ("+448001111111", SenderKind.TOLL_FREE, TOLL_FREE),
        ("+14155552671", SenderKind.LONG_CODE, STANDARD),
        ("+15005550006", SenderKind.LONG_CODE, STANDARD),
        ("+447400123456", SenderKind.LONG_CODE, STANDARD),
        ("+999123", SenderKind.LONG_CODE, STANDARD),
        ("12345", SenderKind.SHORT_CODE, STANDARD),
    ],
)
def test_kinds_of_senders(sender: str, kind: SenderKind, profile: SegmentProfile) -> None:
    assert sender_kind(sender) is kind
    assert profile_for(sender) == profile


@pytest.mark.parametrize("sender", ["", "MG0123456789abcdef0123456789abcdef", "Example"])
def test_a_sender_that_is_no_number_is_estimated_with_care(sender: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        sender_kind(sender)
    assert profile_for(sender) == TOLL_FREE


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+14155552671", "••••71"), ("12345", "••••45"), ("71", "••••"), ("", "••••")],
)
def test_mask_shows_two_digits_at_most(number: str, shown: str) -> None:
    assert mask(number) == shown


def by_the_library(digits: str, region: str | None) -> PhoneNumber | None:
    """The oracle: what libphonenumber says with no short cut of ours."""
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    country = phonenumbers.region_code_for_number(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return PhoneNumber(e164, None if country == "001" else country)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_agrees_with_the_library_on_every_country(region: str) -> None:
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        for form in (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        ):
            typed = phonenumbers.format_number(example, form)
            result = normalise(typed, default_country=region)
            assert result == by_the_library(typed, region)
            assert isinstance(result, PhoneNumber)
            assert normalise(result.e164, default_country="US") == result


@given(st.sampled_from(["", "1", "+1", "+44", "+39", "0", "00", "011", "+"]), DIGITS, REGIONS)
def test_agrees_with_the_library_on_any_digits(prefix: str, digits: str, region: str) -> None:
    result = normalise(prefix + digits, default_country=region)
    known = by_the_library(prefix + digits, region)
    assert result == known if known else isinstance(result, InvalidPhone)


@given(st.integers(200, 999), st.integers(0, 9_999_999), st.sampled_from(["", "1", "+1"]))
def test_north_america_agrees_with_the_library(area: int, local: int, prefix: str) -> None:
    typed = f"{prefix}{area}{local:07}"
    result = normalise(typed, default_country="US")
    known = by_the_library(typed, "US")
    assert result == known if known else isinstance(result, InvalidPhone)


@given(st.text() | DIGITS, REGIONS)
def test_any_value_is_read_or_refused_and_reading_is_stable(raw: str, region: str) -> None:
    result = normalise(raw, default_country=region)
    if isinstance(result, PhoneNumber):
        assert normalise(result.e164, default_country=region) == result


@given(DIGITS, REGIONS, REGIONS)
def test_a_number_with_a_plus_ignores_the_default_country(
    digits: str, region: str, other: str
) -> None:
    typed = f"+{digits}"
    assert normalise(typed, default_country=region) == normalise(typed, default_country=other)


@given(st.lists(SEPARATORS, min_size=12, max_size=12), st.sampled_from(["+14155552671"]))
def test_separators_mean_nothing(separators: list[str], number: str) -> None:
    typed = "".join(separator + digit for separator, digit in zip(separators, number, strict=True))
    assert normalise(typed, default_country="NL") == PhoneNumber(number, "US")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "blank"),
        ("garbage", "letters"),
        ("12345", "too short"),
        ("+1213555123456789", "too long"),
        ("+1 213 055 1234", "none that is in use"),
    ],
)
def test_tm18_what_is_wrong_with_a_number_is_said_in_words(typed: str, said: str) -> None:
    found = normalise(typed, default_country="US")
    assert isinstance(found, InvalidPhone)
    assert said in found.in_words
