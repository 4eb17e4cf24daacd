"""Which topic goes to which handler."""

from collections.abc import Callable
from typing import Any, Protocol

from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.activity import ActivityRetryRequested
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageQueued, MessageStatusChanged, RecipientExcluded
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer import handlers
from imis_writer.adapters.intake import SqlIntake
from imis_writer.adapters.tables import SETTINGS
from imis_writer.ports import Intake


class Handler(Protocol):
    """Takes the events of one type of a batch."""

    async def __call__(self, events: list[Envelope[Any]], /, *, intake: Intake) -> None:
        """Let the intake know of them."""


def subscriptions(*, wake: Callable[[], None]) -> list[Subscription]:
    """Return all that the imis-writer listens to."""
    return [
        Subscription(
            "imis-writer.messages",
            ("message.queued", "message.status-changed", "recipient.excluded"),
            {
                MessageQueued: _within(handlers.know_messages),
                MessageStatusChanged: _within(handlers.follow_statuses),
                RecipientExcluded: _within(handlers.know_excluded),
            },
            after_commit=wake,
        ),
        Subscription(
            "imis-writer.consents",
            ("consent.changed",),
            {ConsentChanged: _within(handlers.follow_consents)},
            after_commit=wake,
        ),
        Subscription(
            "imis-writer.commands",
            ("activity.commands",),
            {ActivityRetryRequested: _within(handlers.try_again)},
            after_commit=wake,
        ),
        Subscription(
            "imis-writer.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        ),
    ]


def _within(handler: Handler) -> BatchHandler:
    """Hand events to their handler, with the intake of the batch's transaction."""

    async def handle(transaction: Transaction, events: list[Envelope[Any]]) -> None:
        await handler(events, intake=SqlIntake(transaction))

    return handle
