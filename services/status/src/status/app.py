"""The composition root of the status service."""

from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from status.adapters.tables import METADATA
from status.settings import StatusSettings
from status.subscribers import subscriptions


def make(settings: ServiceSettings | None = None, own: StatusSettings | None = None) -> Service:
    """Put the status service together."""
    settings = settings or ServiceSettings()
    own = own or StatusSettings()
    return Service(
        "status",
        settings,
        Store(settings, name="status", metadata=METADATA),
        subscriptions=subscriptions(facts_at_once=own.facts_at_once),
    )


def main() -> None:
    """Run the status service in this process."""
    run(make)
