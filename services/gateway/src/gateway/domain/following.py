"""What a campaign's runs do to it; pure.

A run that repeats itself, or tells something late, is left out before: by its own sequence.
"""

from datetime import datetime
from uuid import UUID

from contracts.events.campaign import (
    CampaignCompleted,
    CampaignEvent,
    CampaignPaused,
    CampaignStarted,
    CampaignStatus,
)
from gateway.domain.campaign import (
    STARTING,
    following,
    paused,
    present_run,
    state_of_recurring,
)
from gateway.domain.recurring import recurring

_ON = frozenset({CampaignStatus.SCHEDULED, CampaignStatus.SENDING})


def start(campaign: CampaignEvent, run: UUID, *, at: datetime, by: str) -> CampaignStarted | None:
    """Follow a run's start; one that was cancelled or deleted meanwhile stays so."""
    again_and_again = recurring(campaign.definition)
    if run in campaign.under_way or not (again_and_again or run == present_run(campaign)):
        return None
    match campaign.status:
        case CampaignStatus.SCHEDULED:
            news = {"status": CampaignStatus.SENDING}
        case CampaignStatus.SENDING | CampaignStatus.COMPLETED if again_and_again:
            # The last time's run may begin after all others are over.
            news = {"status": CampaignStatus.SENDING}
        case CampaignStatus.PAUSED if campaign.returns_to is not CampaignStatus.COMPLETED:
            news = {"returns_to": CampaignStatus.SENDING}
        case _:
            return None
    under_way = (*campaign.under_way, run)
    return following(CampaignStarted, campaign, at=at, by=by, under_way=under_way, **news)


def complete(
    campaign: CampaignEvent, run: UUID, *, at: datetime, by: str
) -> CampaignCompleted | None:
    """Follow a run's end, good or bad; a recurring campaign goes on while there are times left."""
    held = campaign.status is CampaignStatus.PAUSED
    if not held and campaign.status not in _ON:
        return None
    left = tuple(each for each in campaign.under_way if each != run)
    if not recurring(campaign.definition):
        if run != present_run(campaign) or campaign.returns_to is CampaignStatus.COMPLETED:
            return None
        news = {"status": CampaignStatus.COMPLETED, "returns_to": None}
    elif held:
        if left == campaign.under_way:
            return None
        news = {"returns_to": CampaignStatus.SENDING if left else CampaignStatus.SCHEDULED}
    else:
        status = state_of_recurring(campaign.definition, left, at=at)
        if left == campaign.under_way and status is campaign.status:
            return None
        news = {"status": status}
    return following(CampaignCompleted, campaign, at=at, by=by, under_way=left, **news)


def hold(
    campaign: CampaignEvent, run: UUID, *, reason: str, at: datetime, by: str
) -> CampaignPaused | None:
    """Pause the campaign because of what one of its runs met (X-7).

    Of a one-time campaign that has run, what was missed may be under way once more: that too is
    held. Nothing is left to hold of its own run.
    """
    anew = campaign.status is CampaignStatus.COMPLETED and not recurring(campaign.definition)
    if campaign.status in _ON or (anew and run != present_run(campaign)):
        return paused(campaign, at=at, by=by, reason=reason)
    return None


def exhausted(campaign: CampaignEvent, *, at: datetime, by: str) -> CampaignCompleted | None:
    """Complete a recurring campaign whose last time passed without a run that would end it."""
    waits = campaign.status is CampaignStatus.SCHEDULED and recurring(campaign.definition)
    if not waits or campaign.under_way:
        return None
    status = state_of_recurring(campaign.definition, (), at=at - STARTING)
    if status is not CampaignStatus.COMPLETED:
        return None
    return following(CampaignCompleted, campaign, at=at, by=by, status=status)
