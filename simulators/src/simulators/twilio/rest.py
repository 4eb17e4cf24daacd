"""Twilio's REST API for messages: create, list, fetch."""

import asyncio
import base64
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson

from simulators.shared import Faults, Receive, Scope, Send, answer, answer_json, header, read_body
from simulators.twilio.deliveries import Deliveries
from simulators.twilio.faults import Answering, callback_fault, opted_out_late
from simulators.twilio.listing import list_texts
from simulators.twilio.outcomes import OPTED_OUT, Outcome, outcome, refusal
from simulators.twilio.problems import problem
from simulators.twilio.reading import Question, answer_question
from simulators.twilio.resources import PREFIX, as_created, inbound_resource, resource
from simulators.twilio.segments import count_segments, is_toll_free
from simulators.twilio.settings import Settings
from simulators.twilio.store import Store, Text


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
        self.asked: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        account, _, tail = scope["path"][len(PREFIX) :].partition("/")
        authorization = header(scope, b"authorization")
        if authorization is None or self._accounts.get(authorization) != account:
            await self._refuse(send, 20003)
        elif tail == "Messages.json" and scope["method"] == "POST":
            await self._create(account, scope, receive, send)
        elif tail == "Messages.json" and scope["method"] == "GET":
            query = parse_form(scope["query_string"])
            asked = {"to": query.get("To", ""), "from": query.get("From", "")}
            facts = {"route": "list", "account": account, **asked}
            found = self._list(account, query)
            await self._answer(Question(facts, scope, receive, send), found)
        elif tail.startswith("Messages/") and scope["method"] == "GET":
            sid = tail[len("Messages/") :].removesuffix(".json")
            facts = {"route": "fetch", "account": account, "sid": sid}
            found = self._fetch(account, sid)
            await self._answer(Question(facts, scope, receive, send), found)
        else:
            await self._refuse(send, 20404)

    async def _create(self, account: str, scope: Scope, receive: Receive, send: Send) -> None:
        form = parse_form(await read_body(receive))
        arrived_at = time.time()
        to, body = form.get("To", ""), form.get("Body", "")
        sender = form.get("MessagingServiceSid") or form.get("From", "")
        facts = {"to": to, "from": sender, "body": body, "account": account}
        answering = Answering(self._faults, facts, scope, receive, send)
        if self._faults.rules and await answering.before():
            return
        code = refusal(to, sender, body, endings=self._settings.special_endings)
        late = code is None and opted_out_late(self._faults, facts)
        if late and (account, sender, to) not in self._store.opted_out:
            self._store.opt((account, sender, to), out=True)
        elif code is None and not late and (account, sender, to) in self._store.opted_out:
            code = 21610
        if code is not None:
            await self._refuse(send, code)
            return
        ending = OPTED_OUT if late else self._ending(to, sender)
        text, entry = self._accept(facts, form.get("StatusCallback", ""), ending, arrived_at)
        if text.outcome.callback_fault == "callback_before_201":
            await self._deliveries.begin_at_once(text, entry["status_callback"])
        else:
            self._deliveries.begin(text, entry["status_callback"])
        if self._settings.answer_ms:
            await asyncio.sleep(self._settings.answer_ms / 1000)
        created = orjson.dumps(as_created(text, entry))
        if self._faults.rules and await answering.after(created):
            return
        await answer(send, 201, created)
        self._deliveries.answered(text)

    def _ending(self, to: str, sender: str) -> Outcome:
        return outcome(
            to,
            sender,
            endings=self._settings.special_endings,
            failing=self._settings.failing_chance,
            chance=self._chance,
        )

    def _accept(
        self, facts: Mapping[str, str], status_callback: str, ending: Outcome, arrived_at: float
    ) -> tuple[Text, dict[str, Any]]:
        to, sender, body = facts["to"], facts["from"], facts["body"]
        return self._store.accept(
            account=facts["account"],
            to=to,
            sender=sender,
            body=body,
            status_callback=status_callback,
            num_segments=count_segments(body, toll_free=is_toll_free(sender)),
            outcome=callback_fault(self._faults, facts, ending),
            arrived_at=arrived_at,
        )

    async def _answer(self, question: Question, found: tuple[int, object]) -> None:
        route = question.facts["route"]
        self.asked[route] = self.asked.get(route, 0) + 1
        # Read to its end, so that nothing but hanging up is left to hear of.
        await read_body(question.receive)
        await answer_question(self._faults, question, found)

    def _list(self, account: str, query: Mapping[str, str]) -> tuple[int, object]:
        before = time.time() - self._settings.list_lag_seconds
        try:
            return 200, list_texts(self._store, account, query, before=before)
        except ValueError:
            return problem(20001)

    def _fetch(self, account: str, sid: str) -> tuple[int, object]:
        text = self._store.by_sid.get(sid)
        if text is not None and text.account == account:
            return 200, resource(text, self._store.messages.entry_at(text.offset))
        inbound = self._store.inbound_by_sid.get(sid)
        if inbound is not None and inbound.account == account:
            return 200, inbound_resource(inbound)
        return problem(20404)

    async def _refuse(self, send: Send, code: int) -> None:
        self.refused[code] = self.refused.get(code, 0) + 1
        await answer_json(send, *problem(code))
