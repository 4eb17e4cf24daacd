"""The composition root of the projections."""

import asyncio

from chassis.logs import get_logger
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.workers import Worker
from projections.adapters.generation import open_generation, store_of
from projections.settings import ProjectionsSettings
from projections.subscribers import subscriptions
from readmodels.generations import FIRST, Pointer, serving


def make(
    settings: ServiceSettings | None = None,
    own: ProjectionsSettings | None = None,
    *,
    generation: int = FIRST,
) -> Service:
    """Put the projections together, for the generation of read models that serves.

    The service stops by itself when another generation serves.
    """
    settings = settings or ServiceSettings()
    own = own or ProjectionsSettings()
    store = store_of(settings, generation)
    pointer = Pointer(settings)

    async def watch() -> bool:
        if not service.stop_requested.is_set() and await pointer.generation() != generation:
            get_logger().info("Another generation of the read models serves.")
            service.stop_requested.set()
        return False

    async def prepare() -> None:
        await open_generation(store)

    service = Service(
        "projections",
        settings,
        store,
        subscriptions=subscriptions(events_at_once=own.events_at_once, generation=generation),
        workers=[Worker("projections.generation", watch, idle_seconds=own.look_seconds)],
        before=[prepare],
        after=[pointer.close],
    )
    return service


def main() -> None:
    """Run the projections in this process; go on with the next generation when one takes over."""
    settings, own = ServiceSettings(), ProjectionsSettings()
    generation, now_serving = 0, asyncio.run(serving(settings))
    while generation != now_serving:
        generation = now_serving
        run(lambda: make(settings, own, generation=generation))  # noqa: B023 - it runs at once.
        now_serving = asyncio.run(serving(settings))
