"""The simulated iMIS: raw ASGI, because one activity is written for each text."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson

from simulators.imis import control, reads, wire, writes
from simulators.imis.catalogue import Catalogue
from simulators.imis.faults import AFTER, ANYWHERE, KNOWN, TOKEN
from simulators.imis.ledger import Ledger
from simulators.imis.logins import Logins
from simulators.imis.members import Members
from simulators.imis.people import People
from simulators.imis.request import Request
from simulators.imis.settings import Settings
from simulators.shared import (
    Faults,
    Receive,
    Rule,
    Scope,
    Send,
    answer,
    answer_json,
    drop,
    header,
    read_body,
    run_lifespan,
)

_HTML = ((b"content-type", b"text/html; charset=utf-8"),)


class ImisSimulator:
    """An ASGI application; `/_sim/…` is the judge's side, all else is iMIS's."""

    def __init__(self, settings: Settings, *, state: Path) -> None:
        self.settings = settings
        self.people = People(settings.recipients, settings.seed)
        self.members = Members(self.people, settings)
        self.catalogue = Catalogue(self.people)
        self.logins = Logins(settings)
        self.ledger = Ledger(state)
        self.faults = Faults(KNOWN, seed=settings.seed)
        self.counts: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await run_lifespan(receive, send, self._life)
            return
        path: str = scope["path"]
        if path.startswith("/_sim/"):
            await control.respond(self, scope, receive, send)
            return
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._respond(scope, receive, send, path)
        finally:
            self.in_flight -= 1

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[None]:
        yield
        self.ledger.close()

    async def _respond(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        body = await read_body(receive)
        if self.settings.latency_seconds:
            await asyncio.sleep(self.settings.latency_seconds)
        if not path.startswith(self.settings.prefix + "/"):
            await answer(send, 404, wire.HTML_PAGE, _HTML)
            return
        path = path[len(self.settings.prefix) :]
        self.counts[f"{scope['method']} {'/'.join(path.split('/')[:3])}"] += 1
        if path == "/token":
            await self._log_in(scope, receive, send, body)
            return
        authorization = header(scope, b"authorization")
        user = self.logins.user_of(authorization)
        if user is None:
            await answer_json(send, 401, wire.UNAUTHORIZED)
            return
        request = Request(
            method=scope["method"],
            path=path,
            query=parse_qsl(scope["query_string"].decode(), keep_blank_values=True),
            body=body,
            user=user,
        )
        rule = self._fault(request)
        if rule is not None and rule.name == "slow":
            await _dawdle(rule)
            rule = None
        if rule is not None and rule.name not in AFTER:
            if rule.name == "expire_mid_paging":
                self.logins.revoke(authorization or b"")
            await _befall(rule, scope, receive, send)
            return
        status, content = self._handle(request)
        if rule is not None and status < 300:  # noqa: PLR2004 - it was committed
            await _befall(rule, scope, receive, send)
            return
        await answer_json(send, status, content)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        facts = {"path": "/token", "method": scope["method"], "user": form.get("username", "")}
        if self.faults.rules and (rule := self.faults.pick(facts, TOKEN)):
            if rule.name != "slow":
                await _befall(rule, scope, receive, send)
                return
            await _dawdle(rule)
        await answer_json(send, *self.logins.log_in(form))

    def _fault(self, request: Request) -> Rule | None:
        if not self.faults.rules:
            return None
        among = set(ANYWHERE)
        facts = {"path": request.path, "method": request.method, "user": request.user}
        if request.path in reads.RUN_ROUTES:
            facts["query"] = request.first("QueryName")
            facts["offset"] = request.first("offset") or "0"
            among |= {"404_rest_disabled", "400_missing_prompt"}
            if facts["offset"] != "0":
                among.add("expire_mid_paging")
        elif writes.changes_something(request):
            facts |= writes.facts_of(request)
            among |= AFTER
        return self.faults.pick(facts, among)

    def _handle(self, request: Request) -> tuple[int, Any]:
        try:
            if request.path.startswith(writes.PREFIXES):
                return writes.handle(self, request)
            return reads.handle(self, request)
        except orjson.JSONDecodeError:
            return 400, wire.problem("The request is not JSON.")


async def _dawdle(rule: Rule) -> None:
    await asyncio.sleep(float(rule.params.get("seconds", 3)))


async def _befall(rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the fault has it."""
    match rule.name:
        case "401_live_token" | "expire_mid_paging":
            await answer_json(send, 401, wire.UNAUTHORIZED)
        case "403":
            await answer_json(send, 403, wire.problem("Access is denied."))
        case "404_rest_disabled":
            await answer_json(send, 404, reads.NO_SUCH_QUERY)
        case "400_missing_prompt":
            await answer_json(send, 400, wire.problem("A value is required for a prompt."))
        case "unsuccessful_200":
            await answer_json(send, 200, wire.unsuccessful("The operation was not successful."))
        case "429":
            wait = str(rule.params.get("retry_after", 1)).encode()
            plain = (b"content-type", b"application/json")
            body = orjson.dumps(wire.problem("Too many requests."))
            await answer(send, 429, body, (plain, (b"retry-after", wait)))
        case "500_before" | "500_after":
            status = int(rule.params.get("status", 500))
            await answer_json(send, status, wire.problem("An error has occurred."))
        case "html_page":
            await answer(send, int(rule.params.get("status", 200)), wire.HTML_PAGE, _HTML)
        case "drop_after_commit":
            await drop(scope, receive)
        case "timeout_after_commit" | "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
