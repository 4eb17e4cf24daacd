"""HTTP with bounds: what a stranger sends costs a fixed time and a fixed room, then it is over.

uvicorn bounds neither the headers nor the time that a request takes to arrive. A server that
faces strangers needs both: a client that sends a byte a minute, or headers without end, must
not keep a connection or the memory.
"""

from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request may take to arrive."""

    header_seconds: float = 10.0
    """From the connection, or from a request's first byte, to the end of its headers."""
    request_seconds: float = 60.0
    """From the end of the headers to the last of the body, whether or not anybody reads it."""
    body_bytes_per_second: float = 50_000.0
    """A body may take longer as long as it comes this fast: an uploaded list over a slow line."""
    header_bytes: int = 64 * 1024
    """Of the request line and the headers together; Twilio's are below 2 KiB."""


_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """One connection; it is closed when a request takes too long or too much room to arrive."""

    bounds: ClassVar[Bounds] = Bounds()
    _limit: TimerHandle | None = None
    _heading = True
    _refused = False
    _room = 0
    _body_bytes = 0
    _body_since = 0.0

    @classmethod
    def within(cls, bounds: Bounds) -> type["BoundedHttp"]:
        """Return the protocol with other bounds."""
        return type(cls.__name__, (cls,), {"bounds": bounds})

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._room = self.bounds.header_bytes
        self._give(self.bounds.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forgive()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, as long as it is within bounds."""
        if self._refused or self.transport.is_closing():
            # The parser is not to be fed after a refusal: what follows has no meaning any more.
            return
        if self._heading:
            self._room -= len(data)
        super().data_received(data)
        # What came along with the end of the headers, such as a body, is not theirs.
        if self._heading and self._room < 0 and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """Begin a request's time and room."""
        super().on_message_begin()
        self._heading = True
        self._give(self.bounds.header_seconds)

    def on_headers_complete(self) -> None:
        """Begin a body's time; headers that are over the bound get no further."""
        self._heading = False
        self._room = self.bounds.header_bytes
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.bounds.header_bytes:
            self._refuse()
            return
        self._body_bytes, self._body_since = 0, self.loop.time()
        self._give(self.bounds.request_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self._refused:
            self._body_bytes += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request's time; how long the answer takes is not the client's doing."""
        self._forgive()
        # A connection that is kept waits under uvicorn's own limit, with a header's room anew.
        self._heading = True
        self._room = self.bounds.header_bytes
        if not self._refused:
            super().on_message_complete()

    def _refuse(self) -> None:
        self._refused = True
        self._forgive()
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _give(self, seconds: float) -> None:
        self._forgive()
        self._limit = self.loop.call_later(seconds, self._too_slow)

    def _forgive(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _too_slow(self) -> None:
        if not self._heading:
            earned = self._body_bytes / self.bounds.body_bytes_per_second
            ends = self._body_since + self.bounds.request_seconds + earned
            if (left := ends - self.loop.time()) > 0:
                self._give(left)
                return
        # Closed at once, whatever is still to be written: a client that reads slowly is slow too.
        holder: Any = self.transport.get_protocol()
        if holder is self:
            self.transport.abort()
