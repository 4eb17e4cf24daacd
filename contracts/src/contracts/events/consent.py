"""Who may be texted, by which number; the newest of each is what counts (TM-20, X-3)."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from contracts.events.base import Event
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
