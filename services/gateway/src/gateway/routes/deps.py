"""What the routes share: the gateway's parts, who asks, and what they expect."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from contracts.events.base import Event
from gateway.domain.records import Answer, Kept, StaffSession
from gateway.domain.refusals import Fault, InConflict, NotAllowed, NotSignedIn, Unacceptable
from gateway.handlers.sessions import signed_in
from gateway.ports import Bell, Clock, Desk, Imis, ReadModels, Seal, Stops, Work
from gateway.routes.problems import Replay
from gateway.settings import GatewaySettings
from timing.quiet import Rules

KEPT_FOR = timedelta(hours=24)
_STAFF = HTTPBearer(
    scheme_name="staff", auto_error=False, description="The token of `POST /v1/sessions`."
)
_OPERATOR = HTTPBearer(
    scheme_name="operator", auto_error=False, description="The setting TEXTMANAGER_OPERATOR_TOKEN."
)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that a route may need."""

    own: GatewaySettings
    desk: Desk
    imis: Imis
    models: ReadModels
    seal: Seal
    bell: Bell
    clock: Clock
    stops: Stops
    rules: Rules
    """When members may be texted, by where they are."""
    pause: Callable[[float], Awaitable[bool]]
    """Waits; returns whether the process is about to stop."""
    in_flight: set[tuple[UUID, str]] = field(default_factory=set)


async def the_gateway(request: Request) -> Gateway:
    """Return the gateway's parts."""
    found = request.app.state.gateway
    if not isinstance(found, Gateway):
        raise TypeError("the app was not put together")
    return found


The = Annotated[Gateway, Depends(the_gateway)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_STAFF)]


async def the_staff(gateway: The, bearer: Bearer) -> StaffSession:
    """Return who asks; refuse whoever isn't signed in."""
    if bearer is None:
        raise NotSignedIn("Sign in, and send the token as a bearer token.")
    return await signed_in(bearer.credentials, desk=gateway.desk, clock=gateway.clock)


async def only_operators(
    gateway: The, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_OPERATOR)]
) -> None:
    """Refuse whoever hasn't the operators' token."""
    wanted = gateway.own.operator_token
    if wanted is None or not wanted.get_secret_value():
        raise NotAllowed("No operator token is set, so nobody may do this.")
    if bearer is None:
        raise NotSignedIn("Send the operators' token as a bearer token.")
    given = bearer.credentials.encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, wanted.get_secret_value().encode()):
        raise NotAllowed("This is not the operators' token.")


Staff = Annotated[StaffSession, Depends(the_staff)]


async def the_expected(
    if_match: Annotated[
        str | None, Header(max_length=1000, description="The ETag that you have seen.")
    ] = None,
) -> Callable[[Event], bool]:
    """Return which version of a thing the caller wants to change."""
    if if_match is None or if_match.strip() == "*":
        return lambda newest: True  # noqa: ARG005 - any version will do.
    tags = {tag.strip() for tag in if_match.split(",")}
    return lambda newest: etag(newest) in tags


def etag(newest: Event) -> str:
    """Return a thing's version, by its newest event."""
    return f'"{newest.sequence}"'


ExpectedVersion = Annotated[Callable[[Event], bool], Depends(the_expected)]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request's Idempotency-Key, if it has one, and what the request was."""

    gateway: Gateway
    organization_id: UUID
    key: str | None
    request_hash: str
    known: Answer | None = None
    """What the first request with this key got."""

    async def keep(self, work: Work, answer: Answer) -> None:
        """Keep the answer in the command's transaction, so that neither is there alone."""
        if self.key is None:
            return
        at = self.gateway.clock()
        await work.answers.forget(before=at - KEPT_FOR)
        kept = Kept(self.request_hash, answer)
        if not await work.answers.keep(self.organization_id, self.key, kept, at=at):
            raise InConflict("The same request is being handled. Repeat it in a moment.")


async def the_claim(
    request: Request,
    gateway: The,
    staff: Staff,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="A repeat with the same key and body gets the first one's answer.",
        ),
    ] = None,
) -> AsyncIterator[Ticket]:
    """Hold the request's key while it is handled; refuse two at once, and another body."""
    if idempotency_key is None:
        yield Ticket(gateway, staff.organization_id, None, "")
        return
    whole = f"{request.method} {request.url.path}\n".encode() + await request.body()
    request_hash = hashlib.sha256(whole).hexdigest()
    slot = (staff.organization_id, idempotency_key)
    if slot in gateway.in_flight:
        raise InConflict("A request with this Idempotency-Key is being handled. Wait for it.")
    gateway.in_flight.add(slot)
    try:
        async with gateway.desk.read() as reading:
            kept = await reading.answers.get(staff.organization_id, idempotency_key)
        if kept is not None and kept.request_hash != request_hash:
            fault = Fault("Idempotency-Key", "This key was used for another request.")
            raise Unacceptable([fault])
        known = None if kept is None else kept.answer
        yield Ticket(gateway, staff.organization_id, idempotency_key, request_hash, known)
    finally:
        gateway.in_flight.discard(slot)


Claim = Annotated[Ticket, Depends(the_claim, scope="function")]


async def the_ticket(claim: Claim) -> Ticket:
    """Answer a repeat as the first time."""
    if claim.known is not None:
        raise Replay(claim.known)
    return claim


Once = Annotated[Ticket, Depends(the_ticket, scope="function")]
