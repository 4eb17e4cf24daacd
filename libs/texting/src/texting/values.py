"""How a member's date, amount or number reads, by the organisation's locale (TM-7).

The source tells what a value is; what it calls text is never touched, so "007" stays "007".

    date      2027-01-31T00:00:00  "Jan 31, 2027" (en-US), "31.01.2027" (de-DE): no time at
              midnight; otherwise the time too, as told, never moved by a zone
    whole     1234567              "1,234,567"; up to four digits without a separator, because
              those are years, chapters and house numbers far more often than quantities
    number    1234.50              "1,234.5": every digit that counts, none rounded away
    money     1234.5               "$1,234.50": the currency of the locale's country
    money:EUR 1234.5               "€1,234.50" (en-US), "1.234,50 €" (de-DE): the currency told

A value that doesn't read as what it is said to be stays as it is.
"""

from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import (
    UnknownCurrencyError,
    format_currency,
    format_decimal,
    get_territory_currencies,
    validate_currency,
)

DATE: Final = "date"
WHOLE: Final = "whole"
NUMBER: Final = "number"
MONEY: Final = "money"

_UNGROUPED_BELOW = 10_000
# More than these, a fraction's three included, Python's decimals round away or refuse to write.
_MOST_DIGITS = 28
_LEAST_FRACTION = 3
# Separators that a phone shows no better than these, and that would cost a text its GSM-7.
_PLAIN = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2019": "'", "\u2212": "-"})
# .NET's way to say that there is no date.
_NO_DATE_YEAR = 1


def known_locale(name: str) -> bool:
    """Say whether there is such a locale as "en-US"."""
    try:
        _locale(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def localized(value: str, *, kind: str, locale: str) -> str:
    """Write a value as the locale does; ValueError for an unknown locale, never for the value."""
    where = _locale(locale)
    if not value or value.isspace():
        return value
    if kind == DATE:
        return _date(value, where)
    try:
        figure = Decimal(value.strip())
    except InvalidOperation:
        return value
    if not figure.is_finite() or _digits_of(figure) > _MOST_DIGITS:
        return value
    match kind:
        case "whole":
            written = _whole(figure, where)
        case "number":
            written = format_decimal(figure, locale=where, decimal_quantization=False)
        case _ if kind.startswith(MONEY):
            written = _money(figure, kind.partition(":")[2], where)
        case _:
            return value
    return written.translate(_PLAIN)


def _date(value: str, locale: Locale) -> str:
    try:
        told = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    if told.year == _NO_DATE_YEAR:
        return ""
    day = format_date(told, "medium", locale=locale)
    # What was told is the local time of whoever entered it; an offset behind it changes nothing.
    clock = told.replace(tzinfo=None).time()
    if clock == time.min:
        return day.translate(_PLAIN)
    both = str(get_datetime_format("medium", locale)).replace("'", "")
    written = both.replace("{0}", format_time(clock, "short", locale=locale)).replace("{1}", day)
    return written.translate(_PLAIN)


def _digits_of(figure: Decimal) -> int:
    """How many digits it takes written out, whichever way it is told: 1E400 takes 401."""
    exponent = figure.as_tuple().exponent
    assert isinstance(exponent, int), "only a finite figure has digits"
    return max(figure.adjusted(), 0) + 1 + max(-exponent, _LEAST_FRACTION)


def _whole(figure: Decimal, locale: Locale) -> str:
    return format_decimal(
        figure,
        locale=locale,
        decimal_quantization=False,
        group_separator=abs(figure) >= _UNGROUPED_BELOW,
    )


def _money(figure: Decimal, currency: str, locale: Locale) -> str:
    currency = currency or _currency_of(locale)
    try:
        validate_currency(currency, locale)
    except UnknownCurrencyError:
        return format_decimal(figure, "#,##0.00", locale=locale)
    return format_currency(figure, currency, locale=locale)


@lru_cache(maxsize=64)
def _currency_of(locale: Locale) -> str:
    found = get_territory_currencies(locale.territory) if locale.territory else []
    return found[0] if found else ""


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"{name!r} is not a locale such as en-US.") from None
