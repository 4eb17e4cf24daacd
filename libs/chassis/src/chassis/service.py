"""One service in one process: everything started in order, and stopped in the reverse one."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka.errors import KafkaError

from chassis.batches import is_outage
from chassis.consuming import Consuming
from chassis.http import Asgi, HealthApp, make_server
from chassis.logs import configure, describe, get_logger
from chassis.relay import Relay
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Subscription
from chassis.workers import Running
from contracts.topics import retry_topic

Hook = Callable[[], Awaitable[None]]


class Service:
    """A service, composed; `run` returns when it was told to stop and has stopped."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        store: Store,
        *,
        subscriptions: Sequence[Subscription] = (),
        workers: Sequence[Running] = (),
        routes: Asgi | None = None,
        before: Sequence[Hook] = (),
        after: Sequence[Hook] = (),
    ) -> None:
        self.name = name
        self._settings = settings
        self._store = store
        self._workers = workers
        self._before = before
        self._after = after
        self._subscriptions = subscriptions
        self._consuming: Consuming | None = None
        self._ready = False
        self.stop_requested = asyncio.Event()
        app = HealthApp(lambda: self._ready, routes)
        self._server = make_server(app, host=settings.http_host, port=settings.http_port)

    @property
    def ready(self) -> bool:
        """Whether everything is started."""
        return self._ready

    @property
    def store(self) -> Store:
        """Its database."""
        return self._store

    @property
    def topics(self) -> frozenset[str]:
        """Every topic that the service listens to; with any of them, its retry topic."""
        heard = {topic for each in self._subscriptions for topic in each.topics}
        return frozenset({*heard, retry_topic(self.name)} if heard else ())

    async def run(self) -> None:
        """Serve until SIGTERM, SIGINT, or a part that can't go on."""
        configure(
            service=self.name, instance=self._settings.instance, level=self._settings.log_level
        )
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(each, self.stop_requested.set)
        relay = Relay(self._store, self._settings)
        try:
            for step in (self._store.start, *self._before):
                await self._when_it_can(step)
            if not self.stop_requested.is_set():
                await self._serve(relay)
        finally:
            await relay.close()
            await self._store.stop()

    async def _when_it_can(self, step: Hook) -> None:
        """Take a step of the start; a database that is away is waited for."""
        delay = 0.1
        while not self.stop_requested.is_set():
            try:
                await step()
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger().warning("An outage delays the start.", **describe(error))
            else:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self.stop_requested.wait()
            delay = min(delay * 2, 5.0)

    async def _serve(self, relay: Relay) -> None:
        server = asyncio.create_task(self._server.serve(), name="http")
        relaying = asyncio.create_task(relay.run(), name="relay")
        working = [asyncio.create_task(each.run(), name=each.name) for each in self._workers]
        waiting = asyncio.create_task(self.stop_requested.wait(), name="stop")
        try:
            await self._join_groups()
            if self._consuming is not None:
                # What is alive by now stays so: the collector need not look at it again.
                gc.freeze()
                self._ready = True
                get_logger().info("Ready.", port=self._settings.http_port)
            done, _ = await asyncio.wait(
                {server, relaying, waiting, *working}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._ready = False
            await self._wind_down(server, relay, relaying, working)
            waiting.cancel()
        for task in done - {waiting}:
            # A part ended that should not have: say so, and let the supervisor start us anew.
            task.result()
            raise RuntimeError(f"{task.get_name()} ended by itself")

    async def _join_groups(self) -> None:
        """Start consuming; a broker that is away is waited for."""
        delay = 0.1
        while not self.stop_requested.is_set():
            consuming = Consuming(
                self._subscriptions, self._store, self._settings, service=self.name
            )
            try:
                await consuming.start()
            except (KafkaError, OSError) as error:
                get_logger().warning("The broker can't be reached yet.", **describe(error))
                with suppress(KafkaError, OSError):
                    await consuming.stop()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self.stop_requested.wait()
                delay = min(delay * 2, 5.0)
            else:
                self._consuming = consuming
                return

    async def _wind_down(
        self,
        server: asyncio.Task[None],
        relay: Relay,
        relaying: asyncio.Task[None],
        working: list[asyncio.Task[None]],
    ) -> None:
        """Take nothing new, finish what is in hand, publish what it said."""
        self._server.should_exit = True
        for worker in self._workers:
            worker.stop()
        if self._consuming is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(6):
                    await self._consuming.stop()
        if working:
            _, late = await asyncio.wait(working, timeout=4)
            for task in late:
                task.cancel()
        relay.stop()
        await asyncio.wait({relaying, server}, timeout=2)
        try:
            async with asyncio.timeout(1):
                await relay.drain()
        except Exception as error:
            # What is left stays in the outbox, for the process that comes after this one.
            if not is_outage(error):
                raise
        for hook in self._after:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - one failed farewell must not stop the next.
                get_logger().warning("Closing a part failed.", **describe(error))


def run(make: Callable[[], Service]) -> None:
    """Run a service in this process, on the fastest event loop that there is."""
    try:
        import uvloop  # noqa: PLC0415 - it doesn't exist on every platform.
    except ImportError:
        asyncio.run(_main(make))
    else:
        uvloop.run(_main(make))


async def _main(make: Callable[[], Service]) -> None:
    await make().run()
