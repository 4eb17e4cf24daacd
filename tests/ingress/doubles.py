"""Webhooks with fakes behind them, and Twilio's signature."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

from cryptography.fernet import Fernet
from pydantic import SecretStr
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from chassis.secrets import SecretBox
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from ingress.adapters.accounts import CachedAccounts
from ingress.domain import Circuit
from ingress.handlers import KeptIn, take_in
from ingress.ports import LogAway, SpoolAway
from ingress.routes import Webhooks

PUBLIC = "https://hooks.example.org"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SecretStr(Fernet.generate_key().decode())
NAMES = UUID(int=7)


@dataclass
class FakeLog:
    """Takes events, or is away."""

    away: bool = False
    tried: int = 0
    events: list[Envelope[Event]] = field(default_factory=list)

    async def append(self, envelope: Envelope[Event]) -> None:
        self.tried += 1
        if self.away:
            raise LogAway
        self.events.append(envelope)


@dataclass
class FakeSpool:
    """Keeps events, or can't."""

    away: bool = False
    events: list[Envelope[Event]] = field(default_factory=list)

    async def keep(self, envelope: Envelope[Event]) -> None:
        if self.away:
            raise SpoolAway
        self.events.append(envelope)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Ingress:
    """The routes with fakes behind them."""

    log: FakeLog
    spool: FakeSpool
    accounts: CachedAccounts
    webhooks: Webhooks
    time: float = 0.0

    async def ask(self, scope: dict[str, Any], receive: Any) -> Answer | None:
        said: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            said.append(message)

        await self.webhooks({"type": "http", **scope}, receive, send)
        if not said:
            return None
        start, *rest = said
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(each["body"] for each in rest))

    async def post(
        self,
        body: bytes,
        *,
        signature: str | None,
        path: str = "/twilio/status",
        query: str = "",
        chunks: int = 1,
        method: str = "POST",
        announced: int | None = None,
    ) -> Answer:
        size = -(-len(body) // chunks) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        headers = [(b"host", b"10.0.0.3:8080"), (b"x-forwarded-proto", b"http")]
        if announced is not None:
            headers.append((b"content-length", str(announced).encode()))
        if signature is not None:
            headers.append((b"x-twilio-signature", signature.encode()))

        async def receive() -> dict[str, Any]:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        scope = {
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
            "scheme": "http",
        }
        answer = await self.ask(scope, receive)
        assert answer is not None
        return answer


def organization(
    name: str, *, sid: str = "", token: str = "", number: str = "+12025550100"
) -> OrganizationSettingsChanged:
    """Settings of an organisation whose account and token are named after it."""
    return OrganizationSettingsChanged(
        organization_id=uuid5(NAMES, name),
        occurred_at=NOON,
        sequence=1,
        settings=OrganizationSettings(
            name=name,
            cloud_id=name,
            numbers=(SendingNumber(number=number, segments_per_second=3),),
            imis=ImisAccess(url="http://imis", username="u", password_encrypted=""),
            twilio=TwilioAccess(
                account_sid=sid or f"AC-{name}",
                auth_token_encrypted=SecretBox(KEY).seal(SecretStr(token or f"token-{name}")),
            ),
        ),
    )


def encoded(form: dict[str, str]) -> bytes:
    return urlencode(form).encode()


def signed(
    form: Any, *, token: str = "token-acme", path: str = "/twilio/status", base: str = PUBLIC
) -> str:
    return str(RequestValidator(token).compute_signature(base + path, form))


def make_ingress(
    public_url: str = PUBLIC,
    organizations: list[OrganizationSettingsChanged] | None = None,
    body_seconds: float = 5.0,
) -> Ingress:
    log, spool = FakeLog(), FakeSpool()
    accounts = CachedAccounts(SecretBox(KEY))
    accounts.refresh(organizations or [organization("acme"), organization("other")])
    circuit = Circuit(pause_seconds=5.0)

    async def keep(envelope: Envelope[Event]) -> KeptIn:
        return await take_in(
            envelope, log=log, spool=spool, circuit=circuit, clock=lambda: made.time
        )

    webhooks = Webhooks(
        public_url=public_url,
        body_limit=1_000,
        body_seconds=body_seconds,
        accounts=accounts,
        take_in=keep,
        now=lambda: NOON,
    )
    made = Ingress(log, spool, accounts, webhooks)
    return made
