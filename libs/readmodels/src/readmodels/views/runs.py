"""What is answered about runs and their rows."""

from datetime import datetime
from uuid import UUID

from contracts.events.campaign import Mode
from contracts.events.run import HeldBy
from contracts.personal import Personal
from readmodels.views.words import ActivityState, RowStatus, RunKind, RunState, View


class HeldView(View):
    """What keeps some of a run's texts back, or left them out: the newest of each cause."""

    held_by: HeldBy
    messages: int
    segments: int
    left_out: bool
    """Whether they were left out for good."""
    until: datetime | None
    """When the first of them may leave, if that is known."""
    error_code: int | None
    at: datetime


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
    """Why someone has to look at the run, and the figures; None when all is well."""
    alarm_kind: str | None = None
    """The newest alarm, such as `error_spike`; None when all is well."""
    alarm_detail: str | None = None
    alarm_code: int | None = None
    """Twilio's error, of an alarm about one."""
    alarm_advice: str | None = None
    """What staff should do."""
    waiting: str | None = None
    """Why the run waits for the organisation's iMIS; None once it has started."""
    held: tuple[HeldView, ...] = ()
    """What is kept back until the run is over, and what was left out."""
    kind_of_run: RunKind = RunKind.CAMPAIGN
    to_segments_left: int = 0
    """Segments of the texts that were not attempted yet."""


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
    same_as_imis_id: str | None = None
    """Of a shared phone or a repeated row: the member whose text stands for this one."""
    error_code: int | None
    sid: str | None
    queued_at: datetime | None
    attempted_at: datetime | None
    status_at: datetime | None
    activity_state: ActivityState | None
    """What became of the text's own activity, or of its entry in the Communication Log."""
    activity_seqn: str | None
    held_until: datetime | None = None
    """When a held text may leave."""
    held_place: str | None = None
    """By which rule it is held."""
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


class ErrorCount(View):
    """How many of a run's messages ended badly in one way."""

    status: RowStatus
    error_code: int | None
    """Twilio's error; None for what we found by ourselves."""
    reason: str | None
    """What we found: `invalid_number`, or why the row was left out."""
    messages: int
    segments: int


class HourCount(View):
    """How many of a run's messages that were attempted within an hour have a status now."""

    hour: datetime
    """The hour's beginning, UTC."""
    status: RowStatus
    messages: int
    segments: int


class SkippedView(View):
    """Times of a recurring campaign that passed unused (X-5)."""

    first: datetime
    last: datetime
    occurrences: int
    at: datetime
