"""The composition root of the imis-writer."""

from pathlib import Path
from uuid import UUID, uuid4

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.adapters.ledger import SqlLedger
from imis_writer.adapters.sites import ImisSites
from imis_writer.adapters.tables import METADATA, SETTINGS
from imis_writer.crew import Crew
from imis_writer.settings import ImisWriterSettings
from imis_writer.subscribers import subscriptions
from imis_writer.writing import OrganizationWriter


class StoredOrganizations:
    """The newest settings of each organisation, from the imis-writer's own database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        """Return an organisation's settings, if they have arrived."""
        return await SETTINGS.get(self._store, organization_id)


MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: ImisWriterSettings | None = None) -> Service:
    """Put the imis-writer together."""
    settings = settings or ServiceSettings()
    own = own or ImisWriterSettings()
    # A claim that a power cut undid would let an activity be written twice.
    store = Store(
        settings, name="imis-writer", metadata=METADATA, power_safe=True, migrations=MIGRATIONS
    )
    ledger = SqlLedger(store, instance=settings.instance, process=uuid4())
    sites = ImisSites(
        SecretBox(settings.secret_key),
        timeout=own.request_timeout,
        connect_timeout=own.connect_timeout,
    )

    def make_writer(organization_id: UUID) -> OrganizationWriter:
        return OrganizationWriter(
            organization_id,
            ledger=ledger,
            sites=sites,
            organizations=StoredOrganizations(store),
            settings=own,
            clock=now,
        )

    crew = Crew(
        make_writer, ledger, clock=now, poll_seconds=own.poll, first_look_seconds=own.first_look
    )
    return Service(
        "imis-writer",
        settings,
        store,
        subscriptions=subscriptions(wake=crew.wake),
        workers=[crew],
        after=[sites.close],
    )


def main() -> None:
    """Run the imis-writer in this process."""
    run(make)
