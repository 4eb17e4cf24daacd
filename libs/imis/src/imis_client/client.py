"""The iMIS REST client: who we are, what staff choose from, whom to text, what was texted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from imis_client import documents, queries
from imis_client.authorized import Authorized
from imis_client.errors import BadRequest, NotFound
from imis_client.models import (
    Folder,
    Page,
    QueryDefinition,
    Token,
    Version,
)
from imis_client.session import Clock, PasswordSession, StaffSession, log_in, utc_now
from imis_client.transport import Transport
from imis_client.wire import (
    STRINGS,
    check_success,
    result_of,
    text_of,
    values,
)
from imis_client.writing import Writing

TIMEOUT = timedelta(seconds=30)
CONNECT_TIMEOUT = timedelta(seconds=10)
PAGE_CAP = 500


async def login(
    base_url: str,
    username: str,
    password: SecretStr,
    *,
    timeout: timedelta = TIMEOUT,
    connect_timeout: timedelta = CONNECT_TIMEOUT,
    now: Clock = utc_now,
) -> Token:
    """Check a person's username and password with iMIS and open a session.

    Raises CredentialsRejected when iMIS says no. Tries once.
    """
    async with Transport(base_url, timeout=timeout, connect_timeout=connect_timeout) as transport:
        return await log_in(transport, username, password, now=now)


class ImisClient(Writing):
    """One organisation's iMIS, seen by one account; for use by many tasks of one event loop.

    Every method raises the errors of `imis_client.errors` and no others.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: SecretStr,
        version: Version = "ems",
        *,
        timeout: timedelta = TIMEOUT,
        connect_timeout: timedelta = CONNECT_TIMEOUT,
        now: Clock = utc_now,
    ) -> None:
        self._transport = Transport(base_url, timeout=timeout, connect_timeout=connect_timeout)
        self._account: PasswordSession | None = PasswordSession(
            self._transport, username, password, now=now
        )
        self._site = Authorized(self._transport, self._account)
        self._user_name = username
        self.version: Version = version

    @classmethod
    def from_token(
        cls,
        base_url: str,
        token: Token,
        version: Version = "ems",
        *,
        timeout: timedelta = TIMEOUT,
        connect_timeout: timedelta = CONNECT_TIMEOUT,
        now: Clock = utc_now,
    ) -> Self:
        """See iMIS as a signed-in staff member; at the session's end CredentialsRejected."""
        client = cls(
            base_url,
            token.user_name,
            SecretStr(""),
            version,
            timeout=timeout,
            connect_timeout=connect_timeout,
            now=now,
        )
        client._account = None
        client._site = Authorized(client._transport, StaffSession(token, now=now))
        return client

    def __repr__(self) -> str:
        return f"ImisClient({self._transport.base_url!r}, version={self.version!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        if self._account is not None:
            await self._account.close()
        await self._transport.close()

    async def check_login(self) -> None:
        """Raise CredentialsRejected unless iMIS takes this account."""
        await self._site.session.token()

    async def user_roles(self) -> frozenset[str] | None:
        """Give the roles of the signed-in user, or None where the site can't say (2017)."""
        if self.version == "2017":
            return None
        try:
            answer = await self._site.execute("UserSecurity", "GetUserRoles", [self._user_name])
        except (NotFound, BadRequest):
            return None
        result = result_of(answer, "GetUserRoles")
        return frozenset(_role(role) for role in values(result))

    async def browse(self, path: str = "$/") -> Folder:
        """List the folders and the published queries in a folder."""
        found = await self._site.execute("DocumentSummary", "FindByPath", [path])
        folder_id = documents.folder_id(result_of(found, "FindByPath"), path)
        types = [*documents.FOLDER_TYPES, documents.QUERY_TYPE]
        listed = await self._site.execute(
            "DocumentSummary", "FindDocumentsInFolder", [folder_id, types, False]
        )
        result = result_of(listed, "FindDocumentsInFolder")
        return Folder(path=path, entries=documents.entries_of(result, path))

    async def columns(
        self, path: str, *, prompts: Mapping[str, str] | None = None
    ) -> QueryDefinition:
        """Say what a query returns and asks for, and what staff must mend before using it.

        A query whose definition names no alias is run for one row, with these `prompts`.
        """
        listed = await self.definition(path)
        if any(column.has_alias for column in listed.columns):
            return replace(listed, problems=queries.problems_of(listed.columns))
        return await self._columns_of_one_row(listed, prompts)

    async def definition(self, path: str) -> QueryDefinition:
        """Say what iMIS itself tells of a query, without a look at its rows or its problems.

        A 2017 site may name its columns otherwise here than in a row.
        """
        answer = await self._site.execute(
            "QueryDefinition",
            "FindByPath",
            [path],
            ParameterTypeName={"$type": STRINGS, "$values": ["System.String"]},
            UseJson=False,
        )
        check_success(answer, "the query's definition")
        definition = queries.definition_of(answer, path)
        prompts = queries.prompts_of(definition.get("Parameters"))
        return QueryDefinition(path, queries.columns_of(definition), prompts, [])

    async def _columns_of_one_row(
        self, listed: QueryDefinition, prompts: Mapping[str, str] | None
    ) -> QueryDefinition:
        """Read the names off a row, where the definition doesn't give any alias."""
        try:
            page = await self.rows(listed.path, offset=0, limit=1, prompts=prompts)
        except BadRequest:
            return replace(listed, problems=[queries.NEEDS_PROMPTS])
        # A 2017 definition may leave aliases out; an EMS one without any has none.
        named = self.version == "2017"
        if not page.rows:
            problem = queries.NO_ROWS_TO_READ if named else queries.NO_ALIASES
            return replace(listed, problems=[problem])
        columns = queries.renamed(listed.columns, list(page.rows[0]), has_alias=named)
        return replace(listed, columns=columns, problems=queries.problems_of(columns))

    async def rows(
        self,
        path: str,
        *,
        offset: int = 0,
        limit: int = PAGE_CAP,
        prompts: Mapping[str, str] | None = None,
    ) -> Page:
        """Run a query and give one page of it.

        `prompts` is keyed by `Prompt.name`, in the order of the definition's prompts, a blank
        for each that is left out. iMIS does not keep its order from page to page: rows can come
        twice or be missed, so compare with `total` and de-duplicate.
        """
        given = prompts or {}
        if self.version == "2017":
            route, named = "/api/iqa", [("parameter", value) for value in given.values()]
        else:
            route, named = "/api/query", list(given.items())
        query = [("QueryName", path), ("limit", str(limit)), ("offset", str(offset)), *named]
        what = "running the query"
        try:
            answer = await self._site.read(route, what=what, query=query)
        except NotFound as error:
            raise NotFound(
                f"iMIS does not run {path}: there is no such query, or it is not available for "
                "REST. Open it in iMIS, and on its Summary tick 'Available via the REST API'.",
                detail=error.detail,
            ) from None
        check_success(answer, what)
        return queries.page_of(answer, offset=offset)


def _role(role: object) -> str:
    return text_of(role.get("Name") if isinstance(role, dict) and "Name" in role else role)
