"""Who gets which text, and who gets none and why.

The rules, in this order; the first that applies decides:

    no_member_id     the row has no iMIS id
    no_number        its phone is empty
    invalid_number   its phone is no number that could be texted
    repeated_row     an earlier row has this member and this number, whatever else it says
    shared_phone     (one text a phone) an earlier row has this number, whoever's it is
    empty_text       the merged text is blank
    text_too_long    the merged text is over 1,600 characters, which Twilio refuses

"Earlier" goes by the row's number, and an earlier row counts even if it gets no text itself: the
first row speaks for the member or the phone. Without one text a phone, two members who share one
are two texts, and a member with two phones gets two as well. A merge value that is missing or
blank merges as empty text, unless the template has a fallback for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audience.domain.failures import Unusable
from audience.domain.rows import Row
from contracts.events.audience import AudiencePreviewRequested, Reason
from contracts.events.campaign import CampaignDue
from texting.phones import PhoneNumber, default_prefix, normalise, profile_for
from texting.segments import Encoding, SegmentProfile, count
from texting.template import Template, TemplateError

LONGEST_TEXT = 1600

Pair = tuple[str, str]
"""A member's iMIS id and a number in E.164."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to every row of a run or a preview."""

    template: Template
    default_country: str
    one_text_per_phone: bool
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
    lacks_values: bool


@dataclass(frozen=True, slots=True, repr=False)
class Rejected:
    """A row that gets none."""

    row: Row
    reason: Reason


Verdict = Accepted | Rejected


@dataclass(slots=True, repr=False)
class Seen:
    """What earlier rows have, as far as the rows in hand ask."""

    pairs: set[Pair] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)


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
    return Terms(
        template,
        order.default_country,
        order.one_text_per_phone,
        profile_for(order.from_number),
    )


def numbered(rows: Iterable[Row], terms: Terms) -> list[Numbered]:
    """Find each row's number."""
    return [Numbered(row, _number(row, terms.default_country)) for row in rows]


def pairs_of(rows: Iterable[Numbered]) -> list[Pair]:
    """Return each different member and number once, in the order of the rows."""
    return list(
        dict.fromkeys(
            (each.row.imis_id, each.number) for each in rows if not isinstance(each.number, Reason)
        )
    )


def judge(rows: Sequence[Numbered], terms: Terms, seen: Seen) -> list[Verdict]:
    """Decide on each row in its turn; `seen` takes in what they have."""
    return [_verdict(each, terms, seen) for each in rows]


def _number(row: Row, default_country: str) -> str | Reason:
    if not row.imis_id:
        return Reason.NO_MEMBER_ID
    if not row.phone or row.phone.isspace():
        return Reason.NO_NUMBER
    found = normalise(row.phone, default_country=default_country)
    return found.e164 if isinstance(found, PhoneNumber) else Reason.INVALID_NUMBER


def _verdict(each: Numbered, terms: Terms, seen: Seen) -> Verdict:
    row, number = each.row, each.number
    if isinstance(number, Reason):
        return Rejected(row, number)
    pair, is_shared = (row.imis_id, number), number in seen.phones
    if pair in seen.pairs:
        return Rejected(row, Reason.REPEATED_ROW)
    seen.pairs.add(pair)
    seen.phones.add(number)
    if is_shared and terms.one_text_per_phone:
        return Rejected(row, Reason.SHARED_PHONE)
    text, missing = terms.template.render(row.values)
    if not text or text.isspace():
        return Rejected(row, Reason.EMPTY_TEXT)
    if len(text) > LONGEST_TEXT:
        return Rejected(row, Reason.TEXT_TOO_LONG)
    size = count(text, profile=terms.profile)
    is_ucs2 = size.encoding is Encoding.UCS2
    return Accepted(row, number, text, size.segments, is_ucs2, bool(missing))
