"""Runs a whole installation on one machine: engines, simulators and services, kept alive.

async with Supervisor(Options(state_dir=path)) as system:
    await system.wait_ready()
    print(system.addresses.gateway)
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Self

from contracts.topics import TOPICS
from textmanager import runfile
from textmanager.child import Patience, ProcessEvent, Spec
from textmanager.children import Children
from textmanager.engines.topics import create_topics
from textmanager.errors import UserError
from textmanager.files import require_free_space
from textmanager.migrate import migrate
from textmanager.plan import Addresses, Options, Plan
from textmanager.seed import seed_demo_organization
from textmanager.supervised import watched

NEEDED_MEBIBYTES = 500
# The name of the thread that fetches and formats.
PREPARATION = "prepare engines"
ENGINE_TIMEOUT_SECONDS = 60.0
READY_TIMEOUT_SECONDS = 60.0
# What a stop may take in all; a promise of the README is "under 10 s".
SERVICE_GRACE_SECONDS = 7.5
STOP_SECONDS = 9.5
SIMULATOR_GRACE_SECONDS = 1.0
VALKEY_GRACE_SECONDS = 1.0
POSTGRESQL_GRACE_SECONDS = 2.5
LEAST_GRACE_SECONDS = 0.3


class Supervisor:
    """Everything of one state directory, started in order, kept, and stopped in order.

    As a context manager it starts on entering and stops on leaving. Raises UserError for what
    the user can put right: a second one on the same state, a port in use, a full disk, a
    download that failed, a process that does not come up.
    """

    def __init__(self, options: Options, environ: Mapping[str, str] | None = None) -> None:
        self.options = options
        self._environ = os.environ if environ is None else environ
        self._state_dir = options.state_dir.resolve()
        self._lock = runfile.UpLock(self._state_dir)
        self._children = Children(self._state_dir, patience=_patience(self._environ))
        self._plan: Plan | None = None
        self._stages: dict[str, list[Spec]] = {}

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def plan(self) -> Plan:
        """What was decided to run; known from the start on."""
        assert self._plan is not None, "the supervisor is not started"
        return self._plan

    @property
    def addresses(self) -> Addresses:
        """Where everything answers."""
        return self.plan.addresses

    @property
    def operator_token(self) -> str:
        """The token that creates and changes organisations."""
        return self.plan.operator_token

    @property
    def processes(self) -> list[runfile.Running]:
        """Every process as it is now."""
        return self._children.list()

    def events(self) -> AsyncIterator[ProcessEvent]:
        """Every start and end of a process from now on."""
        return self._children.events()

    async def start(self) -> None:
        """Start everything; engines are ready and topics made before the first service starts."""
        require_free_space(self._state_dir, mebibytes=NEEDED_MEBIBYTES)
        self._lock.__enter__()
        await asyncio.to_thread(runfile.end_leftovers, self._state_dir)
        plan = self._plan = Plan(self.options, self._environ)
        self._start("simulators", plan.simulator_specs())
        await _without_waiting_at_exit(self._prepare_engines)
        self._start("engines", plan.engine_specs())
        await self._children.wait_ready(plan.engines, timeout_seconds=ENGINE_TIMEOUT_SECONDS)
        prefix = self._environ.get("TEXTMANAGER_TOPIC_PREFIX", "")
        topics = create_topics(self.addresses.kafka, TOPICS, prefix=prefix)
        await asyncio.gather(topics, self._migrate())
        self._start("services", plan.service_specs())

    def _prepare_engines(self) -> None:
        for engine in self.plan.engines.values():
            engine.prepare()

    async def _migrate(self) -> None:
        """Bring the tables up to the code, which the services only check."""
        try:
            await migrate(self.addresses.database, self.options.services)
        except OSError as error:
            raise UserError(
                f"The database does not answer ({error}): start it, or correct "
                "TEXTMANAGER_DATABASE_URL."
            ) from error

    def _start(self, stage: str, specs: list[Spec]) -> None:
        self._stages[stage] = specs
        self._children.start(map(watched, specs))

    async def is_ready(self, name: str) -> bool:
        """Whether one process runs and does its work."""
        return await self._children[name].is_ready()

    async def wait_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Return once every process is ready; raise UserError naming the one that is not."""
        names = [spec.name for specs in self._stages.values() for spec in specs]
        await self._children.wait_ready(names, timeout_seconds=timeout_seconds)

    async def seed(self) -> bool:
        """Make the demo organisation, and say so, when both outsides are simulated."""
        if len(self.plan.simulated) < 2 or "gateway" not in self.options.services:
            return False
        await seed_demo_organization(
            gateway_url=self.addresses.gateway,
            operator_token=self.operator_token,
            imis_url=self.addresses.imis,
        )
        return True

    def kill(self, name: str) -> int | None:
        """End one process with SIGKILL, as a crash would; it comes back. Returns its pid."""
        return self._children[name].kill()

    async def stop(self) -> None:
        """Stop everything in order, in under 10 s whatever hangs; harmless to repeat."""
        deadline = time.monotonic() + STOP_SECONDS
        await self._stop("services", SERVICE_GRACE_SECONDS)
        await self._stop("simulators", SIMULATOR_GRACE_SECONDS)
        engines = self._stages.pop("engines", [])
        names = [spec.name for spec in engines]
        if "valkey" in names:
            await self._children.stop(["valkey"], grace_seconds=VALKEY_GRACE_SECONDS)
        if "postgresql" in names:
            # It writes to the disk what it has in memory; killed, it does so at its next start.
            left = min(POSTGRESQL_GRACE_SECONDS, deadline - time.monotonic())
            grace = max(LEAST_GRACE_SECONDS, left)
            await self._children.stop(["postgresql"], grace_seconds=grace)
        if "kafka" in names:
            # It loses nothing by being killed; it only starts more slowly the next time.
            left = max(LEAST_GRACE_SECONDS, deadline - time.monotonic())
            await self._children.stop(["kafka"], grace_seconds=left)
        self._lock.__exit__(None, None, None)

    async def _stop(self, stage: str, grace_seconds: float) -> None:
        names = [spec.name for spec in self._stages.pop(stage, [])]
        await self._children.stop(names, grace_seconds=grace_seconds)


def _patience(environ: Mapping[str, str]) -> Patience:
    """How long a process may be silent: TEXTMANAGER_UNREACHABLE_SECONDS, 20 unless set."""
    given = environ.get("TEXTMANAGER_UNREACHABLE_SECONDS", "")
    try:
        seconds = float(given or Patience().seconds)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise UserError(f"TEXTMANAGER_UNREACHABLE_SECONDS is a number above 0, not {given!r}.")
    return Patience(seconds=seconds)


async def _without_waiting_at_exit(work: Callable[[], None]) -> None:
    """Do it in a thread that Ctrl-C does not wait for, as it may be in the middle of a download.

    The thread must not end while it has tethered children, and it does not: it waits for them.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def body() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - handed to the one who waits
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=body, daemon=True, name=PREPARATION).start()
    await done
