"""Which topic goes to which handler."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.activity import (
    ActivitiesHeld,
    ActivityDeleted,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignDue,
    CampaignEdited,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
    OccurrencesSkipped,
)
from contracts.events.consent import ReviewChanged
from contracts.events.message import MessageStatusChanged
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import (
    RunAlarmRaised,
    RunCompleted,
    RunFailed,
    RunHeld,
    RunResent,
    RunStarted,
)
from notifier.adapters.campaigns import SqlCampaigns
from notifier.adapters.notices import SqlNotices, SqlRefusals
from notifier.adapters.tables import SETTINGS
from notifier.handlers import telling, watching
from notifier.settings import NotifierSettings

Clock = Callable[[], datetime]
CAMPAIGNS = "notifier.campaigns"
DUE = "notifier.due"
CAMPAIGN_EVENTS = (
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


def told(handle: Callable[..., Awaitable[None]], clock: Clock, **waits: timedelta) -> BatchHandler:
    """Give a handler that notes what is to be told its ports."""

    async def receive(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        await handle(events, at=clock(), notices=SqlNotices(transaction), **waits)

    return receive


def watched(handle: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler that knows campaigns its ports."""

    async def receive(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        await handle(events, campaigns=SqlCampaigns(transaction))

    return receive


def both(*handlers: BatchHandler) -> BatchHandler:
    """Hand the same events to several handlers, in their order."""

    async def receive(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        for handle in handlers:
            await handle(transaction, events)

    return receive


def refused(own: NotifierSettings, clock: Clock) -> BatchHandler:
    """Give the handler of refused activities its ports."""

    async def receive(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        await telling.tell_refused(
            events,
            at=clock(),
            quiet=timedelta(seconds=own.activities_quiet),
            longest=timedelta(seconds=own.activities_longest),
            notices=SqlNotices(transaction),
            refusals=SqlRefusals(transaction),
        )

    return receive


def subscriptions(
    own: NotifierSettings, *, wake: Callable[[], None], clock: Clock = now
) -> list[Subscription]:
    """Return all that the notifier listens to.

    What is rare and urgent never waits behind the flood of reports about single messages.
    """
    campaign = watched(watching.follow_campaigns)
    return [
        Subscription(
            "notifier.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        ),
        Subscription(
            CAMPAIGNS,
            ("campaign.lifecycle",),
            {
                **dict.fromkeys(CAMPAIGN_EVENTS, campaign),
                CampaignPaused: both(campaign, told(telling.tell_paused, clock)),
            },
            after_commit=wake,
        ),
        Subscription(
            DUE,
            ("campaign.due",),
            {
                CampaignDue: watched(watching.follow_runs),
                OccurrencesSkipped: both(
                    watched(watching.follow_runs), told(telling.tell_skipped, clock)
                ),
            },
            after_commit=wake,
        ),
        Subscription(
            "notifier.runs",
            ("run.lifecycle", "run.held", "run.resent", "audience.awaited", "activities.held"),
            {
                RunCompleted: told(telling.tell_completed, clock),
                RunFailed: told(telling.tell_failed, clock),
                RunAlarmRaised: told(telling.tell_alarms, clock),
                RunHeld: told(telling.tell_held, clock),
                RunResent: watched(watching.know_resent),
                AudienceAwaited: told(telling.tell_imis, clock),
                ActivitiesHeld: told(telling.tell_imis, clock),
            },
            skips=frozenset({RunStarted}),
            after_commit=wake,
        ),
        Subscription(
            "notifier.reviews",
            ("consent.reviews",),
            {
                ReviewChanged: told(
                    telling.tell_reviews, clock, settle=timedelta(seconds=own.reviews_settle)
                )
            },
        ),
        Subscription(
            "notifier.activities",
            ("activity.written",),
            {ActivityRefused: refused(own, clock), ActivityUnknown: refused(own, clock)},
            skips=frozenset({ActivityWritten, ActivityDeleted}),
        ),
        Subscription(
            "notifier.statuses",
            ("message.status-changed",),
            {
                MessageStatusChanged: told(
                    telling.follow_statuses, clock, quiet=timedelta(seconds=own.late_quiet)
                )
            },
        ),
    ]
