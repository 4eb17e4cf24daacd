"""Who may be texted, by which number; the newest of each is what counts (TM-20, X-3)."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.events.base import Event, Value
from contracts.personal import Personal


class Consent(StrEnum):
    """Whether a mobile number may be texted."""

    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"


class ConsentCause(StrEnum):
    """How we learned of it."""

    KEYWORD = "keyword"
    """The member texted a word such as STOP or START."""
    PROVIDER = "provider"
    """Twilio refused a text because the member had opted out there (21610)."""
    STAFF = "staff"
    IMPORT = "import"


class ConsentChanged(Event):
    """A mobile number opted out of a sending number's texts, or in again."""

    topic: ClassVar[str] = "consent.changed"
    source: ClassVar[str] = "consent"

    type: Literal["consent.changed.v1"] = "consent.changed.v1"
    consent_id: UUID
    """Derived from an HMAC of the two numbers: no phone number goes into an id."""
    number: Personal[str]
    from_number: str = ""
    """The sending number that it is about; empty: all of the organisation's."""
    consent: Consent
    cause: ConsentCause
    word: str = ""
    by: str = ""
    """The inbound text's SID, the refused message's id, or the iMIS login of who did it."""

    @property
    def subject(self) -> UUID:
        """The pair of numbers."""
        return self.consent_id


class ReviewStatus(StrEnum):
    """Whether a person has read the text, and what it meant."""

    OPEN = "open"
    OPTED_OUT = "opted_out"
    """It was a wish to be left alone."""
    DISMISSED = "dismissed"


class ReviewChanged(Event):
    """A member's free text may be a wish to be left alone: a person decides (TM-20)."""

    topic: ClassVar[str] = "consent.reviews"
    source: ClassVar[str] = "consent"

    type: Literal["consent.review-changed.v1"] = "consent.review-changed.v1"
    review_id: UUID
    """The inbound text's derived id."""
    number: Personal[str]
    from_number: str
    text: Personal[str]
    received_at: AwareDatetime
    status: ReviewStatus
    by: str = ""

    @property
    def subject(self) -> UUID:
        """The text."""
        return self.review_id


class ConsentDecided(Event):
    """Staff opt a number out, or in again."""

    topic: ClassVar[str] = "consent.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["consent.decided.v1"] = "consent.decided.v1"
    decision_id: UUID
    number: Personal[str]
    from_number: str = ""
    """The sending number that it is about; empty: all of the organisation's."""
    consent: Consent
    by: str
    note: str = ""

    @property
    def subject(self) -> UUID:
        """The decision."""
        return self.decision_id


class ReviewDecided(Event):
    """Staff read a free text and say what it meant."""

    topic: ClassVar[str] = "consent.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["consent.review-decided.v1"] = "consent.review-decided.v1"
    review_id: UUID
    status: ReviewStatus
    by: str

    @property
    def subject(self) -> UUID:
        """The text."""
        return self.review_id


class ImportedOptOut(Value):
    """One line of an imported list."""

    number: Personal[str]
    from_number: str = ""
    since: AwareDatetime | None = None


class OptOutsImported(Event):
    """A part of a list of numbers that have opted out, from an older system (TM-20)."""

    topic: ClassVar[str] = "consent.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["consent.opt-outs-imported.v1"] = "consent.opt-outs-imported.v1"
    import_id: UUID
    part: int
    entries: tuple[ImportedOptOut, ...]
    by: str

    @property
    def subject(self) -> UUID:
        """The import."""
        return self.import_id
