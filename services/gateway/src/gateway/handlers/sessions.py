"""Signing in and out."""

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID, uuid4

from pydantic import SecretStr

from contracts.events.organization import ImisAccess, OrganizationSettings
from contracts.ids import organization_id
from gateway.domain.records import StaffSession
from gateway.domain.refusals import ImisFailed, NotAllowed, NotSignedIn, TooManyAttempts
from gateway.ports import Clock, Desk, Imis, Seal
from gateway.settings import GatewaySettings
from imis_client import CredentialsRejected, Forbidden, ImisError, Token, TryAgain

IMIS_FORGOT = "iMIS doesn't know this session any more. Sign in again, and repeat."
WRONG_LOGIN = "The username, the password or the Cloud ID is wrong."
NO_STAFF = "This iMIS login is not a staff member's."
NOT_NAMED = (
    "This iMIS doesn't tell who is staff, so only those whom the settings name (imis.staff_logins) "
    "may sign in, and this login is not among them. Ask a colleague or your operator to add it."
)
Pause = Callable[[float], Awaitable[object]]
TOKEN_BYTES = 32
LONGEST_USER = 200


def hash_of(token: str) -> str:
    """Return what is kept of a bearer token; its 256 random bits need no slower hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def sign_in(
    username: str,
    password: SecretStr,
    cloud_id: str,
    *,
    address: str,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
    pause: Pause,
    own: GatewaySettings,
) -> tuple[SecretStr, StaffSession, OrganizationSettings]:
    """Open a session for a staff member whom the organisation's iMIS knows.

    An unknown organisation and a wrong password are refused alike, and after the same time.
    """
    began = time.monotonic()
    organization = organization_id(cloud_id)
    key = _attempts_key(organization, username)
    attempt, from_there = uuid4(), uuid4()
    window = timedelta(seconds=own.login_window_seconds)
    async with desk.work() as work:
        at = clock()
        wait = await work.attempts.begin(
            attempt, key, at=at, window=window, limit=own.login_attempts
        )
        if wait is None:
            origin, limit = _origin_key(address), own.address_attempts
            wait = await work.attempts.begin(from_there, origin, at=at, window=window, limit=limit)
        known = await work.organizations.get(organization)
    if wait is not None:
        raise TooManyAttempts(wait)
    try:
        if known is None:
            raise NotSignedIn(WRONG_LOGIN)
        imis_token = await _ask_imis(
            imis, known.settings.imis, username, password, staff_roles=own.staff_roles
        )
    except NotSignedIn:
        await pause(max(0.0, own.refused_login_seconds - (time.monotonic() - began)))
        raise
    except ImisFailed:
        async with desk.work() as work:
            await work.attempts.retract(attempt, from_there)
        raise
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = StaffSession(
        token_hash=hash_of(token),
        organization_id=organization,
        user=imis_token.user_name[:LONGEST_USER],
        expires_at=clock() + timedelta(hours=own.session_hours),
        imis_token=seal.seal(imis_token.access_token),
        imis_expires_at=imis_token.expires_at,
    )
    async with desk.work() as work:
        await work.attempts.forgive(key)
        # Only this one: whoever has a good login doesn't make up for guessing at others.
        await work.attempts.retract(from_there)
        await work.sessions.forget(before=clock())
        await work.sessions.add(session)
    return SecretStr(token), session, known.settings


async def sign_out(session: StaffSession, *, desk: Desk) -> None:
    """End a session at once."""
    async with desk.work() as work:
        await work.sessions.revoke(session.token_hash)


async def signed_in(token: str, *, desk: Desk, clock: Clock) -> StaffSession:
    """Return whose bearer token this is."""
    async with desk.read() as reading:
        session = await reading.sessions.find(hash_of(token), at=clock())
    if session is None:
        raise NotSignedIn("The session is over or was never there. Sign in.")
    return session


async def still_signed_in(session: StaffSession, *, desk: Desk, clock: Clock) -> bool:
    """Whether a session that was good a while ago is good now."""
    async with desk.read() as reading:
        return await reading.sessions.find(session.token_hash, at=clock()) is not None


def imis_token_of(session: StaffSession, *, seal: Seal, clock: Clock) -> Token:
    """Return the token with which a staff member's own iMIS rights are used, while it is good."""
    if session.imis_expires_at <= clock():
        raise NotSignedIn(IMIS_FORGOT)
    return Token(
        access_token=seal.open(session.imis_token),
        expires_at=session.imis_expires_at,
        user_name=session.user,
    )


def _origin_key(address: str) -> str:
    """Stand for where a login comes from: a subscriber has a whole /64 of IPv6 addresses."""
    try:
        found = ip_address(address)
    except ValueError:
        return hashlib.sha256(b"from\x1fnowhere").hexdigest()
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        origin = str(mapped or ip_network((int(found), 64), strict=False))
    else:
        origin = str(found)
    return hashlib.sha256(f"from\x1f{origin}".encode()).hexdigest()


def _attempts_key(organization: UUID, username: str) -> str:
    named = f"{organization}\x1f{username.strip().casefold()}"
    return hashlib.sha256(named.encode()).hexdigest()


async def _ask_imis(
    imis: Imis,
    site: ImisAccess,
    username: str,
    password: SecretStr,
    *,
    staff_roles: Collection[str],
) -> Token:
    try:
        token, roles = await imis.sign_in(site, username, password)
    except CredentialsRejected as error:
        raise NotSignedIn(WRONG_LOGIN) from error
    except Forbidden as error:
        # iMIS doesn't let members of the public ask for roles, not even their own.
        raise NotAllowed(NO_STAFF) from error
    except TryAgain as error:
        raise ImisFailed(
            "The organisation's iMIS doesn't answer. Try again.", again=True
        ) from error
    except ImisError as error:
        detail = "What answers at the organisation's iMIS address is no iMIS. Check its settings."
        raise ImisFailed(detail, again=False) from error
    if roles is None:
        # A 2017 site never tells roles, and nobody is taken for staff on a guess.
        if token.user_name.strip().casefold() not in _named(site):
            raise NotAllowed(NOT_NAMED)
    elif not _plain(roles) & _plain(staff_roles):
        raise NotAllowed(NO_STAFF)
    return token


def _named(site: ImisAccess) -> frozenset[str]:
    return frozenset(each.strip().casefold() for each in site.staff_logins)


def _plain(roles: Collection[str]) -> frozenset[str]:
    return frozenset(role.replace(" ", "").casefold() for role in roles)
