"""Which topic goes to which handler.

Runs and messages are two subscriptions, so that the start of a run and the totals of its audience
never wait behind the flood of reports about messages.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
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
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageSubmitted,
    RecipientExcluded,
    ReplyRequested,
)
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled
from contracts.events.run import RunResent
from status.adapters.campaigns import SqlCampaigns
from status.adapters.messages import SqlMessages
from status.adapters.runs import SqlRuns
from status.adapters.tables import SETTINGS
from status.adapters.watch import LoggingWatch
from status.domain.looking import Patience
from status.handlers import campaigns, messages, runs

WATCH = LoggingWatch()
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


def about_messages(handle: Callable[..., Awaitable[None]], patience: Patience) -> BatchHandler:
    """Give a handler of messages' facts its ports."""

    async def receive(transaction: Transaction, facts: list[Envelope[Any]]) -> None:
        await handle(
            facts,
            at=now(),
            messages=SqlMessages(transaction, patience),
            runs=SqlRuns(transaction),
            campaigns=SqlCampaigns(transaction),
            outbox=transaction,
            watch=WATCH,
        )

    return receive


def about_audiences(handle: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler of audiences' facts its ports."""

    async def receive(transaction: Transaction, facts: list[Envelope[Any]]) -> None:
        await handle(
            facts,
            at=now(),
            runs=SqlRuns(transaction),
            campaigns=SqlCampaigns(transaction),
            outbox=transaction,
            watch=WATCH,
        )

    return receive


async def follow_campaigns(transaction: Transaction, events: list[Envelope[Any]]) -> None:
    """Hand campaign events to their handler."""
    await campaigns.follow_campaigns(events, campaigns=SqlCampaigns(transaction))


def about_runs(handle: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler of runs' facts its ports."""

    async def receive(transaction: Transaction, facts: list[Envelope[Any]]) -> None:
        await handle(facts, at=now(), runs=SqlRuns(transaction), outbox=transaction, watch=WATCH)

    return receive


def subscriptions(*, facts_at_once: int, patience: Patience) -> list[Subscription]:
    """Return all that the status service listens to."""
    return [
        Subscription(
            "status.runs",
            (
                "recipients.resolved",
                "recipient.rejected",
                "run.resent",
                "message.requested",
                "reply.requested",
            ),
            {
                RecipientsResolved: about_audiences(runs.take_pages),
                RunResent: about_runs(runs.take_whole),
                MessageRequested: about_runs(runs.take_whole),
                ReplyRequested: about_runs(runs.take_whole),
                AudienceFailed: about_runs(runs.take_failures),
                RecipientRejected: about_runs(runs.take_rejected),
            },
            max_records=facts_at_once,
        ),
        Subscription(
            "status.messages",
            (
                "message.queued",
                "message.held",
                "recipient.excluded",
                "message.submitted",
                "twilio.callbacks",
                "twilio.polled",
            ),
            {
                MessageQueued: about_messages(messages.take_named, patience),
                MessageHeld: about_messages(messages.take_named, patience),
                RecipientExcluded: about_messages(messages.take_named, patience),
                MessageSubmitted: about_messages(messages.take_submitted, patience),
                TwilioCallbackReceived: about_messages(messages.take_callbacks, patience),
                TwilioStatusPolled: about_messages(messages.take_polled, patience),
            },
            max_records=facts_at_once,
        ),
        Subscription(
            "status.campaigns",
            ("campaign.lifecycle",),
            dict.fromkeys(CAMPAIGN_EVENTS, follow_campaigns),
            together=follow_campaigns,
        ),
        Subscription(
            "status.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
        ),
    ]
