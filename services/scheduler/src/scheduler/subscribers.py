"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
    CampaignEvent,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
)
from contracts.events.organization import OrganizationSettingsChanged
from scheduler import handlers
from scheduler.adapters.timers import SETTINGS, SqlTimers

CAMPAIGNS = "scheduler.campaigns"
CAMPAIGN_EVENTS: tuple[type[CampaignEvent], ...] = (
    CampaignDrafted,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
    CampaignCompleted,
    CampaignDeleted,
    CampaignPaused,
    CampaignResumed,
    CampaignCancelled,
    CampaignArchived,
    CampaignRestored,
)


async def follow(transaction: Transaction, campaigns: list[Envelope[CampaignEvent]]) -> None:
    """Hand campaign events to their handler."""
    await handlers.follow_campaigns(campaigns, timers=SqlTimers(transaction), outbox=transaction)


def subscriptions(*, wake: Callable[[], None]) -> list[Subscription]:
    """Return all that the scheduler listens to."""
    return [
        Subscription(
            CAMPAIGNS,
            ("campaign.lifecycle",),
            dict.fromkeys(CAMPAIGN_EVENTS, follow),
            after_commit=wake,
            # A pause and its resume mean something in their order only.
            together=follow,
        ),
        Subscription(
            "scheduler.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        ),
    ]
