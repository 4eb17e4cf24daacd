"""Which topic goes to which handler."""

import re
from collections.abc import Callable
from typing import Any

from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientsResolved
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageResolutionDecided
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunResendRequested
from sender import handlers
from sender.adapters.consents import SqlConsents
from sender.adapters.decisions import SqlDecisions
from sender.adapters.intake import SqlIntake
from sender.adapters.proofs import SqlProofs
from sender.adapters.resends import SqlResends
from sender.adapters.tables import SETTINGS
from sender.ports import Witness

CALLBACKS = "sender.callbacks"
_CODE = re.compile(r"[0-9]{1,9}")


async def take(transaction: Transaction, pages: list[Envelope[RecipientsResolved]]) -> None:
    """Hand pages of recipients to their handler."""
    await handlers.take_recipients(
        pages, at=now(), intake=SqlIntake(transaction), outbox=transaction
    )


async def witness(
    transaction: Transaction, callbacks: list[Envelope[TwilioCallbackReceived]]
) -> None:
    """Hand callbacks that name a message to their handler."""
    witnesses = [
        Witness(
            message_id=callback.event.message_id,
            organization_id=callback.event.organization_id,
            sid=callback.event.message_sid,
            from_number=callback.event.form.get("From", ""),
            to_number=callback.event.form.get("To", ""),
            error_code=_code(callback.event.error_code),
        )
        for callback in callbacks
        if callback.event.message_id is not None
    ]
    await handlers.settle_by_callbacks(
        witnesses, at=now(), proofs=SqlProofs(transaction), outbox=transaction
    )


async def heed(transaction: Transaction, changes: list[Envelope[ConsentChanged]]) -> None:
    """Hand opt-outs and opt-ins to their handler."""
    await handlers.heed_consents(
        changes, at=now(), consents=SqlConsents(transaction), outbox=transaction
    )


async def decide(
    transaction: Transaction, decisions: list[Envelope[MessageResolutionDecided]]
) -> None:
    """Hand operators' decisions to their handler."""
    await handlers.follow_decisions(
        decisions, at=now(), decided=SqlDecisions(transaction), outbox=transaction
    )


async def resend(transaction: Transaction, commands: list[Envelope[RunResendRequested]]) -> None:
    """Hand commands to resend to their handler."""
    await handlers.resend_missed(
        commands, at=now(), resends=SqlResends(transaction), outbox=transaction
    )


def consent_group(instance: str) -> str:
    """Name the group by which one process hears of every opt-out.

    Each for itself: while a partition's reader is dead or stopped, the others must not go on
    sending to whoever has just opted out. All fold into one table, so hearing it twice is harmless.
    """
    return f"sender.consent.{instance}"


def subscriptions(
    *, instance: str, wake: Callable[[], None], settings_changed: Callable[[], None]
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
        Subscription(CALLBACKS, ("twilio.callbacks",), {TwilioCallbackReceived: witness}),
        # An opt-out never waits behind pages or callbacks.
        Subscription(
            "sender.consent",
            ("consent.changed",),
            {ConsentChanged: heed},
            group=consent_group(instance),
        ),
        _woken("sender.decisions", "message.decisions", {MessageResolutionDecided: decide}, wake),
        # A run is a transaction of its own, however many messages it missed.
        _woken("sender.commands", "run.commands", {RunResendRequested: resend}, wake, at_once=1),
        Subscription(
            "sender.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=settings_changed,
        ),
    ]


def _woken(
    name: str,
    topic: str,
    handlers_: dict[Any, Any],
    wake: Callable[[], None],
    *,
    at_once: int = 500,
) -> Subscription:
    return Subscription(name, (topic,), handlers_, max_records=at_once, after_commit=wake)


def _code(said: str) -> int:
    return int(said) if _CODE.fullmatch(said) else 0
