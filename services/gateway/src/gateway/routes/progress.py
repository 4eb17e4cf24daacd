"""Server-sent events of a run's progress."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict

from gateway.domain.views import OVER, Progress
from gateway.routes.run_shapes import ProgressView

HEARTBEAT = b": alive\n\n"


async def progress_of(
    look: Callable[[], Awaitable[Progress]],
    *,
    pause: Callable[[float], Awaitable[bool]],
    every_seconds: float,
    heartbeat_seconds: float,
) -> AsyncIterator[bytes]:
    """Tell each change of a run until it is over, or until `pause` says that it must end."""
    told: Progress | None = None
    spoke_at = time.monotonic()
    while True:
        progress = await look()
        if progress != told:
            told, spoke_at = progress, time.monotonic()
            yield event("progress", progress)
        elif time.monotonic() - spoke_at >= heartbeat_seconds:
            spoke_at = time.monotonic()
            yield HEARTBEAT
        # The run's end may be projected before the last of its messages are.
        if progress.state in OVER and not progress.by_status.get("preparing"):
            yield event("end", progress)
            return
        if await pause(every_seconds):
            return


def event(name: str, progress: Progress) -> bytes:
    """Return one event; JSON holds no line break, so the data is one line."""
    shown = ProgressView(**asdict(progress)).model_dump_json()
    return f"event: {name}\ndata: {shown}\n\n".encode()
