"""The composition root of the consent service."""

from pathlib import Path

from chassis.secrets import Fingerprints
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from consent.adapters.tables import METADATA
from consent.settings import ConsentSettings
from consent.subscribers import Hearing, subscriptions

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: ConsentSettings | None = None) -> Service:
    """Put the consent service together."""
    settings = settings or ServiceSettings()
    own = own or ConsentSettings()
    # Twilio tells a STOP once, and a text after it is against the law.
    store = Store(
        settings, name="consent", metadata=METADATA, power_safe=True, migrations=MIGRATIONS
    )
    hearing = Hearing(Fingerprints(settings.secret_key), at_once=own.facts_at_once)

    async def hear_again() -> bool:
        return await hearing.again(store)

    again = Worker("consent.aside", hear_again, idle_seconds=own.aside_seconds)
    return Service(
        "consent",
        settings,
        store,
        subscriptions=subscriptions(hearing, wake=again.wake, at_once=own.facts_at_once),
        workers=[again],
    )


def main() -> None:
    """Run the consent service in this process."""
    run(make)
