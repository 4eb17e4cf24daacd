"""What a bare socket does to a request: was surely nothing sent, or is it in doubt?"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from imis_client import (
    Activity,
    CredentialsRejected,
    ImisClient,
    ImisError,
    InDoubt,
    NotFound,
    Token,
    TryAgain,
    login,
)

TOKEN = Token(SecretStr("the-secret-token"), datetime.max.replace(tzinfo=UTC), "staff")
ACTIVITY = Activity("101", "TEXTMSG", datetime(2024, 1, 31, tzinfo=UTC), "+12025550143", "secret")
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[str]:
    """Read one whole request, then do as told; nothing else."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
        await reply(writer)
        if not writer.is_closing():
            await over.wait()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        listening.close()
        await listening.wait_closed()


def client_of(url: str) -> ImisClient:
    return ImisClient.from_token(
        url, TOKEN, timeout=timedelta(seconds=0.3), connect_timeout=timedelta(seconds=0.2)
    )


def answered(status: str, body: bytes, *headers: str, announced: int | None = None) -> Reply:
    length = len(body) if announced is None else announced
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        if announced is not None:
            writer.close()

    return reply


async def silent(writer: asyncio.StreamWriter) -> None:
    """Never answer."""


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


JSON = "Content-Type: application/json"
DOUBTFUL = {
    "silent": silent,
    "closed": closed,
    "reset": reset,
    "half an answer": answered("200 OK", b'{"Identity"', JSON, announced=500),
    "not JSON": answered("200 OK", b"fine", JSON),
    "JSON without an id": answered("201 Created", b"{}", JSON),
    "a list": answered("201 Created", b"[]", JSON),
    "nothing": answered("204 No Content", b""),
    "a web page": answered("200 OK", b"<html></html>", "Content-Type: text/html"),
    "502": answered("502 Bad Gateway", b"", JSON),
    "a redirect": answered("307 Temporary Redirect", b"", "Location: /elsewhere"),
}


@pytest.mark.parametrize("reply", DOUBTFUL.values(), ids=DOUBTFUL.keys())
async def test_a_write_is_in_doubt_once_it_was_sent(reply: Reply) -> None:
    async with server(reply) as url, client_of(url) as client:
        with pytest.raises(InDoubt) as failure:
            await client.create_activity(ACTIVITY)
    assert failure.value.__cause__ is None
    shown = f"{failure.value!r} {failure.value.detail}"
    assert not any(secret in shown for secret in ("secret", "+1202", "101"))


@pytest.mark.parametrize("name", ["silent", "closed", "reset", "half an answer", "not JSON", "502"])
async def test_a_broken_reading_can_be_repeated(name: str) -> None:
    async with server(DOUBTFUL[name]) as url, client_of(url) as client:
        with pytest.raises(TryAgain):
            await client.rows("$/Query", offset=0)


async def test_a_redirected_reading_points_at_the_base_url() -> None:
    async with server(DOUBTFUL["a redirect"]) as url, client_of(url) as client:
        with pytest.raises(NotFound, match="base URL"):
            await client.find_activities("101", "TEXTMSG")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_a_write_that_was_never_sent_can_be_repeated(host: str) -> None:
    async with client_of(f"http://{host}:{free_port()}") as client:
        with pytest.raises(TryAgain):
            await client.create_activity(ACTIVITY)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (silent, TryAgain),
        (DOUBTFUL["502"], TryAgain),
        (DOUBTFUL["a web page"], TryAgain),
        (DOUBTFUL["a redirect"], NotFound),
        (answered("401 Unauthorized", b"", JSON), CredentialsRejected),
        (answered("400 Bad Request", b'{"error":"invalid_grant"}', JSON), CredentialsRejected),
    ],
)
async def test_a_login_that_gets_no_token(reply: Reply, error: type[ImisError]) -> None:
    async with server(reply) as url:
        with pytest.raises(error) as failure:
            await login(url, "staff", SecretStr("pass-word"), timeout=timedelta(seconds=0.3))
    assert "pass-word" not in repr(failure.value)
