"""A pair of numbers and the decisions about it.

What a pair's history adds up to depends on when things were said and never on when we heard of
them, so that an old START that comes late, or again, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events.consent import Consent, ConsentCause, ConsentChanged
from contracts.events.message import MessageStatusChanged
from contracts.events.provider import TwilioMessageReceived

OPTED_OUT_AT_TWILIO = 21610
_REST_OF_THE_SECOND = timedelta(microseconds=999_999)


@dataclass(frozen=True, slots=True)
class Pair:
    """A mobile number and a number that texts it; an empty one: all of the organisation's."""

    consent_id: UUID
    organization_id: UUID
    number: str
    from_number: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody's word about a pair; `fact_id` is the text, or the refused message, that said it."""

    pair: Pair
    fact_id: UUID
    at: datetime
    consent: Consent
    cause: ConsentCause
    word: str = ""
    by: str = ""

    @property
    def rank(self) -> tuple[datetime, bool, UUID]:
        """What makes one decision newer than another; of two at one time the STOP counts."""
        return self.at, self.consent is Consent.OPTED_OUT, self.fact_id


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a pair stands; who never said anything hasn't opted out."""

    pair: Pair
    consent: Consent = Consent.OPTED_IN
    sequence: int = 0


def merged(known: Decision | None, told: Decision) -> Decision:
    """Take one fact told twice: it was said when the earlier of the tellings says."""
    if known is None:
        return told
    return replace(known, at=min(known.at, told.at))


def newest(decisions: Iterable[Decision]) -> Decision:
    """Return the decision that counts, in whatever order they come."""
    return max(decisions, key=lambda decision: decision.rank)


def advance(standing: Standing, decision: Decision) -> tuple[Standing, ConsentChanged | None]:
    """Let a pair's newest decision count; what changes nothing makes no event."""
    if decision.consent is standing.consent:
        return standing, None
    after = replace(standing, consent=decision.consent, sequence=standing.sequence + 1)
    pair = standing.pair
    return after, ConsentChanged(
        organization_id=pair.organization_id,
        occurred_at=decision.at,
        sequence=after.sequence,
        consent_id=pair.consent_id,
        number=pair.number,
        from_number=pair.from_number,
        consent=decision.consent,
        cause=decision.cause,
        word=decision.word,
        by=decision.by,
    )


def steps(counts: Decision, refused: Decision | None) -> list[Decision]:
    """Return what to tell of a pair whose newest decision is this one.

    A refusal that we hear of only after the START that undid it is told all the same, before the
    START: who was refused has stopped by itself, and would never hear that it may go on.
    """
    if refused is not None and counts.consent is Consent.OPTED_IN and refused.rank < counts.rank:
        return [refused, counts]
    return [counts]


def said_at(text: TwilioMessageReceived, consent: Consent) -> datetime:
    """Return when a text counts as said.

    Twilio's list tells whole seconds (`DateCreated` stands in the form of a text that was found
    there), so a STOP from it may have been said up to the second's end, and counts from then:
    a START within the same second must not undo it.
    """
    if consent is Consent.OPTED_OUT and text.form.get("DateCreated"):
        return text.occurred_at + _REST_OF_THE_SECOND
    return text.occurred_at


def is_opt_out_refusal(event: MessageStatusChanged) -> bool:
    """Whether Twilio refused the message because the member had opted out there."""
    return event.error_code == OPTED_OUT_AT_TWILIO and bool(event.to) and bool(event.from_number)
