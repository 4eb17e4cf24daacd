"""Posts signed webhooks through one pooled client, a bounded number at a time."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestError

from simulators.twilio.signing import form, signature

_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_MOST_RETRIES = 5


@dataclass(slots=True)
class Webhook:
    """One request that Twilio owes to a customer's server."""

    url: str
    fields: Mapping[str, str]
    token: bytes
    idempotency: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Retrying:
    """When a webhook is tried again: `#rc=N&rp=…` on its URL; else once, if not connected.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """

    most: int = 1
    policies: frozenset[str] = frozenset({"ct"})

    def wanted(self, failure: str, tried: int) -> bool:
        """Say whether one more attempt is due after that failure."""
        return tried <= self.most and (failure in self.policies or "all" in self.policies)


_DEFAULT = Retrying()


def split_overrides(url: str) -> tuple[str, Retrying]:
    """Part a URL from the connection overrides in its fragment."""
    address, mark, fragment = url.partition("#")
    if not mark:
        return address, _DEFAULT
    overrides = parse_qs(fragment)
    most = overrides.get("rc", ["1"])[0]
    policies = frozenset(overrides.get("rp", ["ct"])[0].split(","))
    return address, Retrying(min(int(most), _MOST_RETRIES) if most.isdigit() else 1, policies)


class Poster:
    """The client for webhooks: connects within 5 s, reads within 15 s, as Twilio does."""

    def __init__(self) -> None:
        self._client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=5))
            .timeout(timedelta(seconds=15))
            .follow_redirects(False)
            .no_proxy()
            .user_agent("TwilioProxy/1.1")
            .build()
        )

    async def post(self, webhook: Webhook) -> tuple[str, str]:
        """Post once. Gives the failure (`""`, `ct`, `rt`, `4xx`, `5xx`) and the answer's text."""
        try:
            response = await (
                self._client.post(webhook.url)
                .header("content-type", _FORM)
                .header("x-twilio-signature", signature(webhook.token, webhook.url, webhook.fields))
                .header("i-twilio-idempotency-token", webhook.idempotency)
                .body_bytes(form(webhook.fields))
                .build()
                .send()
            )
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return "", await response.text()
        except PyreqwestError as error:
            return _failure(error), ""
        return ("5xx" if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "4xx"), ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()


def _failure(error: PyreqwestError) -> str:
    causes = (error.details["causes"] or []) if isinstance(error, RequestError) else []
    words = " ".join(cause["message"] for cause in causes)
    return "rt" if "timed out" in words and "client error (Connect)" not in words else "ct"
