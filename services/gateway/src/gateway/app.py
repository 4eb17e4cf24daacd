"""The composition root of the gateway."""

import asyncio
from pathlib import Path

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from gateway.adapters.bell import LocalBell
from gateway.adapters.desk import SqlDesk
from gateway.adapters.imis import HttpImis
from gateway.adapters.readmodels import StoredReadModels
from gateway.adapters.tables import METADATA
from gateway.routes.app import make_routes
from gateway.routes.deps import Gateway
from gateway.settings import GatewaySettings
from gateway.subscribers import subscriptions

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: GatewaySettings | None = None) -> Service:
    """Put the gateway together."""
    settings = settings or ServiceSettings()
    own = own or GatewaySettings()
    store = Store(settings, name="gateway", metadata=METADATA, migrations=MIGRATIONS)
    models = StoredReadModels(settings)
    bell = LocalBell()

    async def pause(seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await service.stop_requested.wait()
        except TimeoutError:
            return False
        return True

    gateway = Gateway(
        own=own,
        desk=SqlDesk(store),
        imis=HttpImis(timeout_seconds=own.imis_timeout_seconds),
        models=models,
        seal=SecretBox(settings.secret_key),
        bell=bell,
        clock=now,
        pause=pause,
    )
    service = Service(
        "gateway",
        settings,
        store,
        subscriptions=subscriptions(ring=bell.ring, clock=now),
        routes=make_routes(gateway),
        after=[models.close],
    )
    return service


def main() -> None:
    """Run the gateway in this process."""
    run(make)
