"""The composition root of the gateway."""

import asyncio
from pathlib import Path

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from gateway.adapters.bell import LocalBell
from gateway.adapters.desk import SqlDesk
from gateway.adapters.imis import HttpImis
from gateway.adapters.readmodels import StoredReadModels
from gateway.adapters.stops import RedisStops
from gateway.adapters.tables import METADATA
from gateway.handlers.housekeeping import Housekeeping
from gateway.routes.app import make_routes
from gateway.routes.deps import Gateway
from gateway.settings import GatewaySettings
from gateway.subscribers import subscriptions
from timing.quiet import standard

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: GatewaySettings | None = None) -> Service:
    """Put the gateway together."""
    settings = settings or ServiceSettings()
    own = own or GatewaySettings()
    store = Store(settings, name="gateway", metadata=METADATA, migrations=MIGRATIONS)
    models = StoredReadModels(settings)
    bell = LocalBell()
    stops = RedisStops.at(None if own.redis_url is None else own.redis_url.get_secret_value())
    desk = SqlDesk(store)
    keeping = Housekeeping(desk, now)

    async def pause(seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await service.stop_requested.wait()
        except TimeoutError:
            return False
        return True

    gateway = Gateway(
        own=own,
        desk=desk,
        imis=HttpImis(timeout_seconds=own.imis_timeout_seconds),
        models=models,
        seal=SecretBox(settings.secret_key),
        bell=bell,
        stops=stops,
        rules=standard(),
        clock=now,
        pause=pause,
    )
    service = Service(
        "gateway",
        settings,
        store,
        subscriptions=subscriptions(ring=bell.ring, clock=now),
        workers=[
            Worker(f"gateway.{name}", step, idle_seconds=own.housekeeping_seconds)
            for name, step in (
                ("archiving", keeping.archive),
                ("ending", keeping.end),
                ("forgetting", keeping.forget),
            )
        ],
        routes=make_routes(gateway),
        after=[models.close, stops.close],
    )
    return service


def main() -> None:
    """Run the gateway in this process."""
    run(make)
