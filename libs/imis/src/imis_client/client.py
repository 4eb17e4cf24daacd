"""The iMIS REST client: who we are, what staff choose from, whom to text, what was texted."""

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import quote

from pydantic import SecretStr

from imis_client import activities, documents, queries
from imis_client.authorized import Authorized
from imis_client.errors import BadRequest, NotFound, TryAgain
from imis_client.models import (
    Activity,
    Folder,
    FoundActivity,
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
    objects,
    result_of,
    text_of,
    values,
)

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


class ImisClient:
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

    def allow_login(self) -> None:
        """Let a login that iMIS refused be tried once more, now that somebody has seen to it."""
        if self._account is not None:
            self._account.allow_login()

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

    async def columns(self, path: str) -> QueryDefinition:
        """Say what a query returns and asks for, and what staff must mend before using it."""
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
        columns = queries.columns_of(definition)
        if any(column.has_alias for column in columns):
            return QueryDefinition(path, columns, prompts, queries.problems_of(columns))
        return await self._columns_of_one_row(path, QueryDefinition(path, columns, prompts, []))

    async def _columns_of_one_row(self, path: str, listed: QueryDefinition) -> QueryDefinition:
        """Read the names off a row, where the definition doesn't give any alias."""
        try:
            page = await self.rows(path, offset=0, limit=1)
        except BadRequest:
            return QueryDefinition(path, listed.columns, listed.prompts, [queries.NEEDS_PROMPTS])
        # A 2017 definition may leave aliases out; an EMS one without any has none.
        named = self.version == "2017"
        if not page.rows:
            problem = queries.NO_ROWS_TO_READ if named else queries.NO_ALIASES
            return QueryDefinition(path, listed.columns, listed.prompts, [problem])
        columns = queries.renamed(listed.columns, list(page.rows[0]), has_alias=named)
        return QueryDefinition(path, columns, listed.prompts, queries.problems_of(columns))

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

    async def activity_type_exists(self, code: str) -> bool:
        """Say whether the activity type is set up in iMIS."""
        path = f"/api/LegacyActivityType/{quote(code, safe='')}"
        try:
            await self._site.send("GET", path, what="the activity type")
        except NotFound:
            return False
        return True

    async def create_activity(self, activity: Activity) -> str:
        """Write an activity and give its SEQN.

        Raises InDoubt when it may have been written all the same: then `find_activities`, twice,
        further apart than the timeout, before writing again.
        """
        body = activities.body_of(activity)
        return activities.seqn_of(
            await self._site.send(
                "POST", "/api/Activity", what="POST Activity", body=body, writes=True
            )
        )

    async def find_activities(self, party_id: str, type: str) -> list[FoundActivity]:  # noqa: A002
        """List a member's activities of one type."""
        what = "finding activities"
        found: list[FoundActivity] = []
        offset, more = 0, True
        while more:
            query = [("PartyId", party_id), ("ACTIVITY_TYPE", type)]
            query += [("limit", str(PAGE_CAP)), ("offset", str(offset))]
            answer = await self._site.read("/api/Activity", what=what, query=query)
            check_success(answer, what)
            if "Items" not in answer:
                raise TryAgain("iMIS gave no page of activities.")
            items = objects(answer["Items"])
            found += [activities.found_in(item) for item in items]
            offset += len(items)
            more = bool(items) and answer.get("HasNext") is True
        return found

    async def delete_activity(self, seqn: str) -> bool:
        """Delete one activity; False if there was none any more. Repeating it is harmless."""
        try:
            path = f"/api/Activity/{quote(seqn, safe='')}"
            await self._site.send("DELETE", path, what="DELETE Activity")
        except NotFound:
            return False
        return True


def _role(role: object) -> str:
    return text_of(role.get("Name") if isinstance(role, dict) and "Name" in role else role)
