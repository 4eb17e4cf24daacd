"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientsResolved
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioCallbackReceived
from sender import handlers
from sender.adapters.callbacks import GROUP
from sender.adapters.intake import SqlIntake
from sender.adapters.tables import SETTINGS
from sender.ports import Witness


async def take(transaction: Transaction, pages: list[Envelope[RecipientsResolved]]) -> None:
    """Hand pages of recipients to their handler."""
    await handlers.take_recipients(
        pages, at=now(), intake=SqlIntake(transaction), outbox=transaction
    )


async def witness(
    transaction: Transaction, callbacks: list[Envelope[TwilioCallbackReceived]]
) -> None:
    """Hand callbacks that name a message to their handler."""
    witnesses = {
        callback.event.message_id: Witness(
            message_id=callback.event.message_id,
            organization_id=callback.event.organization_id,
            sid=callback.event.message_sid,
            from_number=callback.event.form.get("From", ""),
            to_number=callback.event.form.get("To", ""),
        )
        for callback in callbacks
        if callback.event.message_id is not None
    }
    await handlers.settle_by_callbacks(witnesses, intake=SqlIntake(transaction), outbox=transaction)


def subscriptions(
    *, wake: Callable[[], None], settings_changed: Callable[[], None]
) -> list[Subscription]:
    """Return all that the sender listens to; each waits for none of the others."""
    return [
        Subscription(
            "sender.recipients",
            ("recipients.resolved",),
            {RecipientsResolved: take},
            skips=frozenset({AudienceFailed}),
            # A page is a transaction of its own, so that dispatch has its turn in between.
            max_records=1,
            after_commit=wake,
        ),
        Subscription(GROUP, ("twilio.callbacks",), {TwilioCallbackReceived: witness}),
        Subscription(
            "sender.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=settings_changed,
        ),
    ]
