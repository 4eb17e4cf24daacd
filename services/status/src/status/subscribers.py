"""Which topic goes to which handler.

Runs and messages are two subscriptions, so that the start of a run and the totals of its audience
never wait behind the flood of reports about messages.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
from contracts.events.message import MessageQueued, MessageSubmitted, RecipientExcluded
from contracts.events.provider import TwilioCallbackReceived
from status import handlers
from status.adapters.messages import SqlMessages
from status.adapters.runs import SqlRuns
from status.adapters.watch import LoggingWatch

WATCH = LoggingWatch()


def about_messages(handle: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler of messages' facts its ports."""

    async def receive(transaction: Transaction, facts: list[Envelope[Any]]) -> None:
        await handle(
            facts,
            messages=SqlMessages(transaction),
            runs=SqlRuns(transaction),
            outbox=transaction,
            watch=WATCH,
        )

    return receive


def about_runs(handle: Callable[..., Awaitable[None]]) -> BatchHandler:
    """Give a handler of runs' facts its ports."""

    async def receive(transaction: Transaction, facts: list[Envelope[Any]]) -> None:
        await handle(facts, runs=SqlRuns(transaction), outbox=transaction, watch=WATCH)

    return receive


def subscriptions(*, facts_at_once: int) -> list[Subscription]:
    """Return all that the status service listens to."""
    return [
        Subscription(
            "status.runs",
            ("recipients.resolved", "recipient.rejected", "recipient.excluded"),
            {
                RecipientsResolved: about_runs(handlers.take_pages),
                AudienceFailed: about_runs(handlers.take_failures),
                RecipientRejected: about_runs(handlers.take_left_out),
                RecipientExcluded: about_runs(handlers.take_left_out),
            },
            max_records=facts_at_once,
        ),
        Subscription(
            "status.messages",
            ("message.queued", "message.submitted", "twilio.callbacks"),
            {
                MessageQueued: about_messages(handlers.take_queued),
                MessageSubmitted: about_messages(handlers.take_submitted),
                TwilioCallbackReceived: about_messages(handlers.take_callbacks),
            },
            max_records=facts_at_once,
        ),
    ]
