"""Speaks to an ASGI app as a browser would, in this process and on this loop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from chassis.http import Asgi

_NOTHING: Any = object()


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Requests with one bearer token."""

    def __init__(self, app: Asgi, token: str | None = None, *, address: str = "127.0.0.1") -> None:
        self._app = app
        self.token = token
        self._address = address

    def signed_in(self, token: str) -> "Client":
        return Client(self._app, token, address=self._address)

    def at(self, address: str) -> "Client":
        return Client(self._app, self.token, address=address)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = _NOTHING,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Got:
        if json is not _NOTHING:
            body = _dumps(json)
        given = {"content-type": "application/json"} | (headers or {})
        sent: list[Any] = []
        pending = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if not pending:
                await asyncio.Event().wait()
            return pending.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(self._scope(method, path, given), receive, send)
        start = next(each for each in sent if each["type"] == "http.response.start")
        parts = [each.get("body", b"") for each in sent if each["type"] == "http.response.body"]
        return Got(start["status"], _texts(start["headers"]), b"".join(parts))

    async def get(self, path: str, **more: Any) -> Got:
        return await self.request("GET", path, **more)

    async def post(self, path: str, json: Any = _NOTHING, **more: Any) -> Got:
        return await self.request("POST", path, json=json, **more)

    async def put(self, path: str, json: Any = _NOTHING, **more: Any) -> Got:
        return await self.request("PUT", path, json=json, **more)

    async def patch(self, path: str, json: Any = _NOTHING, **more: Any) -> Got:
        return await self.request("PATCH", path, json=json, **more)

    async def delete(self, path: str, **more: Any) -> Got:
        return await self.request("DELETE", path, **more)

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator["asyncio.Queue[bytes | None]"]:
        """Yield the parts of an answer as they come, None at its end."""
        parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        gone = asyncio.Event()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                if message.get("body"):
                    parts.put_nowait(message["body"])
                if not message.get("more_body", False):
                    parts.put_nowait(None)

        task = asyncio.ensure_future(self._app(self._scope("GET", path, {}), receive, send))
        try:
            yield parts
        finally:
            gone.set()
            await task

    def _scope(self, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        if self.token is not None:
            headers = {"authorization": f"Bearer {self.token}"} | headers
        raw, _, query = path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
            "client": (self._address, 1),
            "server": ("127.0.0.1", 80),
        }


def _dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def _texts(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}
