"""What the read models answer."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.events.campaign import CampaignStatus, Mode
from contracts.events.message import MessageStatus
from contracts.personal import Personal


class RowStatus(StrEnum):
    """What staff see of a row of a run: a message's status, or that it was left out."""

    PREPARING = MessageStatus.PREPARING
    SENT = MessageStatus.SENT
    DELIVERED = MessageStatus.DELIVERED
    UNDELIVERED = MessageStatus.UNDELIVERED
    FAILED = MessageStatus.FAILED
    ERROR = MessageStatus.ERROR
    SIMULATED = MessageStatus.SIMULATED
    UNKNOWN = MessageStatus.UNKNOWN
    EXCLUDED = "excluded"
    """No text, for a reason that isn't a bad number; that one is an error (TM-14)."""


class RunState(StrEnum):
    """How far a run is."""

    PREPARING = "preparing"
    SENDING = "sending"
    COMPLETED = "completed"
    FAILED = "failed"


class ActivityState(StrEnum):
    """What became of the activity in iMIS."""

    WRITTEN = "written"
    REFUSED = "refused"


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class RunView(View):
    """One run."""

    run_id: UUID
    campaign_id: UUID
    name: str | None
    occurrence: str | None
    mode: Mode | None
    from_number: str | None
    due_at: datetime | None
    state: RunState
    failure: str | None
    rows: int | None
    """How many rows the IQA returned; None until the whole audience is resolved."""
    recipients: int
    """Rows that became a text, those that the sender left out afterwards included."""
    rejected: int
    """Rows that never became a text."""
    excluded: int
    """Recipients that the sender left out."""
    segments: int
    """Segments of all recipients' texts."""
    started_at: datetime | None
    completed_at: datetime | None
    earlier_run_id: UUID | None = None
    """The run whose missed texts this one sends."""
    later_run_ids: tuple[UUID, ...] = ()
    """The runs that send what this one missed, in no particular order."""
    alarm: str | None = None
    """Why someone has to look at the run; None when all is well."""


class MessageView(View):
    """One row of a run, and what became of it."""

    message_id: UUID
    run_id: UUID
    campaign_id: UUID
    recipient_id: UUID
    row: int
    imis_id: str
    to: Personal[str | None]
    """The number, normalised; of a rejected row, as iMIS gave it."""
    text: Personal[str | None]
    segments: int
    mode: Mode | None
    status: RowStatus
    reason: str | None
    """Why it was left out, or why nobody can tell what became of it."""
    error_code: int | None
    sid: str | None
    queued_at: datetime | None
    attempted_at: datetime | None
    status_at: datetime | None
    activity_state: ActivityState | None
    activity_seqn: str | None
    supersedes: UUID | None = None
    """The message of an earlier run that this one stands in for."""


class UnknownView(View):
    """A message of which nobody can tell whether it was sent."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    row: int
    imis_id: str
    to: Personal[str | None]
    attempted_at: datetime | None
    reason: str | None
    """Why nobody can tell."""
    status_at: datetime | None
    """Since when it is unknown."""
    status_sequence: int
    """The number of this status of the message; a decision is about one of them."""


class RunLedger(View):
    """What became of each row that a run's IQA returned, counted anew row by row (X-2)."""

    run_id: UUID
    rows: int | None
    """How many rows the IQA returned; None until the whole audience is resolved."""
    messages: int
    """Rows that are texts."""
    by_status: dict[RowStatus, int]
    """The texts and rows left out by what staff see of them."""
    by_reason: dict[str, int]
    """The rows that are left out, each by its one reason."""

    @property
    def left_out(self) -> int:
        """How many rows get no text."""
        return sum(self.by_reason.values())

    @property
    def unaccounted(self) -> int | None:
        """How many rows are neither a text nor left out; None while nobody knows the rows."""
        return None if self.rows is None else self.rows - self.messages - self.left_out


class StatusCount(View):
    """How many messages have a status, and how many segments they are."""

    messages: int
    segments: int


class RunProgress(View):
    """How far a run is, in figures; `settled` of `total` rows have an outcome."""

    run_id: UUID
    state: RunState
    by_status: dict[RowStatus, StatusCount]
    """Only statuses that some row has."""
    recipients: int
    total: int
    settled: int
    segments: int
    settled_segments: int


class Used(View):
    """Texts and segments that Twilio accepted, from LIVE runs; undelivered ones are charged too."""

    texts: int
    segments: int


class Dashboard(View):
    """An organisation's home page in figures (TM-3); a day and a month are UTC's.

    A text counts on the day of its sending. Sent: accepted by Twilio and not failed (TM-22).
    Failed: refused by Twilio, at once or later, an invalid number included; a row that was
    rejected before anything was sent is neither.
    """

    today: Used
    this_month: Used
    lifetime_sent: int
    lifetime_failed: int
    unknown: int
    simulated: int
    campaigns: dict[CampaignStatus, int]
    """Only statuses that some campaign has; deleted ones are left out."""
