"""The ingress behind its own server, to be spoken to over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.harness import eventually
from tests.ingress.doubles import Ingress, make_ingress

from chassis.bounded import Bounds
from chassis.http import HealthApp, make_server

MEMBER, SECRET_TEXT = "+12025550143", "my-diagnosis"
FORM = {
    "AccountSid": "AC-acme",
    "MessageSid": "SM1",
    "From": MEMBER,
    "To": "+12025550100",
    "Body": SECRET_TEXT,
    "MessageStatus": "delivered",
}
PATHS = ("/twilio/inbound", "/twilio/status")


@dataclass
class Site:
    """The ingress's own server, and its outside in memory."""

    port: int
    ingress: Ingress

    async def raw(self, *parts: bytes, patience: float = 10, half_close: bool = False) -> bytes:
        """Send bytes, and return all that comes until the server closes or says no more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            if half_close:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), patience)
        except ConnectionError:
            return b""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def post(
        self,
        body: bytes,
        *,
        path: str = PATHS[0],
        signature: str | None = None,
        method: str = "POST",
        headers: str = "",
    ) -> int:
        """Post a body and return the status of the answer, after which the connection ends."""
        if signature is not None:
            headers += f"x-twilio-signature: {signature}\r\n"
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n"
            f"content-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(body)}\r\n{headers}\r\n"
        )
        answer = await self.raw(head.encode("latin-1") + body)
        return status(answer)

    @property
    def facts(self) -> set[Any]:
        return {each.id for each in self.ingress.log.events}


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    assert b"Traceback" not in answer
    assert MEMBER.encode() not in answer
    return int(answer[9:12])


@asynccontextmanager
async def serving(**bounds: Any) -> AsyncIterator[Site]:
    ingress = make_ingress(body_seconds=0.3)
    server = make_server(
        HealthApp(lambda: True, ingress.webhooks),
        host="127.0.0.1",
        port=0,
        bounds=Bounds(**{"header_seconds": 0.5, "request_seconds": 1.0, **bounds}),
    )
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield Site(server.servers[0].sockets[0].getsockname()[1], ingress)
    finally:
        server.should_exit = True
        await task
