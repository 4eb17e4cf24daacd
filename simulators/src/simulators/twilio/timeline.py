"""One timer for everything that is due later: a heap, not a sleeping task for each text."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

# What falls due within this time of the first is handled with it: one wake-up, one write.
_TICK_SECONDS = 0.005

Due = TypeVar("Due")


class Timeline(Generic[Due]):
    """Hands over what is due, in the order of its time, in lots."""

    def __init__(self, handle: Callable[[list[Due]], None]) -> None:
        self._handle = handle
        self._heap: list[tuple[float, int, Due]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._stopped = False

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, item: Due, *, in_seconds: float) -> None:
        """Have an item handed over after a while."""
        due = self._loop.time() + in_seconds
        heapq.heappush(self._heap, (due, next(self._order), item))
        if self._timer is None or due < self._timer.when() - _TICK_SECONDS:
            self._set_timer()

    def stop(self) -> None:
        """Hand over nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        if self._stopped:
            return
        if self._timer is not None:
            self._timer.cancel()
        earliest = max(self._heap[0][0], self._loop.time())
        self._timer = self._loop.call_at(earliest + _TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now, due = self._loop.time(), []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        if due:
            self._handle(due)
        if self._heap and self._timer is None:
            self._set_timer()
