"""Users, their passwords and their tokens.

A token is signed, not stored, so that it outlives a restart as a real one does.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

from simulators.imis.settings import Settings

_KEY = b"a simulator's tokens guard nothing"
_BAD_LOGIN = {
    "error": "invalid_grant",
    "error_description": "The user name or password is incorrect.",
}


class Logins:
    """Gives out tokens and says whose they are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._serial = count(time.time_ns())
        self._known: dict[str, tuple[str, float]] = {}
        self._revoked: set[str] = set()
        self._bad_in_a_row: dict[str, int] = {}
        self.good = 0
        self.bad = 0

    def log_in(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer a password grant."""
        if form.get("grant_type") != "password":
            return 400, {"error": "unsupported_grant_type"}
        user = form.get("username", "")
        missed = self._bad_in_a_row.get(user, 0)
        right = self._settings.users.get(user) == form.get("password") and user != ""
        if not right or missed >= self._settings.lock_after_bad_logins:
            self.bad += 1
            self._bad_in_a_row[user] = missed + 1
            return 400, _BAD_LOGIN
        self._bad_in_a_row.pop(user, None)
        self.good += 1
        return 200, self._token(user)

    def user_of(self, authorization: bytes | None) -> str | None:
        """Give the user of a live token, or None."""
        if authorization is None or not authorization.startswith(b"Bearer "):
            return None
        token = authorization[7:].decode("latin-1")
        known = self._known.get(token) or self._verified(token)
        if known is None or time.time() >= known[1] or token in self._revoked:
            return None
        return known[0]

    def revoke(self, authorization: bytes) -> None:
        """End one token."""
        self._revoked.add(authorization[7:].decode("latin-1"))

    def revoke_all(self) -> None:
        """End every token given out so far."""
        self._revoked.update(self._known)

    def unlock(self) -> None:
        """Forget the bad logins that locked accounts."""
        self._bad_in_a_row.clear()

    def _token(self, user: str) -> dict[str, Any]:
        issued = datetime.now(UTC)
        ttl = self._settings.token_ttl_seconds
        expires = issued + timedelta(seconds=ttl)
        claim = f"{user}|{expires.timestamp()}|{next(self._serial)}".encode()
        token = urlsafe_b64encode(claim + b"|" + _signature(claim)).decode()
        self._known[token] = (user, expires.timestamp())
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": ttl,
            "userName": user,
            ".issued": format_datetime(issued, usegmt=True),
            ".expires": format_datetime(expires, usegmt=True),
        }

    def _verified(self, token: str) -> tuple[str, float] | None:
        try:
            claim, _, signature = urlsafe_b64decode(token).rpartition(b"|")
            user, expires, _serial = claim.decode().split("|")
        except ValueError:
            return None
        if not hmac.compare_digest(signature, _signature(claim)):
            return None
        self._known[token] = (user, float(expires))
        return self._known[token]


def _signature(claim: bytes) -> bytes:
    return hmac.digest(_KEY, claim, "sha256").hex().encode()
