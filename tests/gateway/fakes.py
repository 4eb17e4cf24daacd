"""The gateway's outsides: a clock, iMIS, and what stops senders."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import SecretStr

from contracts.events.campaign import Audience
from contracts.events.organization import ImisAccess
from imis_client import (
    Column,
    CredentialsRejected,
    Entry,
    Folder,
    ImisError,
    NotFound,
    Prompt,
    QueryDefinition,
    Token,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MEMBERS = "$/Common/Queries/Members"
PROMPTED = "$/Common/Queries/By city"
BARE = "$/Common/Queries/Bare"


class HandSetClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class FakeImis:
    """One site for every organisation: `staff` may sign in, `member` isn't staff."""

    def __init__(self, clock: HandSetClock | None = None) -> None:
        self._clock = clock or HandSetClock()
        self.passwords = {"staff": "right", "member": "right"}
        self.roles: dict[str, frozenset[str] | None] = {"staff": frozenset({"SysAdmin"})}
        self.fails_with: ImisError | None = None
        self.asked: list[str] = []
        self.types: dict[str, bool | None] = {"TEXTMSG": True, "TEXTUNSUB": True}
        self.defaults: dict[str, str] = {}
        self.columns_of: dict[str, list[str]] = {
            MEMBERS: ["ID", "Full Name", "Mobile Phone"],
            PROMPTED: ["ID", "Mobile Phone"],
        }

    async def sign_in(
        self, site: ImisAccess, username: str, password: SecretStr
    ) -> tuple[Token, frozenset[str] | None]:
        self._note(f"login {site.url}")
        if self.passwords.get(username) != password.get_secret_value():
            raise CredentialsRejected("iMIS did not take the username and password.")
        token = Token(
            SecretStr(f"imis-token-of-{username}"), self._clock.at + timedelta(hours=1), username
        )
        return token, self.roles.get(username, frozenset({"Public"}))

    async def browse(self, site: ImisAccess, token: Token, path: str) -> Folder:
        self._note(f"browse {path} as {token.access_token.get_secret_value()}")
        if path not in {"$", "$/Common/Queries"}:
            raise NotFound(f"iMIS has no folder {path}.")
        return Folder(path, [Entry("query", "Members", MEMBERS, "Everybody")])

    async def columns(
        self, site: ImisAccess, token: Token, path: str, *, audience: Audience | None = None
    ) -> QueryDefinition:
        self._note(f"columns {path}")
        prompts = (
            [Prompt("City", default=self.defaults.get("City", ""))] if path == PROMPTED else []
        )
        if path == BARE:
            bare = [Column("MobilePhone", has_alias=False), Column("ID", has_alias=False)]
            return QueryDefinition(path, bare, [], ["No column of this query has an alias."])
        if path not in self.columns_of:
            raise NotFound(f"iMIS has no query {path}.")
        return QueryDefinition(path, [Column(each) for each in self.columns_of[path]], prompts, [])

    async def activity_type_exists(self, site: ImisAccess, token: Token, code: str) -> bool | None:
        self._note(f"type {code}")
        return self.types.get(code)

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.fails_with is not None:
            raise self.fails_with


class FakeStops:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[UUID, str, int]] = []

    async def tell(self, organization_id: UUID, what: str, sequence: int) -> None:
        self.told.append((organization_id, what, sequence))
