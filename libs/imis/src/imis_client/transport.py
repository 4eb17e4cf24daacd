"""Sends one request and says what its failure means: surely not done, or in doubt."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

from imis_client.errors import BadRequest, Forbidden, ImisError, InDoubt, NotFound, TryAgain
from imis_client.wire import detail_of

# A connection kept longer than the server keeps it ends under a POST, which is then in doubt.
_IDLE = timedelta(seconds=30)
_NOTHING_WAS_SENT = "client error (Connect)"
_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
_REFUSALS = range(400, 500)

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a 2xx or 401 status; every other one has become an error."""

    status: int
    body: bytes


class Transport:
    """Connections to one iMIS site; redirects are never followed."""

    def __init__(self, base_url: str, *, timeout: timedelta, connect_timeout: timedelta) -> None:
        self.base_url = checked_base_url(base_url)
        self._client = (
            ClientBuilder()
            .follow_redirects(False)
            .referer(False)
            .timeout(timeout)
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(_IDLE)
            .user_agent("text-manager")
            .default_headers({"Accept": "application/json"})
            .build()
        )

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
        await self._client.close()

    async def send(
        self,
        method: Method,
        path: str,
        *,
        what: str,
        token: str = "",
        query: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        content_type: str = "application/json",
        writes: bool = False,
    ) -> Answer:
        """Send once; `writes` says that doing it twice would do harm.

        `what` names the request in errors; it must hold nothing personal.
        """
        # The library's errors carry the whole URL, so none is chained to ours.
        try:
            request = self._client.request(method, self.base_url + path)
            if token:
                request = request.bearer_auth(token)
            if query:
                request = request.query(list(query))
            if body is not None:
                request = request.header("Content-Type", content_type).body_bytes(body)
            response = await request.build().send()
            status = response.status
            content = bytes(await response.bytes())
        except PyreqwestError as error:
            failure = _broken(error, what, writes=writes)
        else:
            html = (response.get_header("Content-Type") or "").startswith("text/html")
            if status == HTTPStatus.UNAUTHORIZED or (status in _SUCCESSES and not html):
                return Answer(status, content)
            wait = _seconds(response.get_header("Retry-After"))
            failure = _unwelcome(status, content, what, html=html, writes=writes, wait=wait)
        raise failure from None


def checked_base_url(base_url: str) -> str:
    """Give the base URL without its last slash; it may have a path, but holds no password."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("The iMIS URL must begin with https:// (or http://) and name a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("The iMIS URL must hold no username, password, query or fragment.")
    return base_url.rstrip("/")


def _broken(error: PyreqwestError, what: str, *, writes: bool) -> ImisError:
    # The exception's class doesn't say whether anything was sent; only its causes do.
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    if any(cause["message"] == _NOTHING_WAS_SENT for cause in causes or ()):
        return TryAgain(f"iMIS can't be reached for {what}.")
    if writes:
        return InDoubt(f"The connection failed during {what}; it may have been done.")
    return TryAgain(f"The connection failed during {what}.")


def _unwelcome(
    status: int, content: bytes, what: str, *, html: bool, writes: bool, wait: float | None
) -> ImisError:
    detail = "" if html else _detail(content)
    page = " with a web page" if html else ""
    message = f"iMIS answered {what} with {status}{page}."
    match status:
        case 429:
            return TryAgain(message, detail=detail, retry_after=wait)
        case 403:
            return Forbidden(message + " The account needs this right.", detail=detail)
        case 404 | 410:
            return NotFound(message, detail=detail)
        case _ if status in _REFUSALS and status != HTTPStatus.REQUEST_TIMEOUT:
            return BadRequest(message, detail=detail)
    if writes:
        return InDoubt(message + " It may have been done.", detail=detail)
    if status in _REDIRECTS:
        return NotFound(message + " A redirect is not followed: check the base URL.")
    return TryAgain(message, detail=detail, retry_after=wait)


def _detail(content: bytes) -> str:
    try:
        return detail_of(json.loads(content))
    except ValueError:
        return ""


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
