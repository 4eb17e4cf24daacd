"""A message from the sender's ledger to its final status."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.events.audience import Reason
from contracts.events.base import Event, Value
from contracts.events.campaign import Mode, Purpose, WriteTo
from contracts.personal import Personal


class MessageStatus(StrEnum):
    """What staff see of a message (TM-14)."""

    PREPARING = "preparing"
    HELD = "held"
    """It waits for the morning at the member's place (X-4)."""
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    ERROR = "error"
    SIMULATED = "simulated"
    UNKNOWN = "unknown"


class MessageFact(Event):
    """A fact about one message."""

    run_id: UUID
    campaign_id: UUID
    message_id: UUID

    @property
    def subject(self) -> UUID:
        """The message."""
        return self.message_id


class MessageQueued(MessageFact):
    """The sender's ledger holds the message; it will be sent once, or say why not."""

    topic: ClassVar[str] = "message.queued"
    source: ClassVar[str] = "sender"

    type: Literal["message.queued.v1"] = "message.queued.v1"
    recipient_id: UUID
    row: int
    imis_id: str
    to: Personal[str]
    from_number: str
    text: Personal[str]
    segments: int
    mode: Mode
    write_to: WriteTo
    supersedes: UUID | None = None
    """The message of an earlier run that this one stands in for (X-2)."""
    log_subject: str = ""
    urgent: bool = False


class MessageHeld(MessageFact):
    """The message waits for the end of the member's quiet hours; it is not lost."""

    topic: ClassVar[str] = "message.held"
    source: ClassVar[str] = "sender"

    type: Literal["message.held.v1"] = "message.held.v1"
    until: AwareDatetime
    place: str
    """By which rule, such as `US-FL America/New_York`."""


class RecipientExcluded(MessageFact):
    """The sender left a recipient out, and why."""

    topic: ClassVar[str] = "recipient.excluded"
    source: ClassVar[str] = "sender"

    type: Literal["recipient.excluded.v1"] = "recipient.excluded.v1"
    recipient_id: UUID
    row: int
    imis_id: str
    reason: Reason
    to: Personal[str] = ""
    from_number: str = ""
    mode: Mode = Mode.LIVE
    write_to: WriteTo = WriteTo.NOTHING


class Accepted(Value):
    """Twilio took the message under this SID."""

    kind: Literal["accepted"] = "accepted"
    sid: str


class Refused(Value):
    """Twilio refused the message at once: nothing was sent, nothing is charged."""

    kind: Literal["refused"] = "refused"
    code: int
    invalid_number: bool = False


class Simulated(Value):
    """The campaign is a TEST: nothing left the house."""

    kind: Literal["simulated"] = "simulated"


class Unresolved(Value):
    """Nobody can tell whether Twilio took it; it is never sent again on a guess."""

    kind: Literal["unresolved"] = "unresolved"
    reason: str


Outcome = Annotated[Accepted | Refused | Simulated | Unresolved, Field(discriminator="kind")]


class MessageSubmitted(MessageFact):
    """Twilio answered our request, or can't be made to; nobody knows yet if the text arrives."""

    topic: ClassVar[str] = "message.submitted"
    source: ClassVar[str] = "sender"

    type: Literal["message.submitted.v1"] = "message.submitted.v1"
    outcome: Outcome
    segments: int
    attempted_at: AwareDatetime


class MessageStatusChanged(MessageFact):
    """The message's status is now this one."""

    topic: ClassVar[str] = "message.status-changed"
    source: ClassVar[str] = "status"

    type: Literal["message.status-changed.v1"] = "message.status-changed.v1"
    status: MessageStatus
    error_code: int | None = None
    sid: str | None = None
    segments: int
    mode: Mode
    attempted_at: AwareDatetime | None = None
    to: Personal[str | None] = None
    """Told where the status says something of the number itself: it has opted out."""
    from_number: str = ""


class Resolution(StrEnum):
    """What an operator found out about a message of which nobody knew whether it was sent."""

    SENT = "sent"
    """Twilio has it, under a SID."""
    SEND_AGAIN = "send_again"
    """Twilio never took it: it may be sent."""
    GIVEN_UP = "given_up"
    """It is left as it is, and not sent."""


class MessageResolutionDecided(MessageFact):
    """An operator said what became of an unknown message (X-10)."""

    topic: ClassVar[str] = "message.decisions"
    source: ClassVar[str] = "gateway"

    type: Literal["message.resolution-decided.v1"] = "message.resolution-decided.v1"
    resolution: Resolution
    sid: str | None = None
    by: str
    reason: str = ""


class SingleText(MessageFact):
    """One text that belongs to no campaign; it is a run of one message, under ids of its own."""

    recipient_id: UUID
    to: Personal[str]
    from_number: str
    text: Personal[str]
    segments: int = Field(ge=1)
    imis_id: str = ""
    mode: Mode = Mode.LIVE
    write_to: WriteTo = WriteTo.NOTHING
    log_subject: str = ""
    by: str = ""


class MessageRequested(SingleText):
    """Staff want one text sent at once, before any campaign's (X-8, X-13)."""

    topic: ClassVar[str] = "message.requested"
    source: ClassVar[str] = "gateway"

    type: Literal["message.requested.v1"] = "message.requested.v1"
    purpose: Purpose = Purpose.INFORMATIONAL


class ReplyPurpose(StrEnum):
    """What a text of ours answers."""

    OPTED_OUT = "opted_out"
    """It confirms an opt-out: the one text that may go to a number that has opted out."""
    OPTED_IN = "opted_in"
    HELP = "help"


class ReplyRequested(SingleText):
    """A member's text is to be answered, where Twilio doesn't answer it itself (TM-20)."""

    topic: ClassVar[str] = "reply.requested"
    source: ClassVar[str] = "consent"

    type: Literal["reply.requested.v1"] = "reply.requested.v1"
    purpose: ReplyPurpose
    inbound_sid: str
