"""One account's connection to Twilio's REST API, on pyreqwest (Rust)."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from pydantic import SecretStr, ValidationError
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.http import Url
from pyreqwest.request import RequestBuilder

from twilio_client.errors import Refused, Unanswered
from twilio_client.judgement import judge_answer, judge_error, judge_failure, retry_after
from twilio_client.messages import ListedMessage, Page, SendRequest, Sent

_API: Final = "/2010-04-01/Accounts/"
_PAGE_SIZE: Final = "1000"
_OK: Final = 200
_NOT_FOUND: Final = 404


class TwilioClient:
    """Sends texts for one account; never sends one twice by itself.

    Redirects are not followed and nothing is retried: a POST leaves at most once for each call.
    A call that is cancelled is in doubt, as one that timed out is.
    At most `max_connections` are under way; further calls wait their turn, before their timeout
    begins.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: SecretStr,
        base_url: str = "https://api.twilio.com",
        max_connections: int = 200,
        connect_timeout_seconds: float = 5.0,
        total_timeout_seconds: float = 30.0,
        idle_timeout_seconds: float = 30.0,
    ) -> None:
        self.account_sid = account_sid
        pair = f"{account_sid}:{auth_token.get_secret_value()}".encode()
        self._origin = base_url.rstrip("/")
        self._messages = f"{self._origin}{_API}{account_sid}/Messages"
        self._post_url = Url(f"{self._messages}.json")
        # pyreqwest's own limit counts the wait for a turn as part of the timeout, so that a text
        # which never left would be in doubt.
        self._turns = asyncio.Semaphore(max_connections)
        self._client = (
            ClientBuilder()
            .default_headers(
                {
                    "authorization": "Basic " + base64.b64encode(pair).decode(),
                    "accept": "application/json",
                }
            )
            .user_agent("textmanager")
            .http1_only()
            .follow_redirects(False)
            .referer(False)
            .pool_max_idle_per_host(max_connections)
            # Shorter than a server keeps them: a POST on a connection that the other side is
            # just closing would be in doubt.
            .pool_idle_timeout(timedelta(seconds=idle_timeout_seconds))
            .connect_timeout(timedelta(seconds=connect_timeout_seconds))
            .timeout(timedelta(seconds=total_timeout_seconds))
            .build()
        )

    def __repr__(self) -> str:
        return f"TwilioClient(account_sid={self.account_sid!r})"

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
        """Close every connection; what is under way is in doubt."""
        await self._client.close()

    async def send(self, request: SendRequest) -> Sent:
        """Ask Twilio once to send a text. Raises NotSent, Refused or InDoubt."""
        asking = self._client.post(self._post_url).form(request.fields()).build()
        try:
            async with self._turns:
                response = await asking.send()
                body = await response.bytes()
        except PyreqwestError as error:
            # Its details name the address and may name more: they end here.
            raise judge_failure(error) from None
        return judge_answer(response.status, bytes(body), response.get_header)

    async def list_messages(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        since: datetime | None = None,
    ) -> list[ListedMessage]:
        """Give all texts between these numbers, created at `since` or later, newest first.

        Never gives a part of them: when a page fails, so does the call. Twilio's times have
        whole seconds, so `since` is cut to its second. Raises Unanswered or Refused.
        """
        pages = self.list_pages(to=to, from_=from_, since=since)
        return [message async for page in pages for message in page]

    async def list_pages(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        since: datetime | None = None,
    ) -> AsyncGenerator[list[ListedMessage]]:
        """Yield the same texts page by page, a thousand at most, one request for each.

        What was yielded stands, even when a later page fails. Raises Unanswered or Refused.
        """
        wanted = {"To": to, "From": from_, "PageSize": _PAGE_SIZE}
        query = {name: value for name, value in wanted.items() if value is not None}
        start = since.replace(microsecond=0) if since is not None else None
        asking: RequestBuilder | None = self._client.get(self._post_url).query(query)
        while asking is not None:
            page = await self._page(asking)
            yield [m for m in page.messages if start is None or m.created_at >= start]
            over = start is not None and page.all_before(start)
            asking = None if over else self._following(page)

    async def fetch(self, sid: str) -> ListedMessage | None:
        """Give one text as it is now, or None when Twilio has none of that SID.

        Raises Unanswered or Refused.
        """
        try:
            body = await self._ask(self._client.get(f"{self._messages}/{sid}.json"))
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise
        try:
            return ListedMessage.model_validate_json(body)
        except ValidationError:
            raise Unanswered("the answer makes no sense") from None

    async def _page(self, asking: RequestBuilder) -> Page:
        try:
            return Page.model_validate_json(await self._ask(asking))
        except ValidationError:
            raise Unanswered("the answer makes no sense") from None

    def _following(self, page: Page) -> RequestBuilder | None:
        if not page.next_page_uri:
            return None
        if not page.next_page_uri.startswith(_API):
            # The credentials go with it, so an answer may not choose another place.
            raise Unanswered("the next page is somewhere else")
        return self._client.get(self._origin + page.next_page_uri)

    async def _ask(self, asking: RequestBuilder) -> bytes:
        try:
            async with self._turns:
                response = await asking.build().send()
                body = bytes(await response.bytes())
        except PyreqwestError as error:
            raise Unanswered(f"no whole answer ({type(error).__name__})") from None
        if response.status == _OK:
            return body
        judged = judge_error(response.status, body, response.get_header)
        if isinstance(judged, Refused):
            raise judged
        pause = retry_after(response.get_header)
        raise Unanswered(f"HTTP {response.status}", retry_after_seconds=pause)
