"""Twilio's REST API for messages: create, list, fetch."""

import asyncio
import base64
import random
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import orjson

from simulators.shared import Faults, Receive, Scope, Send, answer, answer_json, header, read_body
from simulators.twilio.deliveries import Deliveries
from simulators.twilio.faults import Answering, callback_fault
from simulators.twilio.listing import list_texts
from simulators.twilio.outcomes import outcome, refusal
from simulators.twilio.problems import problem
from simulators.twilio.segments import count_segments, is_toll_free
from simulators.twilio.settings import Settings
from simulators.twilio.store import Store, Text

PREFIX = "/2010-04-01/Accounts/"


def parse_form(body: bytes) -> dict[str, str]:
    """Read a form; the first value of a name counts."""
    form: dict[str, str] = {}
    for pair in body.decode("ascii", "replace").split("&"):
        name, _, value = pair.partition("=")
        form.setdefault(_unquote(name), _unquote(value))
    return form


def _unquote(quoted: str) -> str:
    # Names and ids mostly need no work, and this runs for every field.
    return unquote_plus(quoted) if "%" in quoted or "+" in quoted else quoted


@lru_cache(maxsize=4)
def rfc2822(second: int) -> str:
    """Write a time as Twilio does; texts of one second share the work."""
    return formatdate(second).replace("-0000", "+0000")


def resource(text: Text, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Show a text as the API does: numbers are strings, the price comes never."""
    service = text.sender.startswith("MG")
    uri = f"{PREFIX}{text.account}/Messages/{text.sid}"
    return {
        "account_sid": text.account,
        "api_version": "2010-04-01",
        "body": entry["body"],
        "date_created": rfc2822(int(text.accepted_at)),
        "date_sent": None if text.sent_at is None else rfc2822(int(text.sent_at)),
        "date_updated": rfc2822(int(text.changed_at)),
        "direction": "outbound-api",
        "error_code": text.error_code,
        "error_message": None,
        "from": None if service else text.sender,
        "messaging_service_sid": text.sender if service else None,
        "num_media": "0",
        "num_segments": str(entry["num_segments"]),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


class Rest:
    """Answers under `/2010-04-01/Accounts/`."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        faults: Faults,
        deliveries: Deliveries,
        accounts: Mapping[str, bytes],
        chance: random.Random,
    ) -> None:
        self._store = store
        self._settings = settings
        self._faults = faults
        self._deliveries = deliveries
        self._chance = chance
        self._accounts = {
            b"Basic " + base64.b64encode(sid.encode() + b":" + token): sid
            for sid, token in accounts.items()
        }
        self.refused: dict[int, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        account, _, tail = scope["path"][len(PREFIX) :].partition("/")
        authorization = header(scope, b"authorization")
        if authorization is None or self._accounts.get(authorization) != account:
            await self._refuse(send, 20003)
        elif tail == "Messages.json" and scope["method"] == "POST":
            await self._create(account, scope, receive, send)
        elif tail == "Messages.json" and scope["method"] == "GET":
            await self._list(account, parse_form(scope["query_string"]), send)
        elif tail.startswith("Messages/") and scope["method"] == "GET":
            await self._fetch(account, tail[len("Messages/") :].removesuffix(".json"), send)
        else:
            await self._refuse(send, 20404)

    async def _create(self, account: str, scope: Scope, receive: Receive, send: Send) -> None:
        form = parse_form(await read_body(receive))
        to, body = form.get("To", ""), form.get("Body", "")
        sender = form.get("MessagingServiceSid") or form.get("From", "")
        facts = {"to": to, "from": sender, "body": body, "account": account}
        answering = Answering(self._faults, facts, scope, receive, send)
        if self._faults.rules and await answering.before():
            return
        code = refusal(to, sender, body, endings=self._settings.special_endings)
        if code is None and (account, sender, to) in self._store.opted_out:
            code = 21610
        if code is not None:
            await self._refuse(send, code)
            return
        text, entry = self._accept(facts, form.get("StatusCallback", ""))
        if text.outcome.callback_fault == "callback_before_201":
            await self._deliveries.begin_at_once(text, entry["status_callback"])
        else:
            self._deliveries.begin(text, entry["status_callback"])
        if self._settings.answer_ms:
            await asyncio.sleep(self._settings.answer_ms / 1000)
        created = orjson.dumps(_as_created(text, entry))
        if self._faults.rules and await answering.after(created):
            return
        await answer(send, 201, created)

    def _accept(
        self, facts: Mapping[str, str], status_callback: str
    ) -> tuple[Text, dict[str, Any]]:
        to, sender, body = facts["to"], facts["from"], facts["body"]
        ending = outcome(
            to,
            sender,
            endings=self._settings.special_endings,
            failing=self._settings.failing_chance,
            chance=self._chance,
        )
        return self._store.accept(
            account=facts["account"],
            to=to,
            sender=sender,
            body=body,
            status_callback=status_callback,
            num_segments=count_segments(body, toll_free=is_toll_free(sender)),
            outcome=callback_fault(self._faults, facts, ending),
        )

    async def _list(self, account: str, query: Mapping[str, str], send: Send) -> None:
        before = time.time() - self._settings.list_lag_seconds
        try:
            page = list_texts(self._store, account, query, before=before, show=resource)
        except ValueError:
            await self._refuse(send, 20001)
            return
        await answer_json(send, 200, page)

    async def _fetch(self, account: str, sid: str, send: Send) -> None:
        text = self._store.by_sid.get(sid)
        if text is None or text.account != account:
            await self._refuse(send, 20404)
            return
        await answer_json(send, 200, resource(text, self._store.messages.entry_at(text.offset)))

    async def _refuse(self, send: Send, code: int) -> None:
        self.refused[code] = self.refused.get(code, 0) + 1
        await answer_json(send, *problem(code))


def _as_created(text: Text, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Show a text as it was when it was accepted, though it may have moved on since."""
    status = "accepted" if text.sender.startswith("MG") else "queued"
    shown = resource(text, entry)
    return {**shown, "status": status, "date_sent": None, "date_updated": shown["date_created"]}
