"""The list of messages of a Twilio that stands for itself: what was said, page by page."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from simulators.shared import Receive, Scope, Send, answer, answer_json, run_lifespan, running

PAGE = 2


@dataclass
class TwilioLists:
    """Answers GET Messages.json, newest first; `refuse` goes first, a None in it lets one pass."""

    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    texts: list[dict[str, Any]] = field(default_factory=list)
    refuse: list[tuple[int, dict[str, str]] | None] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def say(
        self,
        sid: str,
        body: str,
        *,
        at: datetime | None = None,
        to: str = "+12025550100",
        account: str = "AC-acme",
        direction: str = "inbound",
    ) -> None:
        """Have a member text; only this list knows of it."""
        at = at or datetime.now(UTC)
        moment = format_datetime(at.replace(microsecond=0))
        self.texts.append(
            {
                "sid": sid,
                "account_sid": account,
                "status": "received",
                "direction": direction,
                "from": "+12025550143",
                "to": to,
                "body": body,
                "num_segments": "1",
                "date_created": moment,
                "date_sent": moment,
                "error_code": None,
                "price": None,
                "messaging_service_sid": None,
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(receive, send, _nothing)
            return
        account = scope["path"].split("/")[3]
        told = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Basic ")
        expected = base64.b64encode(f"{account}:{self.tokens.get(account)}".encode())
        if told != expected:
            await answer_json(send, 401, {"code": 20003, "message": "", "status": 401})
            return
        query = parse_qs(scope["query_string"].decode())
        self.asked.append(query)
        if self.refuse and (refusal := self.refuse.pop(0)) is not None:
            status, headers = refusal
            told_headers = [(name.encode(), text.encode()) for name, text in headers.items()]
            await answer(send, status, b"{}", told_headers)
            return
        found = [
            each
            for each in reversed(self.texts)
            if each["account_sid"] == account and each["to"] == query["To"][0]
        ]
        page = int(query.get("Page", ["0"])[0])
        more = len(found) > (page + 1) * PAGE
        following = f"{scope['path']}?To=%2B{query['To'][0][1:]}&Page={page + 1}" if more else None
        await answer_json(
            send,
            200,
            {
                "messages": found[page * PAGE : (page + 1) * PAGE],
                "next_page_uri": following,
            },
        )


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def twilio_lists(**tokens: str) -> AsyncIterator[TwilioLists]:
    """Serve lists while the block runs; the accounts are `AC-<name>`."""
    lists = TwilioLists(tokens={f"AC-{name}": token for name, token in tokens.items()})
    async with running(lists) as lists.url:
        yield lists
