"""TM-7: what iMIS calls a date, money or a number reads by the locale; text stays text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texting.segments import Encoding, count
from texting.values import DATE, MONEY, NUMBER, WHOLE, known_locale, localized

LOCALES = st.sampled_from(["en-US", "en-GB", "de-DE", "fr-FR", "de-CH", "sv-SE", "es-MX", "nl-NL"])
KINDS = st.sampled_from([DATE, WHOLE, NUMBER, MONEY, "money:EUR", ""])


@pytest.mark.parametrize(
    ("value", "kind", "american", "german"),
    [
        ("2027-01-31T00:00:00", DATE, "Jan 31, 2027", "31.01.2027"),
        ("2027-01-31", DATE, "Jan 31, 2027", "31.01.2027"),
        ("2027-01-31T14:05:00", DATE, "Jan 31, 2027, 2:05 PM", "31.01.2027, 14:05"),
        ("2027-01-31T14:05:59.1234567", DATE, "Jan 31, 2027, 2:05 PM", "31.01.2027, 14:05"),
        # As told: no zone moves it, neither the machine's nor the value's own.
        ("2027-01-31T23:30:00Z", DATE, "Jan 31, 2027, 11:30 PM", "31.01.2027, 23:30"),
        ("2027-01-31T00:00:00-08:00", DATE, "Jan 31, 2027", "31.01.2027"),
        ("0001-01-01T00:00:00", DATE, "", ""),
        ("2027", WHOLE, "2027", "2027"),
        ("42", WHOLE, "42", "42"),
        ("12345", WHOLE, "12,345", "12.345"),
        ("-1234567", WHOLE, "-1,234,567", "-1.234.567"),
        ("1234.5000", NUMBER, "1,234.5", "1.234,5"),
        ("3.14159265358979", NUMBER, "3.14159265358979", "3,14159265358979"),
        ("1E+3", NUMBER, "1,000", "1.000"),
        ("1234.5", MONEY, "$1,234.50", "1.234,50 €"),
        ("-0.005", MONEY, "-$0.00", "-0,00 €"),
        ("1234.5", "money:EUR", "€1,234.50", "1.234,50 €"),
        ("1234.5", "money:XXX1", "1,234.50", "1.234,50"),
    ],
)
def test_tm7_reads_by_the_locale(value: str, kind: str, american: str, german: str) -> None:
    assert localized(value, kind=kind, locale="en-US") == american
    assert localized(value, kind=kind, locale="de-DE") == german


@pytest.mark.parametrize("kind", ["", "text", DATE, WHOLE, NUMBER, MONEY])
@pytest.mark.parametrize("value", ["", "  ", "n/a", "$12.30", "12 Elm St", "1,234", "NaN", "∞"])
def test_tm7_what_does_not_read_as_it_should_stays_as_it_is(value: str, kind: str) -> None:
    assert localized(value, kind=kind, locale="en-US") == value


@pytest.mark.parametrize("kind", [WHOLE, NUMBER, MONEY, "money:EUR"])
@pytest.mark.parametrize(
    "value", ["1E+400", "-1E400", "1E-400", "9" * 29, "12345678901234567890.1234567890123"]
)
def test_tm7_a_figure_of_more_digits_than_can_be_written_stays_as_it_is(
    value: str, kind: str
) -> None:
    assert localized(value, kind=kind, locale="en-US") == value


@pytest.mark.parametrize("value", ["007", "00742", "2027-01-31T00:00:00", "4155552671", "1.50"])
def test_tm7_text_stays_text_however_it_looks(value: str) -> None:
    assert localized(value, kind="", locale="en-US") == value


def test_tm7_without_a_country_money_has_no_sign() -> None:
    assert localized("1234.5", kind=MONEY, locale="en") == "1,234.50"


@pytest.mark.parametrize("locale", ["en-US", "fr-FR", "fr-CA", "de-CH", "sv-SE", "nb-NO", "en-AU"])
def test_tm7_a_locales_spaces_and_signs_never_cost_a_text_its_gsm7(locale: str) -> None:
    told = [
        localized("-1234567.5", kind=NUMBER, locale=locale),
        localized("1234567.5", kind="money:USD", locale=locale),
        localized("2027-03-31T14:05:00", kind=DATE, locale=locale),
    ]
    assert [count(each).encoding for each in told] == [Encoding.GSM7] * 3


@given(st.decimals(-(10**12), 10**12, places=4), LOCALES)
def test_tm7_no_digit_of_a_number_is_lost(figure: Decimal, locale: str) -> None:
    written = localized(str(figure), kind=NUMBER, locale=locale)
    point = "," if localized("0.5", kind=NUMBER, locale=locale) == "0,5" else "."
    whole, _, rest = written.partition(point)
    digits = "".join(each for each in whole if each.isdigit() or each == "-")
    assert Decimal(f"{digits}.{rest or 0}") == figure


@given(st.text(max_size=30) | st.decimals(allow_nan=False).map(str), KINDS, LOCALES)
def test_tm7_any_value_is_written_somehow(value: str, kind: str, locale: str) -> None:
    assert isinstance(localized(value, kind=kind, locale=locale), str)


@pytest.mark.parametrize("name", ["en-US", "en_US", "de", "zh-Hant-TW"])
def test_known_locales(name: str) -> None:
    assert known_locale(name)


@pytest.mark.parametrize("name", ["", "xx-YY", "English", "$$", "en-US-"])
def test_unknown_locales(name: str) -> None:
    assert not known_locale(name)
    with pytest.raises(ValueError, match="locale"):
        localized("1", kind=WHOLE, locale=name)
