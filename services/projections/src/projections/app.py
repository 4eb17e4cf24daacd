"""The composition root of the projections."""

from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from projections.settings import ProjectionsSettings
from projections.subscribers import subscriptions
from readmodels.tables import METADATA, STORE_NAME


def make(
    settings: ServiceSettings | None = None, own: ProjectionsSettings | None = None
) -> Service:
    """Put the projections together."""
    settings = settings or ServiceSettings()
    own = own or ProjectionsSettings()
    return Service(
        "projections",
        settings,
        Store(settings, name=STORE_NAME, metadata=METADATA),
        subscriptions=subscriptions(events_at_once=own.events_at_once),
    )


def main() -> None:
    """Run the projections in this process."""
    run(make)
