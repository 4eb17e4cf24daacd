"""Which topic goes to which handler."""

from typing import Any

from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.activity import (
    ActivitiesHeld,
    ActivityDeleted,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.audience import (
    AudienceAwaited,
    AudienceFailed,
    RecipientRejected,
    RecipientsResolved,
)
from contracts.events.campaign import CampaignDue, OccurrencesSkipped
from contracts.events.consent import ConsentChanged, ReviewChanged
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    ReplyRequested,
)
from contracts.events.run import (
    RunAlarmRaised,
    RunCompleted,
    RunFailed,
    RunHeld,
    RunResent,
    RunStarted,
)
from projections import handlers
from projections.adapters.bookkeeping import note
from projections.adapters.tables import SqlReadModels
from projections.domain.states import CAMPAIGN_EVENTS

RUN_TOPICS = (
    "campaign.lifecycle",
    "campaign.due",
    "audience.awaited",
    "message.requested",
    "reply.requested",
    "run.lifecycle",
    "run.held",
    "run.resent",
    "activities.held",
)
MESSAGE_TOPICS = (
    "recipients.resolved",
    "recipient.rejected",
    "recipient.excluded",
    "message.queued",
    "message.held",
    "message.submitted",
    "message.status-changed",
    "activity.written",
)
CONSENT_TOPICS = ("consent.changed", "consent.reviews")
RUN_TYPES = (
    *CAMPAIGN_EVENTS,
    CampaignDue,
    OccurrencesSkipped,
    AudienceAwaited,
    MessageRequested,
    ReplyRequested,
    RunStarted,
    RunCompleted,
    RunFailed,
    RunAlarmRaised,
    RunHeld,
    RunResent,
    ActivitiesHeld,
)
MESSAGE_TYPES = (
    RecipientsResolved,
    RecipientRejected,
    RecipientExcluded,
    MessageQueued,
    MessageHeld,
    MessageSubmitted,
    MessageStatusChanged,
    ActivityWritten,
    ActivityRefused,
    ActivityUnknown,
    ActivityDeleted,
)
CONSENT_TYPES = (ConsentChanged, ReviewChanged)
TOPICS_OF = {
    "projections.runs": RUN_TOPICS,
    "projections.messages": MESSAGE_TOPICS,
    "projections.consent": CONSENT_TOPICS,
}
"""Which topics each subscription reads."""
# What it means for the run comes as RunFailed.
SKIPPED = frozenset({AudienceFailed})


async def project(transaction: Transaction, events: list[Envelope[Any]]) -> None:
    """Hand a batch on, with the tables of its transaction."""
    await handlers.project(events, models=SqlReadModels(transaction))


def subscriptions(*, events_at_once: int, generation: int = 1) -> list[Subscription]:
    """Return all that a generation of read models listens to.

    Campaigns, runs and single texts are few and shown first: they never wait behind a flood of
    messages, nor opt-outs behind either.
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
        Subscription(
            "projections.consent",
            CONSENT_TOPICS,
            dict.fromkeys(CONSENT_TYPES, project),
            max_records=events_at_once,
            together=project,
            bookkeeping=note,
            group=group("projections.consent", generation),
        ),
    ]


def group(subscription: str, generation: int) -> str:
    """Return a subscription's consumer group: offsets belong to the tables that they fill."""
    return subscription if generation == 1 else f"{subscription}.g{generation}"
