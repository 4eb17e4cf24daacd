"""Who gets which text, and who gets none and why.

The rules, in this order; the first that applies decides:

    no_member_id     the row has no iMIS id
    no_number        its phone is empty
    invalid_number   its phone is no number that could be texted
    landline         (where the settings leave those out) its phone is surely a fixed line
    repeated_row     an earlier row has this member and this number, whatever else it says
    shared_phone     (one text a phone) an earlier row has this number, whoever's it is
    empty_text       the merged text is blank
    text_too_long    the merged text is over 1,600 characters, which Twilio refuses

"Earlier" goes by the row's number, and an earlier row counts even if it gets no text itself: the
first row speaks for the member or the phone, and the later ones name its member. Without one text
a phone, two members who share one are two texts, and a member with two phones gets two as well. A
merge value that is missing or blank merges as empty text, unless the template has a fallback.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audience.domain.failures import Unusable
from audience.domain.rows import Row, column_named
from audience.domain.zones import zone_of
from contracts.events.audience import AudiencePreviewRequested, Reason
from contracts.events.campaign import CampaignDue
from texting.phones import (
    PhoneNumber,
    default_prefix,
    is_fixed_line,
    normalise,
    profile_for,
)
from texting.segments import Encoding, SegmentProfile, count
from texting.template import Template, TemplateError
from texting.values import known_locale

LONGEST_TEXT = 1600

Pair = tuple[str, str]
"""A member's iMIS id and a number in E.164."""

LONGEST_ID = 100
"""What is longer is no iMIS id, whatever the column is called."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to every row of a run or a preview."""

    template: Template
    default_country: str
    one_text_per_phone: bool
    leave_out_landlines: bool
    zone_column: str
    profile: SegmentProfile


@dataclass(frozen=True, slots=True, repr=False)
class Numbered:
    """A row with its number in E.164, or why it has none."""

    row: Row
    number: str | Reason


@dataclass(frozen=True, slots=True, repr=False)
class Accepted:
    """A row that gets this text."""

    row: Row
    to: str
    text: str
    segments: int
    is_ucs2: bool
    missing: tuple[str, ...] = ()
    """The merge fields that had neither a value nor a fallback."""
    zone: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Rejected:
    """A row that gets none."""

    row: Row
    reason: Reason
    same_as_imis_id: str = ""
    """The member whose row stands for this one."""


Verdict = Accepted | Rejected


@dataclass(slots=True, repr=False)
class Seen:
    """What earlier rows have, as far as the rows in hand ask."""

    pairs: set[Pair] = field(default_factory=set)
    phones: dict[str, str] = field(default_factory=dict)
    """Numbers, each with the member of its first row."""


def terms_of(order: CampaignDue | AudiencePreviewRequested) -> Terms:
    """Read what was ordered; raises `Unusable` for what can't be."""
    try:
        template = Template.parse(order.template)
    except TemplateError as error:
        raise Unusable(f"The text can't be read. {error}") from None
    try:
        default_prefix(order.default_country)
    except ValueError:
        raise Unusable(
            f"The organisation's default country, {order.default_country}, is not one with phone "
            "numbers. Choose another in the settings."
        ) from None
    if not known_locale(order.locale):
        raise Unusable(
            f"The organisation's locale, {order.locale}, is not a known one. Choose another in "
            "the settings, such as en-US."
        )
    return Terms(
        template,
        order.default_country,
        order.one_text_per_phone,
        order.leave_out_landlines,
        order.audience.zone_column,
        profile_for(order.from_number),
    )


def numbered(rows: Iterable[Row], terms: Terms) -> list[Numbered]:
    """Find each row's number."""
    return [Numbered(row, _number(row, terms)) for row in rows]


def pairs_of(rows: Iterable[Numbered]) -> dict[Pair, int]:
    """Return each different member and number, with the number of its first row, in their order."""
    found: dict[Pair, int] = {}
    for each in rows:
        if not isinstance(each.number, Reason):
            found.setdefault((each.row.imis_id, each.number), each.row.number)
    return found


def judge(rows: Sequence[Numbered], terms: Terms, seen: Seen) -> list[Verdict]:
    """Decide on each row in its turn; `seen` takes in what they have."""
    return [_verdict(each, terms, seen) for each in rows]


def _number(row: Row, terms: Terms) -> str | Reason:
    if not row.imis_id or len(row.imis_id) > LONGEST_ID:
        return Reason.NO_MEMBER_ID
    if not row.phone or row.phone.isspace():
        return Reason.NO_NUMBER
    found = normalise(row.phone, default_country=terms.default_country)
    if not isinstance(found, PhoneNumber):
        return Reason.INVALID_NUMBER
    if terms.leave_out_landlines and is_fixed_line(found):
        return Reason.LANDLINE
    return found.e164


def _verdict(each: Numbered, terms: Terms, seen: Seen) -> Verdict:
    row, number = each.row, each.number
    if isinstance(number, Reason):
        return Rejected(row, number)
    pair, first = (row.imis_id, number), seen.phones.get(number)
    if pair in seen.pairs:
        return Rejected(row, Reason.REPEATED_ROW, row.imis_id)
    seen.pairs.add(pair)
    if first is None:
        seen.phones[number] = row.imis_id
    elif terms.one_text_per_phone:
        return Rejected(row, Reason.SHARED_PHONE, first)
    text, missing = terms.template.render(row.values)
    if not text or text.isspace():
        return Rejected(row, Reason.EMPTY_TEXT)
    if len(text) > LONGEST_TEXT:
        return Rejected(row, Reason.TEXT_TOO_LONG)
    size = count(text, profile=terms.profile)
    is_ucs2 = size.encoding is Encoding.UCS2
    return Accepted(row, number, text, size.segments, is_ucs2, missing, _zone(row, terms))


def _zone(row: Row, terms: Terms) -> str:
    if not terms.zone_column:
        return ""
    column = column_named(terms.zone_column, row.values)
    return "" if column is None else zone_of(row.values[column])
