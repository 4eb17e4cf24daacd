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
