"""One row of a run: it takes facts in any order, any number of times, and ends the same.

A row is changed in place, as a batch has thousands of facts; time is kept in microseconds since
1970, as the tables have it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts import ids
from contracts.events.audience import Reason, Recipient, RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import Mode
from contracts.events.message import (
    MessageQueued,
    MessageRequested,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    ReplyRequested,
    SingleText,
    Unresolved,
)
from readmodels.views import RowStatus

ONLY_ROW = 1
"""The number of the row of a run of one message."""
BAD_NUMBER = frozenset({Reason.NO_NUMBER, Reason.INVALID_NUMBER})
"""Left out because the To number is not valid: an error, as when Twilio says so (TM-14)."""
UNDECIDED = frozenset({None, MessageStatus.PREPARING, MessageStatus.HELD, MessageStatus.UNKNOWN})
"""What was told of a text that may still turn out to be left out: nobody saw it leave."""
_SHOWN: Mapping[str, RowStatus] = MappingProxyType(
    {each.value: RowStatus(each.value) for each in MessageStatus}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Omission(StrEnum):
    """Who left a row out."""

    REJECTED = "rejected"
    EXCLUDED = "excluded"


def micros(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


@dataclass(slots=True)
class Row:
    """What facts told of one row; None where none said it."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    recipient_id: UUID | None = None
    row: int | None = None
    imis_id: str | None = None
    to: str | None = None
    text: str | None = None
    same_as_imis_id: str | None = None
    supersedes: UUID | None = None
    addressed: int = 0
    """1 once the text itself is known; a status may arrive before it."""
    left_out: str | None = None
    left_out_sequence: int = 0
    reason: str | None = None
    told: str | None = None
    status_sequence: int = 0
    status_at: int | None = None
    error_code: int | None = None
    sid: str | None = None
    segments: int = 0
    mode: Mode | None = None
    queued_at: int | None = None
    attempted_at: int | None = None
    doubt: str | None = None
    doubt_sequence: int = 0
    changed: bool = False
    """Whether anything is new since the row was read."""

    @property
    def status(self) -> RowStatus | None:
        """What staff see: what was told of the text, unless it was left out in the meantime."""
        if self.left_out is not None and self.told in UNDECIDED:
            return RowStatus.ERROR if self.reason in BAD_NUMBER else RowStatus.EXCLUDED
        if self.told is not None:
            return _SHOWN[self.told]
        return RowStatus.PREPARING if self.addressed else None

    def address(
        self,
        fact: Recipient | MessageQueued | SingleText,
        *,
        row: int,
        mode: Mode,
        queued_at: int | None,
        supersedes: UUID | None = None,
    ) -> None:
        """Learn that the row is a text to be sent."""
        if self.addressed and (queued_at is None or self.queued_at is not None):
            return
        self.changed = True
        self.addressed = 1
        self.recipient_id = fact.recipient_id
        self.row = row
        self.imis_id = fact.imis_id
        self.to = fact.to
        self.text = fact.text
        if supersedes is not None:
            self.supersedes = supersedes
        if not self.status_sequence:
            self.segments = fact.segments
        if self.mode is None:
            self.mode = mode
        if self.queued_at is None:
            self.queued_at = queued_at

    def leave_out(
        self, fact: RecipientRejected | RecipientExcluded, by: Omission, phone: str | None
    ) -> None:
        """Learn that the row gets no text; the newest reason stays."""
        if self.left_out is not None and fact.sequence <= self.left_out_sequence:
            return
        self.changed = True
        self.left_out = by.value
        self.left_out_sequence = fact.sequence
        self.reason = fact.reason.value
        self.recipient_id = fact.recipient_id
        self.row = fact.row
        self.imis_id = fact.imis_id
        if phone is not None:
            self.to = phone

    def tell(self, fact: MessageStatusChanged) -> None:
        """Learn a status; what is not newer changes nothing."""
        if fact.sequence <= self.status_sequence:
            return
        self.changed = True
        self.told = fact.status.value
        self.status_sequence = fact.sequence
        self.status_at = micros(fact.occurred_at)
        self.error_code = fact.error_code
        self.sid = fact.sid
        self.segments = fact.segments
        self.mode = fact.mode
        self.attempted_at = None if fact.attempted_at is None else micros(fact.attempted_at)

    def doubted(self, doubt: str, sequence: int) -> None:
        """Learn why nobody can tell what became of the text."""
        if sequence > self.doubt_sequence:
            self.changed = True
            self.doubt, self.doubt_sequence = doubt, sequence


class Rows:
    """The rows that a batch is about, by message."""

    def __init__(self) -> None:
        self.by_message: dict[UUID, Row] = {}

    def of(self, message_id: UUID, fact: Any) -> Row:
        """Return the message's row, a new one if it is not there yet."""
        found = self.by_message.get(message_id)
        if found is None:
            found = Row(message_id, fact.organization_id, fact.run_id, fact.campaign_id)
            self.by_message[message_id] = found
        return found

    def take(self, event: Event) -> None:
        """Let the rows that an event is about learn what it says."""
        _TAKES[type(event)](self, event)


def messages_of(event: Event) -> tuple[UUID, ...]:
    """Return the messages whose rows an event is about."""
    match event:
        case RecipientsResolved():
            return tuple(each.message_id for each in event.recipients)
        case RecipientRejected():
            return (ids.message_id(event.recipient_id),)
        case MessageSubmitted():
            # All else that an answer says is told by the status.
            return (event.message_id,) if type(event.outcome) is Unresolved else ()
    return (event.subject,)


def _page(rows: Rows, page: RecipientsResolved) -> None:
    for each in page.recipients:
        rows.of(each.message_id, page).address(each, row=each.row, mode=page.mode, queued_at=None)


def _queued(rows: Rows, event: MessageQueued) -> None:
    rows.of(event.message_id, event).address(
        event,
        row=event.row,
        mode=event.mode,
        queued_at=micros(event.occurred_at),
        supersedes=event.supersedes,
    )


def _single(rows: Rows, event: SingleText) -> None:
    row = rows.of(event.message_id, event)
    row.address(event, row=ONLY_ROW, mode=event.mode, queued_at=None)


def _rejected(rows: Rows, event: RecipientRejected) -> None:
    # It is shown under the message that it would have been.
    row = rows.of(ids.message_id(event.recipient_id), event)
    row.leave_out(event, Omission.REJECTED, event.phone)
    if event.same_as_imis_id:
        row.same_as_imis_id, row.changed = event.same_as_imis_id, True


def _excluded(rows: Rows, event: RecipientExcluded) -> None:
    rows.of(event.message_id, event).leave_out(event, Omission.EXCLUDED, None)


def _submitted(rows: Rows, event: MessageSubmitted) -> None:
    if isinstance(event.outcome, Unresolved):
        rows.of(event.message_id, event).doubted(event.outcome.reason, event.sequence)


def _told(rows: Rows, event: MessageStatusChanged) -> None:
    rows.of(event.message_id, event).tell(event)


_TAKES: Mapping[type[Event], Callable[[Rows, Any], None]] = MappingProxyType(
    {
        RecipientsResolved: _page,
        MessageRequested: _single,
        ReplyRequested: _single,
        RecipientRejected: _rejected,
        RecipientExcluded: _excluded,
        MessageQueued: _queued,
        MessageSubmitted: _submitted,
        MessageStatusChanged: _told,
    }
)
ROW_EVENTS = frozenset(_TAKES)
"""The types that say something about rows."""
