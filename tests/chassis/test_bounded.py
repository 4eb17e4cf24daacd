"""A body has its time: a steady one longer than a dribble."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.harness import eventually

from chassis.bounded import Bounds
from chassis.http import make_server


async def counting(_scope: Any, receive: Any, send: Any) -> None:
    """Answer with how many bytes came."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(bounds: Bounds) -> AsyncIterator[int]:
    server = make_server(counting, host="127.0.0.1", port=0, bounds=bounds)
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def post(port: int, *, chunk: bytes, times: int, every_seconds: float) -> bytes:
    """Send a body bit by bit; return the answer, or nothing when the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {len(chunk) * times}\r\n\r\n"
    writer.write(head.encode())
    try:
        for _ in range(times):
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(every_seconds)
        answer = await reader.read(1000)
    except ConnectionError:
        return b""
    finally:
        writer.close()
    return answer


BOUNDS = Bounds(request_seconds=0.3, body_bytes_per_second=10_000)


async def test_x11_a_large_body_that_comes_steadily_has_all_the_time_that_it_takes() -> None:
    async with serving(BOUNDS) as port:
        # A second in all: three times what a request has without a body that large.
        answer = await post(port, chunk=b"x" * 5_000, times=20, every_seconds=0.05)
    assert answer.endswith(b"\r\n\r\n100000")


async def test_a_body_that_dribbles_is_over_soon() -> None:
    async with serving(BOUNDS) as port:
        async with asyncio.timeout(5):
            answer = await post(port, chunk=b"x", times=100, every_seconds=0.05)
    assert answer == b""
