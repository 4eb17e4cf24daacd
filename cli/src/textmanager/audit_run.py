"""What became of each row of one run, read from the log."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    SingleText,
)
from contracts.events.run import RunAlarmRaised, RunCompleted, RunFailed, RunHeld, RunResent
from textmanager.errors import UserError
from textmanager.eventlog import Logged, read_log

TOPICS = (
    "campaign.due",
    "recipients.resolved",
    "recipient.rejected",
    "run.resent",
    "message.requested",
    "reply.requested",
    "run.held",
    "message.queued",
    "recipient.excluded",
    "message.submitted",
    "message.status-changed",
    "activity.written",
    "run.lifecycle",
)
Read = Callable[..., AsyncIterator[Logged]]


@dataclass(slots=True)
class RowFate:
    """What became of one row that the IQA returned."""

    row: int
    imis_id: str
    message_id: str | None = None
    status: str = "preparing"
    status_sequence: int = 0
    left_out: str | None = None
    error_code: int | None = None
    activity: str | None = None


@dataclass(slots=True)
class RunStory:
    """One run, as the log tells it."""

    run_id: UUID
    name: str = ""
    occurrence: str = ""
    mode: str = ""
    due_at: datetime | None = None
    rows_returned: int | None = None
    rows: dict[int, RowFate] = field(default_factory=dict)
    first_accepted: datetime | None = None
    last_accepted: datetime | None = None
    segments: int = 0
    end: str = "under way"
    alarms: list[str] = field(default_factory=list)
    earlier_run: str | None = None
    later_runs: list[str] = field(default_factory=list)
    _early: dict[UUID, list[Event]] = field(default_factory=dict)
    _row_of: dict[UUID, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take in one event of the run, in any order."""
        match event:
            case CampaignDue():
                self.name, self.occurrence = event.name, event.occurrence
                self.mode, self.due_at = str(event.mode), event.due_at
            case RecipientsResolved():
                if event.totals is not None:
                    self.rows_returned = event.totals.rows
                for each in event.recipients:
                    self._know(each.row, each.imis_id, each.message_id)
            case RecipientRejected():
                self._know(event.row, event.imis_id, None).left_out = str(event.reason)
            case RunResent():
                self._resent(event)
            case SingleText():
                self.name, self.mode, self.rows_returned = event.type, str(event.mode), 1
                self._know(1, event.imis_id, event.message_id)
            case RunCompleted():
                self.end = "completed"
            case RunFailed():
                self.end = f"failed: {event.reason}"
            case RunAlarmRaised():
                self.alarms.append(f"{event.alarm}: {event.detail}")
            case RunHeld():
                self.alarms.append(f"{event.held_by}: {event.messages} texts")
            case _:
                self._of_message(event)

    def _resent(self, event: RunResent) -> None:
        if event.run_id == self.run_id:
            self.earlier_run = str(event.earlier_run_id)
            self.rows_returned, self.mode = event.recipients, str(event.mode)
        elif str(event.run_id) not in self.later_runs:
            self.later_runs.append(str(event.run_id))

    def _know(self, row: int, imis_id: str, message_id: UUID | None) -> RowFate:
        fate = self.rows.setdefault(row, RowFate(row, imis_id))
        if message_id is not None:
            fate.message_id = str(message_id)
            self._row_of[message_id] = row
            for event in self._early.pop(message_id, []):
                self._of_message(event)
        return fate

    def _of_message(self, event: Event) -> None:
        match event:
            case MessageQueued():
                self._know(event.row, event.imis_id, event.message_id)
            case RecipientExcluded():
                fate = self._know(event.row, event.imis_id, event.message_id)
                fate.left_out = str(event.reason)
            case (
                MessageSubmitted() | MessageStatusChanged() | ActivityWritten() | ActivityRefused()
            ):
                row = self._row_of.get(event.message_id)
                if row is None:
                    self._early.setdefault(event.message_id, []).append(event)
                else:
                    self._note(self.rows[row], event)
            case _:
                pass

    def _note(self, fate: RowFate, event: Event) -> None:
        match event:
            case MessageSubmitted(outcome=Accepted()):
                at = event.attempted_at
                self.segments += event.segments
                self.first_accepted = min(self.first_accepted or at, at)
                self.last_accepted = max(self.last_accepted or at, at)
            case MessageStatusChanged() if event.sequence > fate.status_sequence:
                fate.status, fate.status_sequence = str(event.status), event.sequence
                fate.error_code = event.error_code
            case ActivityWritten():
                fate.activity = "written"
            case ActivityRefused():
                fate.activity = fate.activity or "refused"
            case _:
                pass

    def counts(self) -> dict[str, Any]:
        """Return the run in figures; the rows of `accounted` are those that the IQA returned."""
        rows = self.rows.values()
        sent = [each for each in rows if each.left_out is None]
        return {
            "rows_returned": self.rows_returned,
            "accounted": len(self.rows),
            "messages": len(sent),
            "statuses": dict(sorted(Counter(each.status for each in sent).items())),
            "left_out": dict(sorted(Counter(e.left_out for e in rows if e.left_out).items())),
            "errors": dict(sorted(Counter(e.error_code for e in sent if e.error_code).items())),
            "activities": dict(sorted(Counter(e.activity for e in rows if e.activity).items())),
            "segments_accepted": self.segments,
        }


async def story(kafka_url: str, run_id: UUID, *, read: Read = read_log) -> RunStory:
    """Read the log for one run."""
    told = RunStory(run_id)
    seen: set[UUID] = set()
    async for logged in read(kafka_url, TOPICS):
        event = logged.event
        concerns = getattr(event, "run_id", None) == run_id or (
            isinstance(event, RunResent) and event.earlier_run_id == run_id
        )
        if concerns and logged.envelope.id not in seen:
            seen.add(logged.envelope.id)
            told.take(event)
    if not seen:
        raise UserError(f"The log has no run {run_id}: check the id.")
    return told


def fate_of(row: RowFate) -> str:
    """Return a row's fate in a word or two."""
    if row.left_out:
        return f"left out: {row.left_out}"
    return f"{row.status} {row.error_code}" if row.error_code else row.status
