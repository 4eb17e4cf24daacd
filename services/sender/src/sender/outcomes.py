"""Outcomes are committed by the batch: whatever came in while the last one was written."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from chassis.batches import is_outage
from chassis.logs import describe, get_logger
from sender.domain.messages import Lane
from sender.ports import Ledger, Result

BATCH = 500
LINGER_SECONDS = 0.015


class Outcomes:
    """Collects what became of claims and writes it down."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._queue: asyncio.Queue[tuple[Lane, Result] | None] = asyncio.Queue()
        self._open: Counter[Lane] = Counter()
        self._listeners: list[Callable[[], None]] = []

    def open_in(self, lane: Lane) -> int:
        """Return how many claims of a lane have no committed outcome yet."""
        return self._open[lane]

    def opened(self, lane: Lane, count: int) -> None:
        """Count new claims."""
        self._open[lane] += count

    def put(self, lane: Lane, result: Result) -> None:
        """Hand in what became of a claim."""
        self._queue.put_nowait((lane, result))

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call the listener when connections became free."""
        self._listeners.append(listener)

    def stop(self) -> None:
        """Write what is there, and end."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Write outcomes until told to stop; an outage is waited out, nothing is dropped."""
        last = False
        while not last:
            batch = [await self._queue.get()]
            if batch[0] is not None:
                # One transaction for what comes in within a moment costs a tenth of one each.
                await asyncio.sleep(LINGER_SECONDS)
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            last = None in batch
            results = [each for each in batch if each is not None]
            await self._write([result for _, result in results])
            for lane, _ in results:
                self._open[lane] -= 1
            for listener in self._listeners:
                listener()

    async def _write(self, results: list[Result]) -> None:
        delay = 0.05
        while results:
            try:
                await self._ledger.settle(results, at=self._clock())
            except Exception as error:
                if not is_outage(error):
                    raise
                get_logger().warning("Outcomes wait for the database.", **describe(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
            else:
                return
