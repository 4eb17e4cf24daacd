"""How runs, messages and the dashboard look in answers."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.campaign import CampaignStatus
from gateway.domain.views import Message, Run


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


class RunList(BaseModel):
    """A campaign's runs, the newest first."""

    items: list[RunView]


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
    activity_state: str | None = Field(description="`written`, or `refused` by iMIS.")

    @classmethod
    def of(cls, message: Message, meaning: str | None) -> "MessageView":
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
            error_meaning=meaning,
            sid=message.sid,
            attempted_at=message.attempted_at,
            changed_at=message.changed_at,
            activity=message.activity,
            activity_state=message.activity_state,
        )


class MessageList(BaseModel):
    """Some of a run's messages, in the order of the query's rows."""

    items: list[MessageView]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")


class DashboardView(BaseModel):
    """What the organisation has sent, and what it may still send today."""

    performance_level: Literal["Flex"] = "Flex"
    texts_today: int
    texts_this_month: int
    texts_lifetime: int
    failed_lifetime: int
    segments_per_day: int
    segments_used_today: int
    segments_left_today: int
    campaigns: dict[CampaignStatus, int]
