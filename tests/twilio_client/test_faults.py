"""What each way of failing means for a posted text: the suite that any client must pass."""

import asyncio
import socket
import struct
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from pydantic import SecretStr

from twilio_client import InDoubt, Kind, NotSent, Refused, SendRequest, Sent, TwilioClient

TOKEN = "very-secret-token"
TO, BODY = "+12025550123", "a private text"
REQUEST = SendRequest(to=TO, from_="+12025550100", body=BODY)
SID = "SM" + "a" * 32


Behaviour = Callable[[Reader, Writer], Awaitable[None]]


def client_of(
    url: str, *, connect: float = 1.0, total: float = 2.0, connections: int = 10
) -> TwilioClient:
    return TwilioClient(
        max_connections=connections,
        account_sid="AC" + "1" * 32,
        auth_token=SecretStr(TOKEN),
        base_url=url,
        connect_timeout_seconds=connect,
        total_timeout_seconds=total,
    )


class RawServer:
    """Counts the requests that it read, then behaves as told."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests = 0
        self.url = ""

    async def serve(self, reader: Reader, writer: Writer) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            self.requests += 1
            await self.behaviour(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def raw_server(behaviour: Behaviour) -> AsyncIterator[RawServer]:
    server = RawServer(behaviour)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


def answering(status: str, body: bytes = b"", *headers: str, cut: int = 0) -> Behaviour:
    """Answer, with the last `cut` bytes of the promised body missing."""

    async def behave(_reader: Reader, writer: Writer) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        head = "\r\n".join([*lines, *headers, "", ""]).encode()
        writer.write(head + body[: len(body) - cut])
        await writer.drain()

    return behave


async def never(reader: Reader, _writer: Writer) -> None:
    await reader.read()  # Until the client hangs up.


async def close(_reader: Reader, _writer: Writer) -> None:
    return


async def reset(_reader: Reader, writer: Writer) -> None:
    taken: socket.socket = writer.get_extra_info("socket")
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def problem(code: int) -> bytes:
    return b'{"code": %d, "message": "about %s", "status": 400}' % (code, TO.encode())


CREATED = f'{{"sid": "{SID}", "status": "queued", "num_segments": "2", "price": null}}'.encode()

IN_DOUBT = {
    "never answered": never,
    "closed": close,
    "reset": reset,
    "half an answer": answering("201 Created", CREATED, cut=10),
    "garbage with 201": answering("201 Created", b"<html>hello"),
    "201 without a SID": answering("201 Created", b'{"status": "queued"}'),
    "204": answering("204 No Content"),
    "307": answering("307 Temporary Redirect", b"", "Location: /elsewhere"),
    "302": answering("302 Found", b"", "Location: /elsewhere"),
    "408": answering("408 Request Timeout"),
    "500": answering("500 Internal Server Error", problem(20500)),
    "502": answering("502 Bad Gateway", b"<html>"),
    "503": answering("503 Service Unavailable", b"", "Retry-After: 1"),
    "504": answering("504 Gateway Timeout"),
}


@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_is_in_doubt_and_was_posted_once(fault: str) -> None:
    async with raw_server(IN_DOUBT[fault]) as server, client_of(server.url, total=0.5) as client:
        with pytest.raises(InDoubt) as caught:
            await client.send(REQUEST)
    assert server.requests == 1
    assert_discreet(caught.value)


BUSY = {
    "429": (answering("429 Too Many Requests", problem(20429), "Retry-After: 7"), 20429, 7.0),
    "429 without a body": (answering("429 Too Many Requests"), None, None),
    "queue full": (answering("400 Bad Request", problem(21611)), 21611, None),
}


@pytest.mark.parametrize("fault", BUSY)
async def test_busy_is_not_sent(fault: str) -> None:
    behaviour, code, pause = BUSY[fault]
    async with raw_server(behaviour) as server, client_of(server.url) as client:
        with pytest.raises(NotSent) as caught:
            await client.send(REQUEST)
    assert (caught.value.code, caught.value.retry_after_seconds) == (code, pause)
    assert server.requests == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21211, Kind.RECIPIENT_INVALID),
        (400, 21614, Kind.RECIPIENT_INVALID),
        (400, 21610, Kind.OPTED_OUT),
        (400, 21606, Kind.CONFIGURATION),
        (400, 21617, Kind.CONTENT),
        (401, 20003, Kind.ACCOUNT),
        (403, 12345, Kind.ACCOUNT),
        (400, 12345, Kind.OTHER),
    ],
)
async def test_refused_by_its_code(status: int, code: int, kind: Kind) -> None:
    behaviour = answering(f"{status} No", problem(code))
    async with raw_server(behaviour) as server, client_of(server.url) as client:
        with pytest.raises(Refused) as caught:
            await client.send(REQUEST)
    refused = caught.value
    assert (refused.code, refused.kind, refused.status) == (code, kind, status)
    assert TO in refused.message
    assert_discreet(refused)


async def test_refused_without_twilios_body() -> None:
    behaviour = answering("413 Too Large", b"<html>")
    async with raw_server(behaviour) as server, client_of(server.url) as client:
        with pytest.raises(Refused) as caught:
            await client.send(REQUEST)
    assert (caught.value.code, caught.value.kind) == (None, Kind.OTHER)


async def test_accepted() -> None:
    behaviour = answering("201 Created", CREATED)
    async with raw_server(behaviour) as server, client_of(server.url) as client:
        assert await client.send(REQUEST) == Sent(sid=SID, status="queued", segments=2, price=None)


async def test_waiting_for_a_turn_is_no_part_of_the_timeout() -> None:
    async def slowly(reader: Reader, writer: Writer) -> None:
        await asyncio.sleep(0.3)
        await answering("201 Created", CREATED)(reader, writer)

    async with (
        raw_server(slowly) as server,
        client_of(server.url, total=0.5, connections=1) as client,
    ):
        sent = await asyncio.gather(*[client.send(REQUEST) for _ in range(3)])
    assert len(sent) == server.requests == 3


async def test_refused_connection_is_not_sent() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        async with client_of(f"http://127.0.0.1:{unheard.getsockname()[1]}") as client:
            with pytest.raises(NotSent) as caught:
                await client.send(REQUEST)
    assert_discreet(caught.value)


async def test_unknown_host_is_not_sent() -> None:
    async with client_of("http://no-such-host.invalid", connect=5, total=20) as client:
        with pytest.raises(NotSent):
            await client.send(REQUEST)


@contextmanager
def unaccepting() -> Iterator[int]:
    """Give a port whose queue of connections is full, so that connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        try:
            yield address[1]
        finally:
            for one in waiting:
                one.close()


async def test_connect_timeout_is_not_sent() -> None:
    with unaccepting() as port:
        async with client_of(f"http://127.0.0.1:{port}", connect=0.3, total=5) as client:
            with pytest.raises(NotSent):
                await client.send(REQUEST)


async def test_tls_failure_is_not_sent() -> None:
    async def plain(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with client_of(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(NotSent):
            await client.send(REQUEST)
    listening.close()


async def test_nothing_private_shows() -> None:
    async with client_of("http://127.0.0.1:9") as client:
        shown = repr(client) + repr(REQUEST) + str(REQUEST)
    for secret in (TOKEN, TO, BODY, REQUEST.from_):
        assert secret is not None
        assert secret not in shown


def assert_discreet(error: Exception) -> None:
    shown = "".join([str(error), repr(error), repr(error.__cause__)])
    assert error.__suppress_context__ or error.__context__ is None
    for secret in (TOKEN, TO, BODY):
        assert secret not in shown
