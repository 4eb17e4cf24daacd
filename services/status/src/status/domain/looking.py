"""When Twilio is asked about a message whose end nobody reported, and what an answer adds.

Reports are best-effort, so one that is lost must not leave a message without its end:
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events.campaign import Mode
from contracts.events.provider import TwilioStatusPolled
from status.domain.folding import fold
from status.domain.message import FINAL, Message, view
from status.domain.provider import MEANINGS


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after sending the first question comes, and how the next ones thin out."""

    first: timedelta
    longest: timedelta
    give_up: timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """What Twilio says of a SID when it is asked."""

    sid: str
    status: str
    error_code: str = ""

    @property
    def told(self) -> str:
        """One short word for the whole answer."""
        return f"{self.status}:{self.error_code}"


def first_look(message: Message, patience: Patience) -> datetime | None:
    """Say when a message is asked for first; None when there is nothing to ask."""
    queued, submission = message.queued, message.submission
    if queued is None or queued.mode is not Mode.LIVE or message.sid is None or submission is None:
        return None
    known = view(message)
    if known is None or known.status in FINAL:
        return None
    return submission.attempted_at + patience.first


def next_look(
    *, sent_at: datetime, looks: int, at: datetime, patience: Patience
) -> datetime | None:
    """Say when to ask again after so many looks: ever later, and for the last time at the end."""
    end = sent_at + patience.give_up
    if at >= end:
        return None
    # Seventy doublings exceed any patience; more would exceed what a timedelta holds.
    wait = min(patience.first.total_seconds() * 2.0 ** min(looks, 70), 1e9)
    return min(at + min(timedelta(seconds=wait), patience.longest), end)


def news(
    message_id: UUID, message: Message, answer: Answer, *, looks: int, at: datetime
) -> TwilioStatusPolled | None:
    """Return the event that tells an answer, unless it would change nothing."""
    queued = message.queued
    if queued is None:
        return None
    event = TwilioStatusPolled(
        organization_id=queued.organization_id,
        occurred_at=at,
        sequence=looks,
        message_id=message_id,
        message_sid=answer.sid,
        message_status=answer.status,
        error_code=answer.error_code,
    )
    after = fold(message, event)
    if answer.status in MEANINGS:
        return event if view(after) != view(message) else None
    return event if after is not message else None
