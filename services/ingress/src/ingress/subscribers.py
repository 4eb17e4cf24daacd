"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.subscription import Subscription
from contracts.events.organization import OrganizationSettingsChanged
from ingress.adapters.tables import SETTINGS


def subscriptions(*, wake: Callable[[], None]) -> list[Subscription]:
    """Return all that the ingress listens to."""
    return [
        Subscription(
            "ingress.settings",
            ("organization.settings",),
            {OrganizationSettingsChanged: SETTINGS.fold},
            after_commit=wake,
        )
    ]
