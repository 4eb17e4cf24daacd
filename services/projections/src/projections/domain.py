"""How facts become rows, and rows become figures; pure.

A row takes facts in any order and any number of times and ends the same. The figures are never
counted by event: each change of a row takes away what the row was and adds what it is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from contracts.events.audience import Reason
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus, MessageStatusChanged
from readmodels.views import RowStatus

BAD_NUMBER = frozenset({Reason.NO_NUMBER, Reason.INVALID_NUMBER})
"""Left out because the To number is not valid: an error, as when Twilio says so (TM-14)."""
SENT = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED})
FAILED = frozenset({MessageStatus.FAILED, MessageStatus.ERROR})


class Omission(StrEnum):
    """Who left a row out."""

    REJECTED = "rejected"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Addressed:
    """A row is a text to be sent."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    recipient_id: UUID
    row: int
    imis_id: str
    to: str
    text: str
    segments: int
    mode: Mode
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row gets no text."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    recipient_id: UUID
    row: int
    imis_id: str
    by: Omission
    reason: Reason
    phone: str | None = None
    """The number as iMIS gave it; None when the row's own text says it."""


RowFact = Addressed | LeftOut | MessageStatusChanged


@dataclass(frozen=True, slots=True)
class Row:
    """What the figures depend on of one row."""

    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    addressed: bool = False
    left_out: Omission | None = None
    status: RowStatus | None = None
    status_sequence: int = 0
    segments: int = 0
    mode: Mode | None = None
    queued_at: datetime | None = None
    attempted_at: datetime | None = None
    status_at: datetime | None = None

    @property
    def day(self) -> date | None:
        """The UTC day on which the message counts: of its sending, else of its status."""
        moment = self.attempted_at or self.status_at
        if moment is None:
            return None
        return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).date()


def fold(row: Row | None, fact: RowFact) -> Row:
    """Take one fact; the very same row comes back when there is nothing new in it."""
    before = row or Row(fact.organization_id, fact.run_id, fact.campaign_id)
    match fact:
        case Addressed():
            return _address(before, fact)
        case LeftOut():
            return _leave_out(before, fact)
        case MessageStatusChanged():
            return _change_status(before, fact)
        case _:
            assert_never(fact)


def _address(row: Row, fact: Addressed) -> Row:
    if row.addressed and (fact.queued_at is None or row.queued_at is not None):
        return row
    return replace(
        row,
        addressed=True,
        status=row.status or RowStatus.PREPARING,
        segments=row.segments if row.status_sequence else fact.segments,
        mode=row.mode or fact.mode,
        queued_at=row.queued_at or fact.queued_at,
    )


def _leave_out(row: Row, fact: LeftOut) -> Row:
    if row.left_out is not None:
        return row
    status = RowStatus.ERROR if fact.reason in BAD_NUMBER else RowStatus.EXCLUDED
    return replace(row, left_out=fact.by, status=row.status if row.status_sequence else status)


def _change_status(row: Row, fact: MessageStatusChanged) -> Row:
    if fact.sequence <= row.status_sequence:
        return row
    return replace(
        row,
        status=RowStatus(fact.status),
        status_sequence=fact.sequence,
        segments=fact.segments,
        mode=fact.mode,
        attempted_at=fact.attempted_at,
        status_at=fact.occurred_at,
    )


DAY_FIGURES = (
    "sent_messages",
    "sent_segments",
    "failed_messages",
    "unknown_messages",
    "simulated_messages",
)
_FIGURE: Mapping[RowStatus, str] = MappingProxyType(
    {RowStatus(status): "sent_messages" for status in SENT}
    | {RowStatus(status): "failed_messages" for status in FAILED}
    | {RowStatus.UNKNOWN: "unknown_messages", RowStatus.SIMULATED: "simulated_messages"}
)


@dataclass(slots=True)
class Figures:
    """What to add to the figures, possibly less than nothing."""

    owners: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    """Each run's organisation and campaign."""
    messages: Counter[tuple[UUID, RowStatus]] = field(default_factory=Counter)
    """By run and status."""
    segments: Counter[tuple[UUID, RowStatus]] = field(default_factory=Counter)
    days: Counter[tuple[UUID, date, str]] = field(default_factory=Counter)
    """By organisation, UTC day and figure."""
    runs: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    """By run and figure."""

    def move(self, before: Row | None, after: Row) -> None:
        """Take away what a row was, add what it is."""
        nothing = Row(after.organization_id, after.run_id, after.campaign_id)
        was = before or nothing
        self.owners[after.run_id] = after.organization_id, after.campaign_id
        if (was.status, was.segments) != (after.status, after.segments):
            self._count_status(was, -1)
            self._count_status(after, 1)
        if (was.addressed, was.left_out, was.segments) != (
            after.addressed,
            after.left_out,
            after.segments,
        ):
            self._count_run(was, -1)
            self._count_run(after, 1)
        self._count_day(was, -1)
        self._count_day(after, 1)

    def _count_status(self, row: Row, sign: int) -> None:
        if row.status is not None:
            state = (row.run_id, row.status)
            self.messages[state] += sign
            self.segments[state] += sign * row.segments

    def _count_run(self, row: Row, sign: int) -> None:
        self.runs[row.run_id, "segments"] += sign * row.segments
        if row.addressed:
            self.runs[row.run_id, "recipients"] += sign
        if row.left_out is not None:
            self.runs[row.run_id, row.left_out] += sign

    def _count_day(self, row: Row, sign: int) -> None:
        """Count what Twilio, or a TEST in its stead, was asked to send; nothing else is a text."""
        figure = _FIGURE.get(row.status) if row.status and row.status_sequence else None
        day = row.day
        if figure is None or day is None:
            return
        self.days[row.organization_id, day, figure] += sign
        if figure == "sent_messages":
            self.days[row.organization_id, day, "sent_segments"] += sign * row.segments
