"""Stands before a Kafka, so that a test can cut or freeze the way to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"


class KafkaProxy:
    """Forwards bytes, and puts its own port where the broker advertises its own."""

    def __init__(self, kafka_url: str) -> None:
        self._host, _, port = kafka_url.rpartition(":")
        self._port = int(port)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{HOST}:{self.port}"

    async def open(self) -> None:
        """Let connections in, on the same port as before."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse connections and break those that are there."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def freeze(self) -> None:
        """Let nothing through, and break nothing either."""
        self._flowing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Metadata and FindCoordinator give host and port side by side.
        theirs = self._host.encode() + self._port.to_bytes(4, "big")
        ours = HOST.encode() + self.port.to_bytes(4, "big")
        self._writers.add(writer)
        try:
            while chunk := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(chunk.replace(theirs, ours))
                await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def proxied(kafka_url: str) -> AsyncIterator[KafkaProxy]:
    """Open a proxy for the length of the block."""
    proxy = KafkaProxy(kafka_url)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.cut()
