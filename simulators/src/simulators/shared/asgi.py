"""Raw ASGI in a few functions: a hot route pays for no framework."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")


async def read_body(receive: Receive) -> bytes:
    """Give the whole request body."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Give the first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def answer(
    send: Send, status: int, body: bytes = b"", headers: Iterable[Header] = (JSON,)
) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, length]},
    )
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: object) -> None:
    """Send a whole JSON answer."""
    await answer(send, status, orjson.dumps(content))


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the connection under the request, as a crash or a bad network would.

    What was sent before still goes out. The body must have been read. Works on
    `simulators.shared.server` only: ASGI itself has no way to say it.
    """
    scope["simulators.transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def half_an_answer(
    scope: Scope, receive: Receive, send: Send, status: int, body: bytes
) -> None:
    """Promise a whole JSON answer, and close the connection after half of it."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length]})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await drop(scope, receive)


async def until_hung_up(receive: Receive) -> None:
    """Never answer: the client hangs up in the end, which is the only way out."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def run_lifespan(
    receive: Receive, send: Send, context: Callable[[], AbstractAsyncContextManager[object]]
) -> None:
    """Serve a lifespan scope by an async context manager around the server's life."""
    await receive()
    async with context():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
