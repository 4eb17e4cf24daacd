"""Small HTTP requests to our own processes on this machine."""

import asyncio
import http.client
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """A status and a body."""

    status: int
    body: str


def request(
    method: str,
    url: str,
    *,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    timeout_seconds: float = 2.0,
) -> Answer:
    """One exchange over a connection of its own; raises OSError when nobody answers."""
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    make: type[http.client.HTTPConnection] = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )
    connection = make(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


async def fetch(method: str, url: str, **options: Any) -> Answer:
    """The same without blocking the event loop."""
    return await asyncio.to_thread(request, method, url, **options)


async def is_ready(url: str) -> bool:
    """Whether a GET of this address is answered with 200."""
    try:
        return (await fetch("GET", url)).status == 200
    except OSError:
        return False
