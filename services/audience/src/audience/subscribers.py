"""Which topic goes to which handler."""

from collections.abc import Callable

from audience import handlers
from audience.adapters import optouts
from audience.adapters.intake import SqlIntake
from audience.adapters.tables import SETTINGS
from audience.adapters.uploads import SqlUploads
from chassis.instants import now
from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewRequested, AudienceRowsUploaded
from contracts.events.campaign import CampaignDue, OccurrencesSkipped
from contracts.events.consent import ConsentChanged
from contracts.events.organization import OrganizationSettingsChanged

OPT_OUTS_GROUP = "audience.opt-outs"


async def take_runs(transaction: Transaction, runs: list[Envelope[CampaignDue]]) -> None:
    """Hand runs to their handler."""
    await handlers.take_runs(runs, at=now(), intake=SqlIntake(transaction))


async def take_previews(
    transaction: Transaction, requests: list[Envelope[AudiencePreviewRequested]]
) -> None:
    """Hand requests for previews to their handler."""
    await handlers.take_previews(requests, at=now(), intake=SqlIntake(transaction))


async def take_uploads(
    transaction: Transaction, parts: list[Envelope[AudienceRowsUploaded]]
) -> None:
    """Hand parts of uploaded lists to their handler."""
    await handlers.take_uploads(parts, uploads=SqlUploads(transaction))


def subscriptions(
    *, wake_runs: Callable[[], None], wake_previews: Callable[[], None]
) -> list[Subscription]:
    """Return all that the audience service listens to."""

    def wake_all() -> None:
        wake_runs()
        wake_previews()

    return [
        Subscription(
            "audience.runs",
            ("campaign.due",),
            {CampaignDue: take_runs},
            skips=frozenset({OccurrencesSkipped}),
            after_commit=wake_runs,
        ),
        Subscription(
            "audience.previews",
            ("audience.preview-requested",),
            {AudiencePreviewRequested: take_previews},
            after_commit=wake_previews,
        ),
        Subscription(
            "audience.uploads", ("audience.uploads",), {AudienceRowsUploaded: take_uploads}
        ),
        Subscription(OPT_OUTS_GROUP, ("consent.changed",), {ConsentChanged: optouts.fold}),
        Subscription(
            "audience.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake_all,
        ),
    ]
