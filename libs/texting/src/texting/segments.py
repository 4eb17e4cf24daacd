"""How many parts a carrier makes of a text: what the campaign's limits and its bill count.

GSM-7 (3GPP TS 23.038) packs 160 septets in a single text; the characters of its extension table
cost two. Anything else goes as UTF-16, 70 code units. A longer text is cut in parts, each of which
gives up room for the header that joins them: https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from texting.graphemes import graphemes, stretches

GSM7_SINGLE: Final = 160
UCS2_SINGLE: Final = 70

GSM7_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION: Final = "\f^{}\\[~]|€"

_ESCAPE = "\x1b"
_BASIC_BYTES = GSM7_BASIC.encode("latin-1", "ignore")
_EXTENSION_BYTES = GSM7_EXTENSION.encode("latin-1", "ignore")
_NOT_BASIC = re.compile(f"[^{re.escape(GSM7_BASIC)}]")
_NOT_GSM7 = re.compile(f"[^{re.escape(GSM7_BASIC + GSM7_EXTENSION)}]")
_EXTENDED = re.compile(f"[{re.escape(GSM7_EXTENSION)}]")


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class SegmentProfile:
    """The units that fit in each part of a long text, which depend on the sender's number."""

    gsm7_part: int
    ucs2_part: int


STANDARD: Final = SegmentProfile(gsm7_part=153, ucs2_part=67)
#: A toll-free number's parts carry a header one unit longer.
TOLL_FREE: Final = SegmentProfile(gsm7_part=152, ucs2_part=66)


class Segmentation(NamedTuple):
    """What a text costs; ``units`` are septets in GSM-7 and UTF-16 code units in UCS-2."""

    encoding: Encoding
    units: int
    segments: int


def count(text: str, *, profile: SegmentProfile = STANDARD) -> Segmentation:
    """Count a text's segments as the carrier will; an empty text has none, as it is never sent.

    No part ends inside an escape pair or a grapheme, so a text can need a part more than its units
    suggest. A grapheme longer than a part is cut between code points.
    """
    try:
        rest = len(extended := text.encode("latin-1").translate(None, _BASIC_BYTES))
        is_gsm7 = not rest or not extended.translate(None, _EXTENSION_BYTES)
    except UnicodeEncodeError:
        is_gsm7 = _NOT_GSM7.search(text) is None
        rest = len(_NOT_BASIC.findall(text)) if is_gsm7 else 0
    if not is_gsm7:
        return _count_ucs2(text, profile.ucs2_part)
    units = len(text) + rest
    if units <= GSM7_SINGLE:
        return Segmentation(Encoding.GSM7, units, 1 if units else 0)
    segments = _gsm7_parts(text, profile.gsm7_part) if rest else -(-units // profile.gsm7_part)
    return Segmentation(Encoding.GSM7, units, segments)


def ucs2_characters(text: str) -> tuple[str, ...]:
    """Name the characters outside GSM-7, each once and in order: without them it costs less."""
    return tuple(dict.fromkeys(_NOT_GSM7.findall(text)))


def _gsm7_parts(text: str, limit: int) -> int:
    septets = _EXTENDED.sub(_ESCAPE + "x", text)
    parts = end = 0
    while end < len(septets):
        parts += 1
        end += limit
        if end < len(septets) and septets[end - 1] == _ESCAPE:
            end -= 1
    return parts


def _count_ucs2(text: str, limit: int) -> Segmentation:
    units = _code_units(text)
    segments = 1 if units <= UCS2_SINGLE else _ucs2_parts(text, limit)
    return Segmentation(Encoding.UCS2, units, segments)


def _ucs2_parts(text: str, limit: int) -> int:
    parts, used = 1, 0
    for stretch, is_plain in stretches(text):
        if is_plain:
            further, last = divmod(used + len(stretch) - 1, limit)
            parts, used = parts + further, last + 1
            continue
        for size in _unsplittable_sizes(stretch, limit):
            if used + size > limit:
                parts, used = parts + 1, 0
            used += size
    return parts


def _unsplittable_sizes(text: str, limit: int) -> Iterator[int]:
    for grapheme in graphemes(text):
        if (size := _code_units(grapheme)) <= limit:
            yield size
        else:
            yield from map(_code_units, grapheme)


def _code_units(text: str) -> int:
    # A lone surrogate, as JSON can bring one in, is one unit and no reason to fail.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
