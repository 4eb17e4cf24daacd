"""The Campaign aggregate: what may happen to a campaign, and what it is afterwards; pure.

A campaign's state is its newest event. Each function returns the next event, None when nothing
changes, or why it is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from contracts.events.campaign import (
    CampaignCompleted,
    CampaignDefinition,
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
    CampaignEvent,
    CampaignScheduled,
    CampaignStarted,
    CampaignStatus,
)
from contracts.ids import run_id

STARTING = timedelta(minutes=15)
"""How long after its time a campaign counts as being started; afterwards something is stuck."""

CLOSES = timedelta(seconds=5)
"""How long before its time a schedule can't be changed any more.

A change that is answered must reach the scheduler before it starts the run; this is the time that
it has for that.
"""

C = TypeVar("C", bound=CampaignEvent)


@dataclass(frozen=True, slots=True)
class Refused:
    """The campaign's state doesn't allow it; the reason is for staff to read."""

    reason: str


def fold(events: Iterable[CampaignEvent]) -> CampaignEvent | None:
    """Return a campaign's state: its newest event, in whatever order and how often they come."""
    return max(events, key=lambda event: event.sequence, default=None)


def present_run(campaign: CampaignEvent) -> UUID | None:
    """Return the run that the newest launch asks for; None before the first launch."""
    return run_id(campaign.campaign_id, f"launch:{campaign.launch}") if campaign.launch else None


def draft(
    campaign_id: UUID,
    definition: CampaignDefinition,
    *,
    organization_id: UUID,
    at: datetime,
    by: str,
) -> CampaignDrafted:
    """Begin a campaign."""
    return CampaignDrafted(
        organization_id=organization_id,
        occurred_at=at,
        sequence=1,
        campaign_id=campaign_id,
        status=CampaignStatus.DRAFT,
        definition=definition,
        by=by,
    )


def edit(
    campaign: CampaignEvent, definition: CampaignDefinition, *, at: datetime, by: str
) -> CampaignEdited | Refused | None:
    """Change what the author wrote; a scheduled campaign keeps its schedule."""
    if (reason := _fixed(campaign, "edited", at=at)) is not None:
        return Refused(reason)
    if definition == campaign.definition:
        return None
    return _next(CampaignEdited, campaign, at=at, by=by, definition=definition)


def schedule(
    campaign: CampaignEvent, due_at: datetime, *, at: datetime, by: str
) -> CampaignScheduled | Refused:
    """Let the campaign run at a time; a schedule that has not begun is replaced."""
    if campaign.status is CampaignStatus.COMPLETED:
        return Refused("The campaign has run. Create a new one to send again.")
    if _begun(campaign, at):
        return Refused("The campaign's time has come: its run is being started.")
    if (reason := _fixed(campaign, "scheduled", at=at)) is not None:
        return Refused(reason)
    first = campaign.status is CampaignStatus.DRAFT
    return _next(
        CampaignScheduled,
        campaign,
        at=at,
        by=by,
        status=CampaignStatus.SCHEDULED,
        launch=campaign.launch + 1 if first else campaign.launch,
        due_at=due_at,
    )


def delete(campaign: CampaignEvent, *, at: datetime, by: str) -> CampaignDeleted | Refused:
    """Drop a campaign before it runs."""
    if (reason := _fixed(campaign, "deleted", at=at)) is not None:
        return Refused(reason)
    return _next(CampaignDeleted, campaign, at=at, by=by, status=CampaignStatus.DELETED)


def start(campaign: CampaignEvent, run: UUID, *, at: datetime, by: str) -> CampaignStarted | None:
    """Follow the run's start.

    A campaign that was deleted too late to stop its run comes back: its texts do go out.
    """
    waiting = campaign.status in {CampaignStatus.SCHEDULED, CampaignStatus.DELETED}
    if not waiting or run != present_run(campaign):
        return None
    return _next(CampaignStarted, campaign, at=at, by=by, status=CampaignStatus.SENDING)


def complete(
    campaign: CampaignEvent, run: UUID, *, at: datetime, by: str
) -> CampaignCompleted | None:
    """Follow the run's end, good or bad."""
    over = campaign.status in {CampaignStatus.COMPLETED, CampaignStatus.DRAFT}
    if over or run != present_run(campaign):
        return None
    return _next(CampaignCompleted, campaign, at=at, by=by, status=CampaignStatus.COMPLETED)


def _begun(campaign: CampaignEvent, at: datetime) -> bool:
    scheduled = campaign.status is CampaignStatus.SCHEDULED
    return scheduled and campaign.due_at is not None and campaign.due_at <= at + CLOSES


def _fixed(campaign: CampaignEvent, done: str, *, at: datetime) -> str | None:
    """Say why the campaign can't be changed any more; None when it can."""
    match campaign.status:
        case CampaignStatus.SENDING:
            return f"The campaign is sending; it can't be {done} now."
        case CampaignStatus.COMPLETED:
            return f"The campaign has run; it can't be {done} any more. Create a new one."
        case CampaignStatus.DELETED:
            return "The campaign was deleted."
        case _:
            pass
    if _begun(campaign, at) and campaign.due_at is not None and at < campaign.due_at + STARTING:
        return f"The campaign's time has come: its run is being started; it can't be {done} now."
    return None


def _next(
    kind: type[C],
    campaign: CampaignEvent,
    *,
    at: datetime,
    by: str,
    status: CampaignStatus | None = None,
    definition: CampaignDefinition | None = None,
    launch: int | None = None,
    due_at: datetime | None = None,
) -> C:
    state: dict[str, Any] = {
        "organization_id": campaign.organization_id,
        "occurred_at": at,
        "sequence": campaign.sequence + 1,
        "campaign_id": campaign.campaign_id,
        "status": status or campaign.status,
        "definition": definition or campaign.definition,
        "launch": campaign.launch if launch is None else launch,
        "due_at": due_at or campaign.due_at,
        "by": by,
    }
    return kind(**state)
