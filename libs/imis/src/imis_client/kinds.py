"""What kind of thing a value is, where iMIS says so: by .NET's types, never by its looks.

A value can be wrapped with its type, a JSON number is a number, and a definition names each
column's `DataTypeName`. Everything else is text, however much it looks like a date or a number:
ids, zip codes and phone numbers must come out as they went in.
"""

import re
from collections.abc import Iterable
from typing import Any

from imis_client.wire import Figure, text_of

DATE = "date"
WHOLE = "whole"
NUMBER = "number"
MONEY = "money"

_ISO_4217 = re.compile("[A-Za-z]{3}")
_NOTHING = None
"""Of a value that is missing: it says nothing about its column."""
_TEXT = ""
_BY_TYPE = {
    **dict.fromkeys(("datetime", "datetimeoffset", "date", "dateonly", "smalldatetime"), DATE),
    **dict.fromkeys(("byte", "sbyte", "int16", "int32", "int64", "integer", "int"), WHOLE),
    **dict.fromkeys(("uint16", "uint32", "uint64", "short", "long"), WHOLE),
    **dict.fromkeys(("decimal", "double", "single", "float", "numeric", "number"), NUMBER),
    **dict.fromkeys(("money", "currency", "monetary", "monetaryamount"), MONEY),
}


def kind_of_type(name: str) -> str:
    """Tell a kind by .NET's or iMIS's name of a type, such as `System.Int32`; empty for text."""
    short = name.partition(",")[0].rpartition(".")[2]
    return _BY_TYPE.get(short.strip().casefold().removesuffix("data"), _TEXT)


def kind_of(value: Any) -> str | None:
    """Tell a value's kind; None for one that is missing."""
    match value:
        case None | "":
            return _NOTHING
        case Figure():
            return WHOLE if value.lstrip("-").isdecimal() else NUMBER
        case {"$value": None}:
            return _NOTHING
        case {"$value": _, "$type": str(type_name)}:
            return kind_of_type(type_name)
        case {"$value": wrapped}:
            return kind_of(wrapped)
        case {"Amount": amount}:
            if not text_of(amount):
                return _NOTHING
            code = _currency_code(value.get("Currency"))
            return f"{MONEY}:{code}" if code else MONEY
        case _:
            return _TEXT


def kind_of_all(kinds: Iterable[str | None]) -> str:
    """Tell a column's kind by its values': the one that all have, or none."""
    found = {kind for kind in kinds if kind is not _NOTHING}
    if found == {WHOLE, NUMBER}:
        return NUMBER
    return found.pop() if len(found) == 1 else _TEXT


def merged(told: str, declared: str) -> str:
    """Choose between what a page tells of a column and what the definition declares.

    A page's word is the truer one, but it calls money a mere number.
    """
    if declared == MONEY and told in {WHOLE, NUMBER}:
        return MONEY
    return told or declared


def _currency_code(currency: object) -> str:
    if isinstance(currency, dict):
        currency = currency.get("CurrencyCode") or currency.get("Code")
    code = text_of(currency)
    return code if _ISO_4217.fullmatch(code) else ""
