"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.message import MessageQueued, MessageStatus, MessageStatusChanged
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer import handlers
from imis_writer.adapters.intake import SqlIntake
from imis_writer.adapters.tables import SETTINGS


async def know(transaction: Transaction, messages: list[Envelope[MessageQueued]]) -> None:
    """Hand queued messages to their handler."""
    await handlers.know_messages(messages, intake=SqlIntake(transaction))


def subscriptions(*, success: MessageStatus, wake: Callable[[], None]) -> list[Subscription]:
    """Return all that the imis-writer listens to."""

    async def follow(
        transaction: Transaction, statuses: list[Envelope[MessageStatusChanged]]
    ) -> None:
        await handlers.follow_statuses(statuses, success=success, intake=SqlIntake(transaction))

    return [
        Subscription(
            "imis-writer.messages",
            ("message.queued", "message.status-changed"),
            {MessageQueued: know, MessageStatusChanged: follow},
            after_commit=wake,
        ),
        Subscription(
            "imis-writer.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        ),
    ]
