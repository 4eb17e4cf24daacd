"""Clocks, secrets, bells, and the organisations' iMIS."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import SecretStr

from contracts.events.campaign import Audience
from contracts.events.organization import ImisAccess
from imis_client import Folder, QueryDefinition, Token

Clock = Callable[[], datetime]


class Imis(Protocol):
    """An organisation's iMIS, as one of its staff sees it; raises `imis_client`'s errors."""

    async def sign_in(
        self, site: ImisAccess, username: str, password: SecretStr
    ) -> tuple[Token, frozenset[str] | None]:
        """Check a login; returns its token and its roles, None where the site can't tell."""

    async def browse(self, site: ImisAccess, token: Token, path: str) -> Folder:
        """List a folder."""

    async def columns(
        self, site: ImisAccess, token: Token, path: str, *, audience: Audience | None = None
    ) -> QueryDefinition:
        """Describe a query; an audience's answers help where only a row tells its columns."""

    async def activity_type_exists(self, site: ImisAccess, token: Token, code: str) -> bool | None:
        """Say whether an activity type is set up; None where the site can't tell."""


class Stops(Protocol):
    """What the senders look at before each text, so that a stop holds at once (X-6)."""

    async def tell(self, organization_id: UUID, what: str, sequence: int) -> None:
        """Say that a campaign, a run or (`*`) everything is stopped, by the event of that number.

        It never fails: the log has the stop in any case.
        """


class Seal(Protocol):
    """Keeps secrets."""

    def seal(self, secret: SecretStr) -> str:
        """Return the encrypted form."""

    def open(self, sealed: str) -> SecretStr:
        """Return the secret."""


class Bell(Protocol):
    """Wakes whoever waits for what a subscription brought."""

    def listen(self) -> AbstractAsyncContextManager["Listening"]:
        """Notice every ring from now on."""


class Listening(Protocol):
    """An ear for the bell."""

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or when the time is over."""
