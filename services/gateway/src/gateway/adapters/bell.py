"""A bell within one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LocalListening:
    """An ear for the bell; a ring between two waits isn't missed."""

    def __init__(self) -> None:
        self.rang = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self.rang.wait()
        except TimeoutError:
            return
        self.rang.clear()


class LocalBell:
    """Wakes everybody who listens."""

    def __init__(self) -> None:
        self._listening: set[LocalListening] = set()

    def ring(self) -> None:
        """Wake them."""
        for each in self._listening:
            each.rang.set()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[LocalListening]:
        """Notice every ring from now on."""
        ear = LocalListening()
        self._listening.add(ear)
        try:
            yield ear
        finally:
            self._listening.discard(ear)
