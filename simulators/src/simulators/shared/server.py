"""Runs a simulator: uvicorn with httptools and uvloop, one process, one worker.

uvicorn and not granian, because a simulator must be able to drop a connection half-way, which
needs the transport under the request.
"""

import asyncio
import json
import socket
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from simulators.shared.asgi import App

# An unanswered request (some faults never answer) must not hold up the end.
_SHUTDOWN_SECONDS = 1


class _Protocol(HttpToolsProtocol):
    """Shows the application its transport, so that a fault can drop the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["simulators.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to those who own the process."""

    def __init__(self, app: App, listener: socket.socket, *, own_signals: bool) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=4096,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        super().__init__(config)
        self.ready = asyncio.Event()
        self._listener = listener
        self._own_signals = own_signals

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self._own_signals:
            yield
            return
        with super().capture_signals():
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self.ready.set()

    async def run_here(self) -> None:
        """Serve until told to stop."""
        await self.serve(sockets=[self._listener])


def add_server_arguments(parser: ArgumentParser) -> None:
    """Add the flags that every simulator has: host, port, port file, state, seed."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="gets the port, once it is ready")
    parser.add_argument("--state", type=Path, required=True, help="folder of the record")
    parser.add_argument("--seed", type=int, default=0, help="of faults by chance")


def serve(app: App, *, host: str, port: int, port_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; say `{"ready": true, "port": n}` on stdout when ready."""
    uvloop.run(_serve(app, host, port, port_file))


async def _serve(app: App, host: str, port: int, port_file: Path | None) -> None:
    listener = _listen(host, port)
    server = _Server(app, listener, own_signals=True)
    serving = asyncio.ensure_future(server.run_here())
    ready = asyncio.ensure_future(server.ready.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        _announce(listener.getsockname()[1], port_file)
    ready.cancel()
    await serving
    if not ready.done() or ready.cancelled():
        raise SystemExit(3)


@asynccontextmanager
async def running(app: App, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve in this event loop while the block runs; gives the base URL."""
    listener = _listen(host, port)
    server = _Server(app, listener, own_signals=False)
    serving = asyncio.ensure_future(server.run_here())
    ready = asyncio.ensure_future(server.ready.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        await serving
        raise RuntimeError("the simulator didn't start")
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, for asyncio sets TCP_NODELAY on nothing else: without it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _announce(port: int, port_file: Path | None) -> None:
    if port_file is not None:
        # A reader sees the whole number or no file: a rename is atomic.
        draft = port_file.with_name(port_file.name + ".new")
        draft.write_text(f"{port}\n")
        draft.replace(port_file)
    sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
    sys.stdout.flush()
