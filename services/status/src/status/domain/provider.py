"""What Twilio's reports mean, and which of several is believed.

Twilio delivers reports in any order and more than once, so the belief is the highest of them by
rank and never the last to arrive: sent < failed < undelivered < delivered. The later a stage of
the text's way a report is about, the higher it ranks. So a first final status stays, whatever
repeats; only `delivered` is taken after `undelivered`, as a carrier may report a time-out and the
handset the text. https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.events.message import MessageStatus
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled

MEANINGS: Mapping[str, MessageStatus] = {
    "accepted": MessageStatus.SENT,
    "scheduled": MessageStatus.SENT,
    "queued": MessageStatus.SENT,
    "sending": MessageStatus.SENT,
    "sent": MessageStatus.SENT,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
    "undelivered": MessageStatus.UNDELIVERED,
    "delivered": MessageStatus.DELIVERED,
    "partially_delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
}
"""Each status that Twilio reports of an outbound text; any other is unmapped."""

_RANK = {
    MessageStatus.SENT: 1,
    MessageStatus.FAILED: 2,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.DELIVERED: 4,
}
NOT_FOUND = "not_found"
"""What we say of a SID that Twilio, when asked, doesn't know: it proves nothing about the text."""
OPTED_OUT = 21610
"""The code that says that the recipient opted out of the sending number at Twilio."""
INVALID_NUMBER = frozenset({21211, 21614})
"""The codes that say that the To number is not valid (TM-14)."""
NO_CODE = 0
_CODE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Callback:
    """One report as it came, before anybody knows whether it is this message's."""

    organization_id: UUID
    sid: str
    status: str
    code: int
    to: str
    from_number: str

    @classmethod
    def of(cls, event: TwilioCallbackReceived | TwilioStatusPolled) -> "Callback":
        """Take from the event what decides; an answer that we asked for quotes no numbers."""
        form = event.form if isinstance(event, TwilioCallbackReceived) else {}
        return cls(
            organization_id=event.organization_id,
            sid=event.message_sid,
            status=event.message_status,
            code=int(event.error_code) if _CODE.fullmatch(event.error_code) else NO_CODE,
            to=form.get("To", ""),
            from_number=form.get("From", ""),
        )

    @property
    def meaning(self) -> MessageStatus | None:
        """What staff see, or None for a status that this version doesn't know."""
        return MEANINGS.get(self.status)

    @property
    def order(self) -> tuple[str, ...]:
        """A fixed order, so that the same reports are kept alike however they arrive."""
        sender = (str(self.organization_id), self.from_number)
        return (self.sid, self.status, str(self.code), self.to, *sender)


@dataclass(frozen=True, slots=True)
class Report:
    """The highest report under one SID, and the statuses under it that nobody could map."""

    sid: str
    status: MessageStatus | None = None
    code: int = NO_CODE
    unmapped: tuple[str, ...] = ()

    @property
    def weight(self) -> tuple[int, int, str]:
        """What decides between reports; equal ones differ in nothing that is shown."""
        return (0 if self.status is None else _RANK[self.status], self.code, self.sid)

    @property
    def shown(self) -> MessageStatus | None:
        """What staff see: a failure because of the number is an error (TM-14)."""
        if self.status is MessageStatus.FAILED and self.code in INVALID_NUMBER:
            return MessageStatus.ERROR
        return self.status

    def with_callback(self, callback: Callback) -> "Report":
        """Take one more report under this SID; a repeat without its error code erases none."""
        if callback.meaning is None:
            return replace(self, unmapped=tuple(sorted({*self.unmapped, callback.status})))
        other = replace(self, status=callback.meaning, code=callback.code)
        return other if other.weight > self.weight else self
