"""Which topic goes to which handler.

Members' texts and Twilio's refusals are two subscriptions, so that a STOP never waits behind the
flood of statuses.
"""

from collections.abc import Callable

from chassis.secrets import Fingerprints
from chassis.store import Store, Transaction
from chassis.subscription import Subscription
from consent import handlers
from consent.adapters.aside import SqlAside, SqlOrganizations
from consent.adapters.ledger import SqlLedger
from consent.adapters.reviews import SqlReviews
from consent.adapters.tables import SETTINGS
from consent.adapters.watch import LoggingWatch
from contracts.envelope import Envelope
from contracts.events.consent import ConsentDecided, OptOutsImported, ReviewDecided
from contracts.events.message import MessageStatusChanged
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioMessageReceived

WATCH = LoggingWatch()
COMMANDS_AT_ONCE = 4
"""A part of an imported list is hundreds of numbers, and a transaction must stay short."""


class Hearing:
    """Hands what was told to its handler, with the ports of one transaction."""

    def __init__(self, names: Fingerprints, *, at_once: int) -> None:
        self._names = names
        self._at_once = at_once

    async def texts(
        self, transaction: Transaction, told: list[Envelope[TwilioMessageReceived]]
    ) -> None:
        """Take members' texts."""
        await handlers.take_texts(
            told,
            organizations=SqlOrganizations(transaction),
            names=self._names,
            ledger=SqlLedger(transaction),
            reviews=SqlReviews(transaction),
            aside=SqlAside(transaction),
            outbox=transaction,
            watch=WATCH,
        )

    async def refusals(
        self, transaction: Transaction, told: list[Envelope[MessageStatusChanged]]
    ) -> None:
        """Take messages' statuses."""
        await handlers.take_refusals(
            told,
            organizations=SqlOrganizations(transaction),
            names=self._names,
            ledger=SqlLedger(transaction),
            aside=SqlAside(transaction),
            outbox=transaction,
            watch=WATCH,
        )

    async def staff(self, transaction: Transaction, told: list[Envelope[ConsentDecided]]) -> None:
        """Take staff's opt-outs and opt-ins."""
        await handlers.follow_staff(
            told,
            organizations=SqlOrganizations(transaction),
            names=self._names,
            ledger=SqlLedger(transaction),
            outbox=transaction,
        )

    async def imports(
        self, transaction: Transaction, told: list[Envelope[OptOutsImported]]
    ) -> None:
        """Take lists of opt-outs."""
        await handlers.import_opt_outs(
            told, names=self._names, ledger=SqlLedger(transaction), outbox=transaction
        )

    async def reviews(self, transaction: Transaction, told: list[Envelope[ReviewDecided]]) -> None:
        """Take what staff made of members' texts."""
        await handlers.decide_reviews(
            told,
            organizations=SqlOrganizations(transaction),
            names=self._names,
            ledger=SqlLedger(transaction),
            reviews=SqlReviews(transaction),
            outbox=transaction,
        )

    async def again(self, store: Store) -> bool:
        """Take what was set aside by older settings; returns whether there was any."""
        async with store.transaction() as transaction:
            told = await SqlAside(transaction).take(limit=self._at_once)
            texts = [each for each in told if isinstance(each.event, TwilioMessageReceived)]
            refusals = [each for each in told if isinstance(each.event, MessageStatusChanged)]
            if texts:
                await self.texts(transaction, texts)
            if refusals:
                await self.refusals(transaction, refusals)
        return bool(told)


def subscriptions(
    hearing: Hearing, *, wake: Callable[[], None], at_once: int
) -> list[Subscription]:
    """Return all that the consent service listens to."""
    return [
        Subscription(
            "consent.texts",
            ("twilio.inbound",),
            {TwilioMessageReceived: hearing.texts},
            max_records=at_once,
        ),
        Subscription(
            "consent.refusals",
            ("message.status-changed",),
            {MessageStatusChanged: hearing.refusals},
            max_records=at_once,
        ),
        Subscription(
            "consent.commands",
            ("consent.commands",),
            {
                ConsentDecided: hearing.staff,
                OptOutsImported: hearing.imports,
                ReviewDecided: hearing.reviews,
            },
            max_records=COMMANDS_AT_ONCE,
        ),
        Subscription(
            "consent.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        ),
    ]
