"""Who we are to iMIS: a stored account that logs in when it must, or a staff member's session."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from pydantic import SecretStr

from imis_client.errors import BadRequest, CredentialsRejected
from imis_client.models import Token
from imis_client.transport import Transport
from imis_client.wire import detail_of, loads, number_of, text_of

Clock = Callable[[], datetime]

# A token is renewed a little before its end, so that it does not end on its way.
_LONGEST_MARGIN = timedelta(seconds=30)
_MARGIN_SHARE = 0.1
_LIFETIME_IF_UNSAID_SECONDS = 600
_UNAUTHORIZED = 401


def utc_now() -> datetime:
    """Give the present instant."""
    return datetime.now(UTC)


class Session(Protocol):
    """Gives the token to send with a request."""

    async def token(self) -> str:
        """Give a token that should be good, or raise why there is none."""
        ...

    async def renewed(self, refused: str) -> str:
        """Give another token after iMIS refused this one."""
        ...


class StaffSession:
    """A token that somebody else obtained; it can't be renewed here."""

    def __init__(self, token: Token, *, now: Clock = utc_now) -> None:
        self._token = token
        self._now = now

    async def token(self) -> str:
        """Give the token until it ends."""
        if self._now() >= self._token.expires_at:
            raise CredentialsRejected("The iMIS session has ended. Sign in again.")
        return self._token.access_token.get_secret_value()

    async def renewed(self, refused: str) -> str:  # noqa: ARG002 - a refused session is over
        """Raise: only the person can sign in again."""
        raise CredentialsRejected("iMIS no longer takes this session. Sign in again.")


class PasswordSession:
    """A stored account: one login at a time, and none after iMIS has refused the password.

    Whoever has a better password makes a new session.
    """

    def __init__(
        self, transport: Transport, username: str, password: SecretStr, *, now: Clock = utc_now
    ) -> None:
        self._transport = transport
        self._username = username
        self._password = password
        self._now = now
        self._value = ""
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._login: asyncio.Task[None] | None = None
        self._rejected: CredentialsRejected | None = None

    async def token(self) -> str:
        """Give the token of now, logging in first if it is near its end."""
        if self._now() >= self._renew_at:
            await self._log_in()
        return self._value

    async def renewed(self, refused: str) -> str:
        """Log in again, unless another request has done so since this token was taken."""
        if refused == self._value:
            await self._log_in()
        return self._value

    async def close(self) -> None:
        """Stop a login that is under way."""
        if self._login is not None:
            self._login.cancel()
            await asyncio.gather(self._login, return_exceptions=True)

    async def _log_in(self) -> None:
        if self._rejected is not None:
            raise CredentialsRejected(str(self._rejected), detail=self._rejected.detail)
        if self._login is None:
            self._login = asyncio.ensure_future(self._log_in_once())
            self._login.add_done_callback(self._logged_in)
        # Shielded: the one who gives up must not take the login from the others.
        await asyncio.shield(self._login)

    async def _log_in_once(self) -> None:
        asked_at = self._now()
        try:
            token = await log_in(self._transport, self._username, self._password, now=self._now)
        except CredentialsRejected as error:
            self._rejected = error
            raise
        lifetime = token.expires_at - asked_at
        self._value = token.access_token.get_secret_value()
        self._renew_at = token.expires_at - min(_LONGEST_MARGIN, lifetime * _MARGIN_SHARE)

    def _logged_in(self, login: asyncio.Task[None]) -> None:
        self._login = None
        if not login.cancelled():
            login.exception()  # Seen, even when everybody who waited for it has gone.


async def log_in(
    transport: Transport, username: str, password: SecretStr, *, now: Clock = utc_now
) -> Token:
    """Open a session by username and password; its end is what iMIS says it is."""
    form = {
        "grant_type": "password",
        "username": username,
        "password": password.get_secret_value(),
    }
    asked_at = now()
    try:
        answer = await transport.send(
            "POST",
            "/token",
            what="the login",
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
        )
    except BadRequest as error:
        raise _rejected(error.detail, password) from None
    if answer.status == _UNAUTHORIZED:
        raise _rejected("", password)
    content = loads(answer.body, "the login")
    value = text_of(content.get("access_token"))
    if not value:
        raise _rejected(detail_of(content), password)
    seconds = number_of(content.get("expires_in"), _LIFETIME_IF_UNSAID_SECONDS)
    return Token(
        access_token=SecretStr(value),
        expires_at=asked_at + timedelta(seconds=seconds),
        user_name=text_of(content.get("userName")) or username,
    )


def _rejected(detail: str, password: SecretStr) -> CredentialsRejected:
    secret = password.get_secret_value()
    said = detail.replace(secret, "…") if secret else detail
    return CredentialsRejected("iMIS did not take the username and password.", detail=said)
