"""What Twilio told us, kept raw before anything is made of it."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.events.base import Event
from contracts.ids import callback_id, inbound_id
from contracts.personal import Personal


class TwilioCallbackReceived(Event):
    """Twilio reported a message's status; the signature proves the account, not the message."""

    topic: ClassVar[str] = "twilio.callbacks"
    source: ClassVar[str] = "ingress"

    type: Literal["twilio.callback-received.v1"] = "twilio.callback-received.v1"
    message_id: UUID | None = None
    """The message that the callback's address names; it is signed along."""
    account_sid: str
    message_sid: str
    message_status: str
    error_code: str = ""
    form: Personal[dict[str, str]]

    @property
    def subject(self) -> UUID:
        """The message if the address named one, else the fact itself."""
        return self.message_id or self.derived_id

    @property
    def derived_id(self) -> UUID:
        """The event's id: the same fact told again is the same event."""
        return callback_id(self.message_sid, self.message_status, self.error_code)


class TwilioStatusPolled(Event):
    """We asked Twilio for a message's status, because no report of its end had come (X-1)."""

    topic: ClassVar[str] = "twilio.polled"
    source: ClassVar[str] = "status"

    type: Literal["twilio.status-polled.v1"] = "twilio.status-polled.v1"
    message_id: UUID
    message_sid: str
    message_status: str
    """Twilio's word; `not_found` when it knows no such message."""
    error_code: str = ""

    @property
    def subject(self) -> UUID:
        """The message."""
        return self.message_id


class TwilioMessageReceived(Event):
    """A member texted one of our numbers."""

    topic: ClassVar[str] = "twilio.inbound"
    source: ClassVar[str] = "ingress"

    type: Literal["twilio.message-received.v1"] = "twilio.message-received.v1"
    account_sid: str
    message_sid: str
    form: Personal[dict[str, str]]

    @property
    def subject(self) -> UUID:
        """The text."""
        return self.derived_id

    @property
    def derived_id(self) -> UUID:
        """The event's id: the same text told again is the same event."""
        return inbound_id(self.message_sid)
