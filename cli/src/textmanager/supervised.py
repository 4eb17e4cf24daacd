"""How engines and services look to the supervisor: ready, alive, or neither."""

import asyncio
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from textmanager.child import Spec
from textmanager.engines.engine import Engine
from textmanager.engines.ports import HOST

# What each engine answers as soon as it lives, ready or not. A process that is stopped answers
# nothing, though the kernel takes the connection for it.
QUESTIONS = {
    # ApiVersions, version 0: https://kafka.apache.org/protocol#The_Messages_ApiVersions
    "kafka": bytes.fromhex("0000000a 0012 0000 00000001 ffff"),
    "valkey": b"PING\r\n",
    # SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html
    "postgresql": bytes.fromhex("00000008 04d2162f"),
}


def engine_spec(engine: Engine) -> Spec:
    """A prepared engine as a process to keep; it comes back on the same port and data."""

    async def answers() -> bool:
        return await asyncio.to_thread(engine.answers)

    return Spec(
        name=engine.name,
        kind="engine",
        command=engine.command(),
        port=engine.port,
        url=engine.url,
        is_ready=answers,
        answers=partial(_says_something, engine.port, QUESTIONS[engine.name]),
        own_log=engine.log,
    )


def watched(spec: Spec) -> Spec:
    """Have a service killed when it is alive and doesn't answer, whoever thinks it ready."""
    if spec.kind != "service" or spec.answers is not None:
        return spec
    path = f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(spec.url).netloc}\r\nConnection: close"
    question = f"{path}\r\n\r\n".encode()
    return replace(spec, answers=partial(_says_something, spec.port, question))


async def _says_something(port: int, question: bytes) -> bool:
    """Whether a process that is asked this says anything at all."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(question)
        return await reader.read(1) != b""
    except OSError:
        return False
    finally:
        writer.close()


async def listens(port: int) -> bool:
    """Whether something takes connections on this port of ours."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
