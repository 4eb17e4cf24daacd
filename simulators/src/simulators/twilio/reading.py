"""What goes wrong on demand with a question: a list or one text asked for.

| fault | what the client sees |
|---|---|
| `get_429` | 429 with `Retry-After: params.retry_after` (1) |
| `get_500`, `get_401`, `get_404` | that error |
| `get_html` | a 200 with an HTML page |
| `get_drop` | a closed connection |
| `get_timeout` | no answer at all |
| `get_half_answer` | a 200 whose body breaks off |
| `get_slow` | the answer after `params.seconds` (3) |
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from simulators.shared import (
    JSON,
    Faults,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    drop,
    half_an_answer,
    until_hung_up,
)
from simulators.twilio.problems import problem

_CODES = {"get_500": 20500, "get_401": 20003, "get_404": 20404}
READING = frozenset(
    {*_CODES, "get_429", "get_html", "get_drop", "get_timeout", "get_half_answer", "get_slow"}
)
_HTML = ((b"content-type", b"text/html; charset=utf-8"),)
_PAGE = b"<html><body>Please come back later.</body></html>"


@dataclass(frozen=True, slots=True)
class Question:
    """One request for a list or a text, and the way back to who asked."""

    facts: Mapping[str, str]
    scope: Scope
    receive: Receive
    send: Send


async def answer_question(faults: Faults, question: Question, found: tuple[int, object]) -> None:
    """Give what was found, unless a fault takes the answer over."""
    facts, scope, receive, send = (
        question.facts,
        question.scope,
        question.receive,
        question.send,
    )
    rule = faults.pick(facts, READING) if faults.rules else None
    match rule.name if rule is not None else None:
        case "get_429" if rule is not None:
            wait = str(rule.params.get("retry_after", 1)).encode()
            status, said = problem(20429)
            await answer(send, status, orjson.dumps(said), (JSON, (b"retry-after", wait)))
        case ("get_500" | "get_401" | "get_404") as name:
            await answer_json(send, *problem(_CODES[name]))
        case "get_html":
            await answer(send, 200, _PAGE, _HTML)
        case "get_drop":
            await drop(scope, receive)
        case "get_timeout":
            await until_hung_up(receive)
        case "get_half_answer":
            await half_an_answer(scope, receive, send, found[0], orjson.dumps(found[1]))
        case "get_slow" if rule is not None:
            await asyncio.sleep(float(rule.params.get("seconds", 3)))
            await answer_json(send, *found)
        case _:
            await answer_json(send, *found)
