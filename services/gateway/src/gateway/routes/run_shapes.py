"""How runs and messages look in answers."""

from dataclasses import asdict
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.run import HeldBy
from gateway.domain.reasons import reason_meaning
from gateway.domain.views import Message, Progress, Run
from readmodels.views import ErrorCount
from readmodels.views import HeldView as Held
from twilio_client.explained import advice, meaning


class HeldView(BaseModel):
    """What keeps some of a run's texts back, or left them out for good."""

    held_by: HeldBy
    messages: int
    segments: int
    left_out: bool = Field(description="Whether they are left out for good.")
    until: AwareDatetime | None = Field(description="When the first of them may leave.")
    error_code: int | None
    error_meaning: str | None
    at: AwareDatetime

    @classmethod
    def of(cls, held: Held) -> "HeldView":
        """Show what is held."""
        return cls(**held.model_dump(), error_meaning=meaning(held.error_code))


class RunView(BaseModel):
    """One run of a campaign, with its figures so far."""

    run_id: UUID
    campaign_id: UUID
    state: Literal["scheduled", "preparing", "sending", "completed", "failed"]
    name: str
    mode: str
    due_at: AwareDatetime | None
    started_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    failure: str | None = Field(description="Why the run could not be conducted.")
    rows: int | None = Field(
        description="How many rows the query returned; null until all are read."
    )
    messages: int = Field(description="Rows that get a text.")
    rejected: int = Field(description="Rows that never became a text.")
    excluded: int = Field(description="Texts that the sender left out.")
    segments: int
    by_status: dict[str, int] = Field(examples=[{"sent": 12, "delivered": 950}])
    by_reason: dict[str, int] = Field(examples=[{"invalid_number": 3}])
    missed: int = Field(description="Texts that nobody got accepted: they can be sent after all.")
    earlier_run: UUID | None = Field(description="The run whose missed texts this one sends.")
    later_runs: list[UUID] = Field(description="The runs that send what this one missed.")
    alarm: str | None = Field(description="Why someone has to look at the run.")
    alarm_code: int | None = Field(description="Twilio's error, of an alarm about one.")
    alarm_advice: str | None = Field(description="What to do about it.")
    waiting: str | None = Field(description="Why the run waits for iMIS.")
    held: list[HeldView] = Field(description="What keeps some texts back, or left them out.")
    kind_of_run: str = Field(description="`campaign`, `resend`, `urgent`, `first-look` or `reply`.")
    occurrence: str | None = Field(description="Which of the campaign's times it is.")
    from_number: str | None
    segments_to_go: int = Field(description="Segments of the texts that were not attempted yet.")

    @classmethod
    def of(cls, run: Run) -> "RunView":
        """Show a run."""
        return cls(
            run_id=run.run_id,
            campaign_id=run.campaign_id,
            state=run.state,
            name=run.name,
            mode=run.mode,
            due_at=run.due_at,
            started_at=run.started_at,
            completed_at=run.completed_at,
            failure=run.failure,
            rows=run.rows,
            messages=run.messages,
            rejected=run.rejected,
            excluded=run.excluded,
            segments=run.segments,
            by_status=dict(run.by_status),
            by_reason=dict(run.by_reason),
            missed=run.missed,
            earlier_run=run.earlier_run,
            later_runs=list(run.later_runs),
            alarm=run.alarm,
            alarm_code=run.alarm_code,
            alarm_advice=run.alarm_advice or advice(run.alarm_code),
            waiting=run.waiting,
            held=[HeldView.of(each) for each in run.held],
            kind_of_run=run.kind_of_run,
            occurrence=run.occurrence,
            from_number=run.from_number,
            segments_to_go=run.segments_to_go,
        )


class ResendView(BaseModel):
    """What a run missed is going to be sent; the sender decides finally what that is."""

    run_id: UUID = Field(description="The run that missed them; its `later_runs` are the news.")
    missed: int = Field(description="How many texts of it nobody got accepted, as known now.")


class ProgressView(BaseModel):
    """How far a run is; `settled` of `total` rows have an outcome."""

    run_id: UUID
    state: Literal["scheduled", "preparing", "sending", "completed", "failed"]
    by_status: dict[str, int]
    recipients: int
    total: int
    settled: int
    segments: int
    settled_segments: int

    @classmethod
    def of(cls, progress: Progress) -> "ProgressView":
        """Show how far a run is."""
        return cls(**asdict(progress))


class SkippedView(BaseModel):
    """Times of a recurring campaign that passed unused."""

    first: AwareDatetime
    last: AwareDatetime
    occurrences: int
    at: AwareDatetime


class RunList(BaseModel):
    """A campaign's runs, the newest first, and its times that passed unused."""

    items: list[RunView]
    skipped: list[SkippedView]


class ErrorView(BaseModel):
    """Texts that failed, or rows that were left out, for one cause."""

    status: str
    error_code: int | None = Field(description="Twilio's error; null for what we found ourselves.")
    reason: str | None
    meaning: str | None
    advice: str | None = Field(description="What to do about it.")
    messages: int
    segments: int

    @classmethod
    def of(cls, count: ErrorCount) -> "ErrorView":
        """Show a cause."""
        return cls(
            status=count.status,
            error_code=count.error_code,
            reason=count.reason,
            meaning=meaning(count.error_code) or reason_meaning(count.reason),
            advice=advice(count.error_code),
            messages=count.messages,
            segments=count.segments,
        )


class HourView(BaseModel):
    """Texts that were attempted within an hour, by their status now."""

    hour: AwareDatetime
    status: str
    messages: int
    segments: int


class RunDashboardView(BaseModel):
    """A run's status dashboard."""

    run: RunView
    errors: list[ErrorView] = Field(description="The most frequent first.")
    hours: list[HourView] = Field(description="By the hour of the attempt, UTC.")


class MessageView(BaseModel):
    """One text to one person, and what became of it."""

    message_id: UUID
    run_id: UUID
    campaign_id: UUID
    imis_id: str
    row: int
    to: str
    text: str
    segments: int
    status: str
    reason: str | None = Field(description="Why a recipient was left out.")
    error_code: int | None
    error_meaning: str | None = Field(description="What Twilio's error code means.")
    sid: str | None
    attempted_at: AwareDatetime | None
    changed_at: AwareDatetime | None
    activity: str | None = Field(description="The SEQN of its activity in iMIS.")
    activity_state: str | None = Field(
        description="`written`, `refused` by iMIS, `unknown` or `deleted`."
    )
    same_as_imis_id: str | None = Field(
        description="Of a repeated row or a shared phone: the member whose text stands for it."
    )
    held_until: AwareDatetime | None = Field(description="When a held text may leave.")

    @classmethod
    def of(cls, message: Message) -> "MessageView":
        """Show a message."""
        return cls(
            message_id=message.message_id,
            run_id=message.run_id,
            campaign_id=message.campaign_id,
            imis_id=message.imis_id,
            row=message.row,
            to=message.to,
            text=message.text,
            segments=message.segments,
            status=message.status,
            reason=message.reason,
            error_code=message.error_code,
            error_meaning=meaning(message.error_code),
            sid=message.sid,
            attempted_at=message.attempted_at,
            changed_at=message.changed_at,
            activity=message.activity,
            activity_state=message.activity_state,
            same_as_imis_id=message.same_as_imis_id,
            held_until=message.held_until,
        )


class MessageList(BaseModel):
    """Some of a run's messages, in the order of the query's rows."""

    items: list[MessageView]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")
