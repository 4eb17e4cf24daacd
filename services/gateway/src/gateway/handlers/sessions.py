"""Signing in and out."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr

from contracts.events.organization import ImisAccess, OrganizationSettings
from contracts.ids import organization_id
from gateway.domain.refusals import ImisFailed, NotAllowed, NotSignedIn, TooManyAttempts
from gateway.ports import Clock, Desk, Imis, Seal, StaffSession
from gateway.settings import GatewaySettings
from imis_client import CredentialsRejected, Forbidden, ImisError, Token, TryAgain

WRONG_LOGIN = "The username, the password or the Cloud ID is wrong."
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
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
    own: GatewaySettings,
) -> tuple[SecretStr, StaffSession, OrganizationSettings]:
    """Open a session for a staff member whom the organisation's iMIS knows.

    An unknown organisation and a wrong password are refused alike.
    """
    organization = organization_id(cloud_id)
    attempt = uuid4()
    key = _attempts_key(organization, username)
    async with desk.work() as work:
        wait = await work.attempts.begin(
            attempt,
            key,
            at=clock(),
            window=timedelta(seconds=own.login_window_seconds),
            limit=own.login_attempts,
        )
        known = await work.organizations.get(organization)
    if wait is not None:
        raise TooManyAttempts(wait)
    if known is None:
        raise NotSignedIn(WRONG_LOGIN)
    try:
        imis_token = await _ask_imis(
            imis, known.settings.imis, username, password, staff_roles=own.staff_roles
        )
    except ImisFailed:
        async with desk.work() as work:
            await work.attempts.retract(attempt)
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


def imis_token_of(session: StaffSession, *, seal: Seal) -> Token:
    """Return the token with which a staff member's own iMIS rights are used."""
    return Token(
        access_token=seal.open(session.imis_token),
        expires_at=session.imis_expires_at,
        user_name=session.user,
    )


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
        raise NotAllowed("This iMIS login is not a staff member's.") from error
    except TryAgain as error:
        raise ImisFailed(
            "The organisation's iMIS doesn't answer. Try again.", again=True
        ) from error
    except ImisError as error:
        detail = "What answers at the organisation's iMIS address is no iMIS. Check its settings."
        raise ImisFailed(detail, again=False) from error
    if roles is not None and not _plain(roles) & _plain(staff_roles):
        raise NotAllowed("This iMIS login is not a staff member's.")
    return token


def _plain(roles: Collection[str]) -> frozenset[str]:
    return frozenset(role.replace(" ", "").casefold() for role in roles)
