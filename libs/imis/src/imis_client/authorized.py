"""Requests in somebody's name: a token with each, and a new one when iMIS refuses it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from imis_client.errors import TryAgain
from imis_client.session import Session
from imis_client.transport import Answer, Method, Transport
from imis_client.wire import execute_request, loads

_UNAUTHORIZED = 401


class Authorized:
    """A site and the session to use it with."""

    def __init__(self, transport: Transport, session: Session) -> None:
        self.transport = transport
        self.session = session

    async def execute(
        self, entity: str, operation: str, parameters: Sequence[object], **more: object
    ) -> dict[str, Any]:
        """Run an operation that changes nothing and give its whole answer."""
        request = execute_request(entity, operation, parameters) | more
        body = json.dumps(request).encode()
        path = f"/api/{entity}/_execute"
        return loads(await self.send("POST", path, what=operation, body=body), operation)

    async def read(
        self, path: str, *, what: str, query: Iterable[tuple[str, str]] = ()
    ) -> dict[str, Any]:
        """Get an entity or a page."""
        return loads(await self.send("GET", path, what=what, query=query), what)

    async def send(
        self,
        method: Method,
        path: str,
        *,
        what: str,
        query: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        writes: bool = False,
    ) -> bytes:
        """Send a request, once more with a new token if iMIS refuses this one."""

        async def attempt(token: str) -> Answer:
            return await self.transport.send(
                method, path, what=what, token=token, query=query, body=body, writes=writes
            )

        token = await self.session.token()
        answer = await attempt(token)
        if answer.status != _UNAUTHORIZED:
            return answer.body
        # iMIS refuses good tokens now and then, and did nothing when it says so.
        answer = await attempt(await self.session.renewed(token))
        if answer.status == _UNAUTHORIZED:
            raise TryAgain(f"iMIS refused a token that it had just given, for {what}.")
        return answer.body
