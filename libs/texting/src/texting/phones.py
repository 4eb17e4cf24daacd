"""Phone numbers: as members typed them, as carriers take them (E.164), and as screens show them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal

import phonenumbers as lib
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from texting.segments import STANDARD, TOLL_FREE, SegmentProfile

# An audience of many countries would otherwise compile their patterns again and again: they are
# more than Python's own cache of patterns holds. Their number is bounded by the metadata.
lib.enable_pattern_cache()

InvalidReason = Literal["empty", "not_a_number", "too_short", "too_long", "invalid"]

_SEPARATORS = re.compile(
    # Spaces, and the invisible marks that come along when a number is copied from an address book.
    "[\\s\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\\-\u00ad\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d"  # dashes
    "()\\[\\]\uff08\uff09./\u00b7\u2024\u30fb\uff0e\uff0f]+"  # brackets, dots, slashes
)
_ASCII_DIGITS: Final = str.maketrans(
    "＋０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "+" + "0123456789" * 3
)
_DIALLED = re.compile(r"\+?[0-9]+")
# A spreadsheet or a column of numbers writes a phone as a figure: its ".0" is nobody's digit.
_FRACTION = re.compile(r"(?<=[0-9]{5})\.0+\Z", re.ASCII)
# Only for what isn't _DIALLED, so that at least one of the optional marks is there.
_WITH_EXTENSION = re.compile(
    r"\+?[0-9]+[,;x~]*(?:ext(?:n|ension)?)?[=:#]?[0-9]+#?", re.ASCII | re.IGNORECASE
)
_NORTH_AMERICA: Final = 1
_NORTH_AMERICAN = re.compile(r"(?:\+?1)?([2-9][0-9]{9})")
_NORTH_AMERICAN_TOLL_FREE = re.compile(r"\+18(?:00|22|33|44|55|66|77|88)[0-9]{7}")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
# Below this, the last two digits would be half of the number.
_SHORTEST_PARTLY_SHOWN = 5

_COUNTRY_CODES: Final = {
    region: code
    for code, regions in lib.COUNTRY_CODE_TO_REGION_CODE.items()
    for region in regions
    if region != lib.REGION_CODE_FOR_NON_GEO_ENTITY
}
_REASONS: Final[dict[int, InvalidReason]] = {
    # Of digits alone, the library says this only when there is a single one.
    NumberParseException.NOT_A_NUMBER: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}
_LENGTH_REASONS: Final[dict[int, InvalidReason]] = {
    lib.ValidationResult.TOO_SHORT: "too_short",
    lib.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    lib.ValidationResult.TOO_LONG: "too_long",
}
_IN_WORDS: Final[dict[InvalidReason, str]] = {
    "empty": "it is blank",
    "not_a_number": "it has letters or other signs in it",
    "too_short": "it is too short",
    "too_long": "it is too long",
    "invalid": "it is none that is in use",
}


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid number; ``country`` is an ISO region, None for numbers of no country (+800…)."""

    e164: str
    country: str | None


@dataclass(frozen=True, slots=True)
class InvalidPhone:
    """Why a value can't be texted."""

    reason: InvalidReason

    @property
    def in_words(self) -> str:
        """Say it so that it can end a sentence."""
        return _IN_WORDS[self.reason]


class SenderKind(StrEnum):
    """What kind of number texts come from; throughput and part sizes depend on it."""

    TOLL_FREE = "toll_free"
    LONG_CODE = "long_code"
    SHORT_CODE = "short_code"


