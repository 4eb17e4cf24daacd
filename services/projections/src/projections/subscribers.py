"""Which topic goes to which handler."""

from collections.abc import Awaitable, Callable
from typing import Any

from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
from contracts.events.campaign import (
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignDue,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
)
from contracts.events.message import (
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
)
from contracts.events.run import RunCompleted, RunFailed, RunStarted
from projections import handlers
from projections.adapters.tables import SqlReadModels


def into_tables(project: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler its port."""

    async def receive(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        await project(events, models=SqlReadModels(transaction))

    return receive


CAMPAIGNS = into_tables(handlers.project_campaigns)
RUNS = into_tables(handlers.project_runs)
ACTIVITIES = into_tables(handlers.project_activities)


def subscriptions(*, events_at_once: int) -> list[Subscription]:
    """Return all that the projections listen to.

    Campaigns and runs are few and shown first: they never wait behind a flood of messages.
    """
    return [
        Subscription(
            "projections.runs",
            ("campaign.lifecycle", "campaign.due", "run.lifecycle"),
            {
                CampaignDrafted: CAMPAIGNS,
                CampaignEdited: CAMPAIGNS,
                CampaignScheduled: CAMPAIGNS,
                CampaignStarted: CAMPAIGNS,
                CampaignCompleted: CAMPAIGNS,
                CampaignDeleted: CAMPAIGNS,
                CampaignDue: into_tables(handlers.project_due),
                RunStarted: RUNS,
                RunCompleted: RUNS,
                RunFailed: RUNS,
            },
        ),
        Subscription(
            "projections.messages",
            (
                "recipients.resolved",
                "recipient.rejected",
                "recipient.excluded",
                "message.queued",
                "message.submitted",
                "message.status-changed",
                "activity.written",
            ),
            {
                RecipientsResolved: into_tables(handlers.project_pages),
                RecipientRejected: into_tables(handlers.project_rejected),
                RecipientExcluded: into_tables(handlers.project_excluded),
                MessageQueued: into_tables(handlers.project_queued),
                MessageSubmitted: into_tables(handlers.project_submitted),
                MessageStatusChanged: into_tables(handlers.project_statuses),
                ActivityWritten: ACTIVITIES,
                ActivityRefused: ACTIVITIES,
            },
            # What it means for the run comes as RunFailed.
            skips=frozenset({AudienceFailed}),
            max_records=events_at_once,
        ),
    ]
