"""Which topic goes to which handler."""

import re
from collections.abc import Callable

from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientsResolved
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
from contracts.events.consent import ConsentChanged
from contracts.events.message import MessageRequested, MessageResolutionDecided, ReplyRequested
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunCancelRequested, RunResendRequested
from sender import handlers
from sender.adapters.consents import SqlConsents
from sender.adapters.controls import SqlControls
from sender.adapters.decisions import SqlDecisions
from sender.adapters.intake import SqlIntake
from sender.adapters.proofs import SqlProofs
from sender.adapters.resends import SqlResends
from sender.adapters.tables import SETTINGS
from sender.ports import Witness

CALLBACKS = "sender.callbacks"
CONSENT = "sender.consent"
SETTINGS_GROUP = "sender.settings"
STOPS = "sender.stops"
LIFECYCLE: tuple[type[CampaignEvent], ...] = (
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
_CODE = re.compile(r"[0-9]{1,9}")


async def take(transaction: Transaction, pages: list[Envelope[RecipientsResolved]]) -> None:
    """Hand pages of recipients to their handler."""
    await handlers.take_recipients(
        pages, at=now(), intake=SqlIntake(transaction), outbox=transaction
    )


async def take_singles(
    transaction: Transaction,
    asked: list[Envelope[MessageRequested]] | list[Envelope[ReplyRequested]],
) -> None:
    """Hand texts that can't wait to their handler."""
    await handlers.take_singles(asked, at=now(), intake=SqlIntake(transaction), outbox=transaction)


async def follow(transaction: Transaction, events: list[Envelope[CampaignEvent]]) -> None:
    """Hand steps in campaigns' lives to their handler."""
    await handlers.follow_campaigns(events, controls=SqlControls(transaction))


async def cancel(transaction: Transaction, commands: list[Envelope[RunCancelRequested]]) -> None:
    """Hand commands to cancel runs to their handler."""
    await handlers.cancel_runs(commands, controls=SqlControls(transaction))


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


def own_group(name: str, instance: str) -> str:
    """Name the group by which one process hears of every opt-out, stop and setting.

    Each for itself: while a partition's reader is dead or stopped, the others must not go on
    sending to whoever has just opted out, or what was stopped. All fold into the same tables, so
    hearing it twice is harmless.
    """
    return f"{name}.{instance}"


def heard_first(instance: str) -> list[tuple[str, str]]:
    """Return the groups and topics that are read to their end before anything is sent."""
    return [
        (own_group(CONSENT, instance), "consent.changed"),
        (own_group(SETTINGS_GROUP, instance), "organization.settings"),
        *((own_group(STOPS, instance), topic) for topic in ("campaign.lifecycle", "run.commands")),
    ]


def subscriptions(
    *,
    instance: str,
    wake: Callable[[], None],
    wake_urgent: Callable[[], None],
    stops_changed: Callable[[], None],
    settings_changed: Callable[[], None],
) -> list[Subscription]:
    """Return all that the sender listens to; each waits for none of the others."""
    return [
        # What can't wait never waits behind pages.
        Subscription(
            "sender.singles",
            ("message.requested", "reply.requested"),
            {MessageRequested: take_singles, ReplyRequested: take_singles},
            after_commit=wake_urgent,
        ),
        Subscription(
            STOPS,
            ("campaign.lifecycle", "run.commands"),
            {**dict.fromkeys(LIFECYCLE, follow), RunCancelRequested: cancel},
            skips=frozenset({RunResendRequested}),
            group=own_group(STOPS, instance),
            after_commit=stops_changed,
        ),
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
            CONSENT,
            ("consent.changed",),
            {ConsentChanged: heed},
            group=own_group(CONSENT, instance),
        ),
        Subscription(
            "sender.decisions",
            ("message.decisions",),
            {MessageResolutionDecided: decide},
            after_commit=wake,
        ),
        # A run is a transaction of its own, however many messages it missed.
        Subscription(
            "sender.commands",
            ("run.commands",),
            {RunResendRequested: resend},
            skips=frozenset({RunCancelRequested}),
            max_records=1,
            after_commit=wake,
        ),
        Subscription(
            SETTINGS_GROUP,
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            group=own_group(SETTINGS_GROUP, instance),
            after_commit=settings_changed,
        ),
    ]


def _code(said: str) -> int:
    return int(said) if _CODE.fullmatch(said) else 0
