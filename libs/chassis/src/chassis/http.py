"""Health, readiness and metrics over HTTP, before a service's own routes if it has any."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from chassis.bounded import BoundedHttp, Bounds

Asgi = Callable[[Any, Any, Any], Any]


class HealthApp:
    """Answers `/healthz`, `/readyz` and `/metrics`; passes on everything else."""

    def __init__(self, ready: Callable[[], bool], inner: Asgi | None = None) -> None:
        self._ready = ready
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        match scope.get("path") if scope["type"] == "http" else None:
            case "/healthz":
                await _answer(send, 200, b"alive\n")
            case "/readyz":
                ready = self._ready()
                await _answer(send, 200 if ready else 503, b"ready\n" if ready else b"not ready\n")
            case "/metrics":
                await _answer(send, 200, generate_latest(), CONTENT_TYPE_LATEST)
            case _ if self._inner is not None:
                await self._inner(scope, receive, send)
            case _:
                await _answer(send, 404, b"not found\n")


async def _answer(send: Any, status: int, body: bytes, kind: str = "text/plain") -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class HttpServer(uvicorn.Server):
    """A server whose process decides itself when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the service."""
        yield


def make_server(app: Asgi, *, host: str, port: int, bounds: Bounds | None = None) -> HttpServer:
    """Return a server that isn't running yet."""
    return HttpServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http=BoundedHttp.within(bounds or Bounds()),
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
    )
