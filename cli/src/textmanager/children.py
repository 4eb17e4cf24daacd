"""The processes of one state directory: kept, listed in `run.json`, and stopped together."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from textmanager import runfile
from textmanager.child import Backoff, Child, Patience, ProcessEvent, Spec
from textmanager.errors import UserError
from textmanager.files import tail

POLL_SECONDS = 0.05
WRITE_AGAIN_SECONDS = 1.0
# A process that ended by itself this often, and was never ready in between, has a cause that
# waiting will not cure.
HOPELESS_STARTS = 4


class Children:
    """A set of kept processes whose every change is written to `run.json`."""

    def __init__(
        self,
        state_dir: Path,
        *,
        backoff: type[Backoff] = Backoff,
        patience: Patience | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._backoff = backoff
        self._patience = patience
        self._children: dict[str, Child] = {}
        self._unwritten: asyncio.TimerHandle | None = None
        self._listeners: set[asyncio.Queue[ProcessEvent]] = set()

    def __getitem__(self, name: str) -> Child:
        """The child of this name; a service's bare name means its first replica."""
        return self._children.get(name) or self._children[f"{name}-1"]

    def start(self, specs: Iterable[Spec]) -> None:
        """Start and keep these processes from now on."""
        for spec in specs:
            child = Child(
                spec, announce=self._on_change, backoff=self._backoff(), patience=self._patience
            )
            self._children[spec.name] = child
            child.start()

    def list(self) -> list[runfile.Running]:
        """Every process as it is now, in the order of their start."""
        return [child.now() for child in self._children.values()]

    async def wait_ready(self, names: Iterable[str], *, timeout_seconds: float) -> None:
        """Return once all of these answer; raise UserError naming the one that does not."""
        deadline = time.monotonic() + timeout_seconds
        await asyncio.gather(*(self._wait_one(self[name], deadline) for name in names))

    async def _wait_one(self, child: Child, deadline: float) -> None:
        spec = child.spec
        while not await child.is_ready():
            if child.failed_starts >= HOPELESS_STARTS:
                raise UserError(self._failure(spec, "keeps ending before it is ready"))
            if time.monotonic() > deadline:
                raise UserError(self._failure(spec, "did not become ready in time"))
            await asyncio.sleep(POLL_SECONDS)

    @staticmethod
    def _failure(spec: Spec, what: str) -> str:
        last = tail(spec.command.log, lines=1) or tail(spec.log, lines=1) or "nothing"
        return f"{spec.name} {what}: see {spec.log} (last words: {last})"

    async def stop(self, names: Iterable[str], *, grace_seconds: float) -> None:
        """Stop these together, each with SIGKILL once the grace is over."""
        await asyncio.gather(*(self[name].stop(grace_seconds) for name in names))

    async def events(self) -> AsyncIterator[ProcessEvent]:
        """Every start and end from now on."""
        queue: asyncio.Queue[ProcessEvent] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def _on_change(self, event: ProcessEvent) -> None:
        self._write_list()
        for queue in self._listeners:
            queue.put_nowait(event)

    def _write_list(self) -> None:
        if self._unwritten is not None:
            self._unwritten.cancel()
            self._unwritten = None
        try:
            runfile.write(self._state_dir, self.list())
        except OSError:
            # A full disk must not end what keeps a process; the list follows when there is room.
            loop = asyncio.get_running_loop()
            self._unwritten = loop.call_later(WRITE_AGAIN_SECONDS, self._write_list)
