"""What staff see of runs and messages, as the read models tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.events.campaign import CampaignEvent, CampaignStatus
from gateway.domain.campaign import present_run
from readmodels.views import HeldView

RunState = Literal["scheduled", "preparing", "sending", "completed", "failed"]
OVER: frozenset[RunState] = frozenset({"completed", "failed"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a campaign, with its figures so far."""

    run_id: UUID
    campaign_id: UUID
    state: RunState
    name: str = ""
    mode: str = "LIVE"
    due_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failure: str | None = None
    rows: int | None = None
    """How many rows the query returned; None until all are read."""
    messages: int = 0
    rejected: int = 0
    excluded: int = 0
    segments: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    missed: int = 0
    """How many of its texts nobody got accepted: they can be sent after all."""
    earlier_run: UUID | None = None
    """The run that this one sends the missed texts of."""
    later_runs: tuple[UUID, ...] = ()
    """The runs that send what this one missed."""
    alarm: str | None = None
    """Why someone has to look at it."""
    alarm_kind: str | None = None
    alarm_code: int | None = None
    """Twilio's error, of an alarm about one."""
    alarm_advice: str | None = None
    """What to do about it."""
    waiting: str | None = None
    """Why it waits for the organisation's iMIS; None once it has started."""
    held: tuple[HeldView, ...] = ()
    """What keeps some of its texts back, or left them out."""
    kind_of_run: str = "campaign"
    """Whether it is a campaign's, a resend, or a single text's."""
    occurrence: str | None = None
    from_number: str | None = None
    segments_to_go: int = 0
    """Segments of the texts that were not attempted yet."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `settled` of `total` rows have an outcome."""

    run_id: UUID
    state: RunState
    by_status: Mapping[str, int] = field(default_factory=dict)
    recipients: int = 0
    total: int = 0
    settled: int = 0
    segments: int = 0
    settled_segments: int = 0


@dataclass(frozen=True, slots=True)
class Message:
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
    reason: str | None = None
    error_code: int | None = None
    sid: str | None = None
    attempted_at: datetime | None = None
    changed_at: datetime | None = None
    activity: str | None = None
    """The SEQN of its activity in iMIS."""
    activity_state: str | None = None
    same_as_imis_id: str | None = None
    """Of a row that another one stands for: whose."""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Unknown:
    """A message of which nobody can tell whether it was sent; `number` counts its statuses."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    row: int
    imis_id: str
    to: str
    number: int
    reason: str | None = None
    attempted_at: datetime | None = None
    since: datetime | None = None


_RUNNING = frozenset(
    {
        CampaignStatus.SCHEDULED,
        CampaignStatus.SENDING,
        CampaignStatus.PAUSED,
        CampaignStatus.COMPLETED,
    }
)
"""Of a campaign that was cancelled before its time there will never be a run."""


def awaited_run(campaign: CampaignEvent, *, at: datetime) -> Run | None:
    """Return the run that a launched campaign is going to have, while nothing is known of it."""
    run = present_run(campaign)
    if run is None or campaign.status not in _RUNNING:
        return None
    waits = campaign.due_at is not None and campaign.due_at > at
    return Run(
        run_id=run,
        campaign_id=campaign.campaign_id,
        state="scheduled" if waits else "preparing",
        name=campaign.definition.name,
        mode=campaign.definition.mode,
        due_at=campaign.due_at,
    )
