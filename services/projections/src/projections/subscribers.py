"""Which topic goes to which handler."""

from typing import Any

from chassis.store import Transaction
from chassis.subscription import Subscription
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
from contracts.events.run import RunAlarmRaised, RunCompleted, RunFailed, RunResent, RunStarted
from projections import handlers
from projections.adapters.bookkeeping import note
from projections.adapters.tables import SqlReadModels

RUN_TOPICS = ("campaign.lifecycle", "campaign.due", "run.lifecycle", "run.resent")
MESSAGE_TOPICS = (
    "recipients.resolved",
    "recipient.rejected",
    "recipient.excluded",
    "message.queued",
    "message.submitted",
    "message.status-changed",
    "activity.written",
)
RUN_TYPES = (
    CampaignDrafted,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDue,
    RunStarted,
    RunCompleted,
    RunFailed,
    RunAlarmRaised,
    RunResent,
)
MESSAGE_TYPES = (
    RecipientsResolved,
    RecipientRejected,
    RecipientExcluded,
    MessageQueued,
    MessageSubmitted,
    MessageStatusChanged,
    ActivityWritten,
    ActivityRefused,
)
# What it means for the run comes as RunFailed.
SKIPPED = frozenset({AudienceFailed})


async def project(transaction: Transaction, events: list[Envelope[Any]]) -> None:
    """Hand a batch on, with the tables of its transaction."""
    await handlers.project(events, models=SqlReadModels(transaction))


def subscriptions(*, events_at_once: int, generation: int = 1) -> list[Subscription]:
    """Return all that a generation of read models listens to.

    Campaigns and runs are few and shown first: they never wait behind a flood of messages.
    """
    return [
        Subscription(
            "projections.runs",
            RUN_TOPICS,
            dict.fromkeys(RUN_TYPES, project),
            together=project,
            bookkeeping=note,
            group=group("projections.runs", generation),
        ),
        Subscription(
            "projections.messages",
            MESSAGE_TOPICS,
            dict.fromkeys(MESSAGE_TYPES, project),
            skips=SKIPPED,
            max_records=events_at_once,
            together=project,
            bookkeeping=note,
            group=group("projections.messages", generation),
        ),
    ]


def group(subscription: str, generation: int) -> str:
    """Return a subscription's consumer group: offsets belong to the tables that they fill."""
    return subscription if generation == 1 else f"{subscription}.g{generation}"
