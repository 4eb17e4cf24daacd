"""Organisations' iMIS sites over HTTP, each call with a staff member's own rights."""

from datetime import timedelta

from pydantic import SecretStr

from contracts.events.campaign import Audience
from contracts.events.organization import ImisAccess
from gateway.domain.prompts import settled
from imis_client import Folder, ImisClient, QueryDefinition, Token, login


class HttpImis:
    """Speaks to whichever site the organisation's settings name."""

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout = timedelta(seconds=timeout_seconds)

    async def sign_in(
        self, site: ImisAccess, username: str, password: SecretStr
    ) -> tuple[Token, frozenset[str] | None]:
        """Check a login; returns its token and its roles, None where the site can't tell."""
        token = await login(site.url, username, password, timeout=self._timeout)
        async with self._client(site, token) as client:
            return token, await client.user_roles()

    async def browse(self, site: ImisAccess, token: Token, path: str) -> Folder:
        """List a folder."""
        async with self._client(site, token) as client:
            return await client.browse(path)

    async def columns(
        self, site: ImisAccess, token: Token, path: str, *, audience: Audience | None = None
    ) -> QueryDefinition:
        """Describe a query; an audience's answers help where only a row tells its columns."""
        async with self._client(site, token) as client:
            if audience is None or not (audience.answers or audience.prompts):
                return await client.columns(path)
            asked = (await client.definition(path)).prompts
            return await client.columns(path, prompts=settled(audience, asked).answers)

    async def activity_type_exists(self, site: ImisAccess, token: Token, code: str) -> bool | None:
        """Say whether an activity type is set up; None where the site can't tell."""
        async with self._client(site, token) as client:
            return await client.activity_type_exists(code)

    def _client(self, site: ImisAccess, token: Token) -> ImisClient:
        return ImisClient.from_token(site.url, token, site.version, timeout=self._timeout)
