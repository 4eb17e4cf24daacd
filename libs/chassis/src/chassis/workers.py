"""Slow work outside the consumers: a worker steps when woken, and now and then anyway."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from chassis import metrics
from chassis.batches import is_outage
from chassis.logs import describe, get_logger

Step = Callable[[], Awaitable[bool]]
"""Does a piece of work; returns whether there may be more to do at once."""


class Running(Protocol):
    """A part of a service that goes on until it is told to stop."""

    name: str

    async def run(self) -> None:
        """Work until told to stop, and finish what is in hand."""

    def stop(self) -> None:
        """Let what is in hand be the last."""


class Worker:
    """Repeats a step until told to stop; a failure delays it and never ends it."""

    def __init__(self, name: str, step: Step, *, idle_seconds: float = 1.0) -> None:
        self.name = name
        self._step = step
        self._idle_seconds = idle_seconds
        self._wake = asyncio.Event()
        self.stopping = asyncio.Event()

    def wake(self) -> None:
        """Say that there is work."""
        self._wake.set()

    async def run(self) -> None:
        """Step until told to stop, and finish the step in hand."""
        delay = 0.1
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                more = await self._step()
            except Exception as error:  # noqa: BLE001 - a worker outlives whatever its step meets.
                outage = is_outage(error)
                get_logger().log(
                    30 if outage else 40,
                    "A worker's step failed.",
                    worker=self.name,
                    **describe(error),
                )
                metrics.WORKER_STEPS.labels(self.name, "outage" if outage else "failed").inc()
                await self.wait(delay)
                delay = min(delay * 2, 10.0)
                continue
            delay = 0.1
            metrics.WORKER_STEPS.labels(self.name, "done").inc()
            if not more:
                await self.wait(self._idle_seconds)

    async def wait(self, seconds: float) -> None:
        """Wait until woken, told to stop, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Let the step in hand be the last."""
        self.stopping.set()
        self._wake.set()
