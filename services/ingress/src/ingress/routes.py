"""The two addresses that Twilio posts to, in bare ASGI: each text costs two or three posts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from ingress import metrics
from ingress.domain import Form, Malformed, status_told, text_received
from ingress.handlers import KeptIn, Unverified, signer_of
from ingress.ports import Accounts, SpoolAway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
TakeIn = Callable[[Envelope[Event]], Awaitable[KeptIn]]
Headers = Iterable[tuple[bytes, bytes]]

SIGNATURE = b"x-twilio-signature"
UNREAD = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
"""After these the rest of the body is not read, so the connection can't go on."""
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Refused(Exception):
    """A webhook that isn't taken: the status, and the reason for the metrics alone."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Gone(Exception):
    """Who posted hung up before the end; there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of webhook: what it says, and what Twilio wants to hear."""

    name: str
    read: Callable[..., Event]
    status: HTTPStatus
    headers: Headers = ()
    body: bytes = b""


KINDS = {
    "/twilio/status": Kind("status", status_told, HTTPStatus.NO_CONTENT),
    # An empty response sends nothing; Twilio itself answers STOP, START and HELP.
    "/twilio/inbound": Kind(
        "inbound",
        text_received,
        HTTPStatus.OK,
        (
            (b"content-type", b"text/xml; charset=utf-8"),
            (b"content-length", str(len(EMPTY_TWIML)).encode()),
        ),
        EMPTY_TWIML,
    ),
}


class Webhooks:
    """An ASGI application; it answers well only once the event is safe."""

    def __init__(
        self,
        *,
        public_url: str,
        body_limit: int,
        body_seconds: float,
        accounts: Accounts,
        take_in: TakeIn,
        now: Callable[[], datetime],
    ) -> None:
        self._public_url = public_url
        self._body_limit = body_limit
        self._body_seconds = body_seconds
        self._accounts = accounts
        self._take_in = take_in
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        try:
            kind = await self._take(scope, receive)
        except Gone:
            metrics.REFUSED.labels("hung_up").inc()
        except Refused as refused:
            metrics.REFUSED.labels(refused.reason).inc()
            await _refuse(send, refused.status)
        else:
            await _answer(send, kind.status, kind.headers, kind.body)

    async def _take(self, scope: Scope, receive: Receive) -> Kind:
        kind = KINDS.get(scope["path"])
        if kind is None:
            raise Refused(HTTPStatus.NOT_FOUND, "path")
        if scope["method"] != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method")
        headers = dict(scope["headers"])
        body = await self._body(headers, receive)
        envelope = self._verified(kind, scope, headers, body)
        try:
            kept_in = await self._take_in(envelope)
        except SpoolAway as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "nowhere_to_keep") from error
        metrics.TAKEN.labels(kind.name, kept_in.value).inc()
        return kind

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._body_limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversized")
        try:
            async with asyncio.timeout(self._body_seconds):
                return await _read(receive, limit=self._body_limit)
        except TimeoutError as error:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "slow") from error

    def _verified(
        self, kind: Kind, scope: Scope, headers: dict[bytes, bytes], body: bytes
    ) -> Envelope[Event]:
        """Return the event; nothing of the form is believed before the signature holds."""
        query = scope["query_string"].decode("latin-1")
        try:
            form = Form(body)
            signer = signer_of(
                form,
                url=self._public_url + scope["path"] + (f"?{query}" if query else ""),
                signature=headers.get(SIGNATURE, b"").decode("latin-1"),
                accounts=self._accounts,
            )
        except Malformed as error:
            raise Refused(HTTPStatus.FORBIDDEN, "no_form") from error
        except Unverified as error:
            raise Refused(HTTPStatus.FORBIDDEN, error.reason) from error
        try:
            event = kind.read(form, query, organization_id=signer.organization_id, at=self._now())
        except Malformed as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "malformed") from error
        return seal(event)


async def _read(receive: Receive, *, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body += message.get("body", b"")
        if len(body) > limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversized")
        if not message.get("more_body", False):
            return bytes(body)


async def _refuse(send: Send, status: HTTPStatus) -> None:
    # One text for each status, so that nobody learns which of the reasons it was.
    text = f"{status.phrase}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    if status in UNREAD:
        headers.append((b"connection", b"close"))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    await _answer(send, status, headers, text)


async def _answer(send: Send, status: HTTPStatus, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": int(status), "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
