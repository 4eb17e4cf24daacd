"""Workers that move what waits: out of what was cancelled, into the night and out of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sender.ports import Sweeps


class Sweeping:
    """Steps for workers; each says whether there may be more to do at once."""

    def __init__(
        self, sweeps: Sweeps, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._sweeps = sweeps
        self._clock = clock
        self._wake = wake

    async def leave_out_cancelled(self) -> bool:
        """Leave out a part of what was cancelled (X-6)."""
        return await self._sweeps.leave_out_cancelled(at=self._clock()) > 0

    async def leave_out_stranded(self) -> None:
        """Leave out single texts whose number is gone."""
        await self._sweeps.leave_out_stranded(at=self._clock())

    async def keep_hours(self) -> bool:
        """Let go what the hour is fit for, and hold what it no longer is (X-4)."""
        let_go, held = await self._sweeps.keep_hours(at=self._clock())
        if let_go:
            self._wake()
        return let_go + held > 0


def every(step: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[bool]]:
    """Make a worker's step of what is done now and then, however much there was to do."""

    async def once() -> bool:
        await step()
        return False

    return once