def normalise(raw: str, *, default_country: str) -> PhoneNumber | InvalidPhone:
    """Read a number as typed; never raise for what was typed, only for an unknown country.

    A number that begins with "+" keeps its own prefix. Any other is dialled from default_country
    (an ISO region such as "US"), with its trunk and international prefixes understood. Letters
    (1-800-FLOWERS) and extensions are refused.
    """
    if not (typed := raw.strip()):
        return InvalidPhone("empty")
    # A spreadsheet marks a cell as text by an apostrophe before it.
    digits = _SEPARATORS.sub("", _FRACTION.sub("", typed.lstrip("'’")))
    if not digits.isascii():
        digits = digits.translate(_ASCII_DIGITS)
    if not _DIALLED.fullmatch(digits):
        return InvalidPhone("invalid" if _WITH_EXTENSION.fullmatch(digits) else "not_a_number")
    try:
        number = _parse(digits, default_country)
    except NumberParseException as error:
        return InvalidPhone(_REASONS.get(error.error_type, "invalid"))
    country = _country_of_valid(number)
    if country is None:
        length = lib.is_possible_number_with_reason(number)
        return InvalidPhone(_LENGTH_REASONS.get(length, "invalid"))
    return PhoneNumber(
        e164=lib.format_number(number, PhoneNumberFormat.E164),
        country=None if country == lib.REGION_CODE_FOR_NON_GEO_ENTITY else country,
    )


def is_fixed_line(number: PhoneNumber) -> bool:
    """Whether the numbering plan says that it is a fixed line, and not that it may be a mobile.

    In North America fixed and mobile numbers look alike, so none of them is a fixed line.
    """
    return lib.number_type(lib.parse(number.e164)) == PhoneNumberType.FIXED_LINE


def default_prefix(country: str) -> str:
    """The prefix of an ISO region's numbers, "+1" for "US"; ValueError if there is no such one."""
    return f"+{_country_code(country)}"


def countries() -> list[tuple[str, str]]:
    """Every ISO region with its prefix, such as ("US", "+1"), sorted by region."""
    return sorted((region, f"+{code}") for region, code in _COUNTRY_CODES.items())


@lru_cache(maxsize=1024)
def sender_kind(sender: str) -> SenderKind:
    """Tell a sender's kind by its number (E.164, or a short code's digits); else ValueError."""
    if _SHORT_CODE.fullmatch(sender):
        return SenderKind.SHORT_CODE
    if not _E164.fullmatch(sender):
        raise ValueError("A sender is a number in E.164 form or a short code.")
    # By the area code alone: test numbers and new exchanges aren't in the library's metadata.
    if _NORTH_AMERICAN_TOLL_FREE.fullmatch(sender):
        return SenderKind.TOLL_FREE
    try:
        kind = lib.number_type(lib.parse(sender))
    except NumberParseException:
        return SenderKind.LONG_CODE
    return SenderKind.TOLL_FREE if kind == PhoneNumberType.TOLL_FREE else SenderKind.LONG_CODE


def profile_for(sender: str) -> SegmentProfile:
    """The part sizes of texts from this sender; for one that is no number, the smaller sizes.

    A Messaging Service may choose a toll-free number, and an estimate must never be too low.
    """
    try:
        kind = sender_kind(sender)
    except ValueError:
        return TOLL_FREE
    return TOLL_FREE if kind is SenderKind.TOLL_FREE else STANDARD


def mask(e164: str) -> str:
    """A number as screens show it: its last two digits, and not even how many came before."""
    return "••••" + (e164[-2:] if len(e164) >= _SHORTEST_PARTLY_SHOWN else "")


def _parse(digits: str, default_country: str) -> lib.PhoneNumber:
    national = digits[0] != "+"
    code = _country_code(default_country) if national else None
    # The commonest form by far, read as the library reads it, for a fifth of the time.
    if (match := _NORTH_AMERICAN.fullmatch(digits)) and (
        code == _NORTH_AMERICA or digits.startswith("+1")
    ):
        return lib.PhoneNumber(country_code=_NORTH_AMERICA, national_number=int(match[1]))
    return lib.parse(digits, default_country.upper() if national else None)


def _country_of_valid(number: lib.PhoneNumber) -> str | None:
    # The main region of a shared code first: it is the first that the library would try too, and
    # a number that is valid there needs no search through the other twenty-four of "+1".
    main = lib.region_code_for_country_code(number.country_code or 0)
    if lib.is_valid_number_for_region(number, main):
        return main
    region = lib.region_code_for_number(number)
    if region is not None and lib.is_valid_number_for_region(number, region):
        return region
    return None


def _country_code(country: str) -> int:
    code = _COUNTRY_CODES.get(country) or _COUNTRY_CODES.get(country.upper())
    if code is None:
        raise ValueError(f"{country!r} is not an ISO region with phone numbers of its own.")
    return code
