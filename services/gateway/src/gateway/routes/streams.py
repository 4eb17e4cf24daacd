"""Server-sent events: something is looked at again and again, and told when it has changed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from fastapi.responses import StreamingResponse

from gateway.domain.records import StaffSession
from gateway.handlers.sessions import still_signed_in
from gateway.routes.deps import Gateway

HEARTBEAT = b": alive\n\n"
T = TypeVar("T")


def event(name: str, shown: str) -> bytes:
    """Return one event; JSON holds no line break, so the data is one line."""
    return f"event: {name}\ndata: {shown}\n\n".encode()


async def changes_of(
    look: Callable[[], Awaitable[T]],
    *,
    name: str,
    show: Callable[[T], str],
    over: Callable[[T], bool],
    pause: Callable[[float], Awaitable[bool]],
    every_seconds: float,
    heartbeat_seconds: float,
) -> AsyncIterator[bytes]:
    """Tell each change until it is over, or until `pause` says that it must end."""
    told: str | None = None
    spoke_at = time.monotonic()
    while True:
        seen = await look()
        shown = show(seen)
        if shown != told:
            told, spoke_at = shown, time.monotonic()
            yield event(name, shown)
        elif time.monotonic() - spoke_at >= heartbeat_seconds:
            spoke_at = time.monotonic()
            yield HEARTBEAT
        if over(seen):
            yield event("end", shown)
            return
        if await pause(every_seconds):
            return


def stream(
    look: Callable[[], Awaitable[T]],
    *,
    name: str,
    show: Callable[[T], str],
    over: Callable[[T], bool],
    staff: StaffSession,
    gateway: Gateway,
) -> StreamingResponse:
    """Answer with changes; the stream ends with the session, and with the process."""

    async def pause(seconds: float) -> bool:
        stopping = await gateway.pause(seconds)
        return stopping or not await still_signed_in(staff, desk=gateway.desk, clock=gateway.clock)

    parts = changes_of(
        look,
        name=name,
        show=show,
        over=over,
        pause=pause,
        every_seconds=gateway.own.progress_seconds,
        heartbeat_seconds=gateway.own.heartbeat_seconds,
    )
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(parts, media_type="text/event-stream", headers=headers)


def described(name: str, *names: str, description: str) -> dict[int | str, dict[str, object]]:
    """Return how such an answer is described; of each event, as its fields are read."""
    return {
        200: {
            "description": description,
            "content": {
                "text/event-stream": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "event": {"enum": [name, *names]},
                            "data": {"type": "string", "contentMediaType": "application/json"},
                        },
                        "required": ["event", "data"],
                    }
                }
            },
        }
    }
