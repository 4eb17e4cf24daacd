"""The routes under `/_sim/`: what no real Twilio has, for tests, demonstrations and audits."""

import itertools
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from simulators.shared import (
    Faults,
    Receive,
    Scope,
    Send,
    answer_faults,
    answer_json,
    read_body,
)
from simulators.twilio.deliveries import Deliveries
from simulators.twilio.inbound import Inbox
from simulators.twilio.rest import Rest, parse_form
from simulators.twilio.settings import BadSettingError, Settings
from simulators.twilio.store import Store

PREFIX = "/_sim/"
_CHUNK = 500


class Control:
    """Answers under `/_sim/`."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        faults: Faults,
        deliveries: Deliveries,
        inbox: Inbox,
        rest: Rest,
        accounts: Mapping[str, bytes],
    ) -> None:
        self._store = store
        self._settings = settings
        self._faults = faults
        self._deliveries = deliveries
        self._inbox = inbox
        self._rest = rest
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method, body = scope["method"], await read_body(receive)
        match scope["path"][len(PREFIX) :]:
            case "health":
                await answer_json(send, 200, {"ok": True, "accepted": len(self._store.texts)})
            case "stats":
                await answer_json(send, 200, self._stats())
            case "messages":
                await self._messages(parse_form(scope["query_string"]), send)
            case "faults":
                name = parse_form(scope["query_string"]).get("name", "")
                await answer_json(send, *answer_faults(self._faults, method, body, name))
            case "settings":
                await answer_json(send, *self._change_settings(method, body))
            case "inbound" if method == "POST":
                await answer_json(send, *await self._take_inbound(body))
            case "inbound":
                await answer_json(send, 200, [asdict(text) for text in self._store.inbound])
            case "opted-out":
                await answer_json(send, 200, self._opted_out())
            case _:
                await answer_json(send, 404, {"error": "no such route"})

    def _opted_out(self) -> list[dict[str, Any]]:
        return [
            {"account": account, "number": number, "person": person, "at": at}
            for (account, number, person), at in self._store.opted_out.items()
        ]

    def _stats(self) -> dict[str, Any]:
        texts = self._store.texts
        return {
            "accepted": len(texts),
            "by_status": {k: n for k, n in self._store.by_status.items() if n},
            "refused": {str(code): n for code, n in self._rest.refused.items()},
            **self._store.peaks.as_json(),
            "first_accepted_at": texts[0].accepted_at if texts else None,
            "last_accepted_at": texts[-1].accepted_at if texts else None,
            "callbacks": self._deliveries.as_json(),
            "opted_out": len(self._store.opted_out),
            "asked": self._rest.asked,
        }

    async def _messages(self, query: Mapping[str, str], send: Send) -> None:
        """Stream every text with n > since, oldest first, with its present status."""
        since = int(query["since"]) if query.get("since", "").isdecimal() else 0
        texts = self._store.texts
        kind = (b"content-type", b"application/json")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        comma, start = b"[", texts[since].offset if since < len(texts) else self._store.messages.end
        # The file may grow meanwhile: what comes after this moment is for the next request.
        entries = itertools.islice(self._store.messages.entries_from(start), len(texts) - since)
        while chunk := list(itertools.islice(entries, _CHUNK)):
            shown = [self._with_status(entry) for _, entry in chunk]
            part = comma + orjson.dumps(shown)[1:-1]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            comma = b","
        await send({"type": "http.response.body", "body": b"[]" if comma == b"[" else b"]"})

    def _with_status(self, entry: dict[str, Any]) -> dict[str, Any]:
        text = self._store.texts[entry["n"] - 1]
        return {
            **entry,
            "answered_at": text.answered_at,
            "status": text.status,
            "error_code": text.error_code,
        }

    def _change_settings(self, method: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            try:
                self._settings.change(orjson.loads(body))
            except (BadSettingError, orjson.JSONDecodeError, AttributeError) as error:
                return 400, {"error": str(error)}
        return 200, self._settings.as_json()

    async def _take_inbound(self, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            asked = orjson.loads(body)
            account = asked.get("account") or next(iter(self._accounts))
            person, number, text = asked["from"], asked["to"], asked["body"]
            token = self._accounts[account]
        except (orjson.JSONDecodeError, AttributeError, KeyError) as error:
            return 400, {"error": f"wanted {{account?, from, to, body, url?}}: {error!r}"}
        return 200, await self._inbox.take(
            account=account,
            token=token,
            person=person,
            number=number,
            body=text,
            url=asked.get("url") or self._settings.inbound_url,
        )
