"""What goes wrong on demand with a posted text, by name, at three points of the request.

| fault | accepted | what the client sees |
|---|---|---|
| `429`, `21611`, `401`, `500_before` | no | that error |
| `drop_before` | no | a closed connection |
| `redirect_307` | no | a 307 that leads to the same place |
| `500_after`, `drop_after` | yes | a 500; a closed connection |
| `timeout_after` | yes | no answer at all |
| `half_answer` | yes | a 201 whose body breaks off |
| `slow` | yes | a 201 after `params.seconds` (3) |
| `21610_by_callback` | yes | a 201; the text fails with 21610, the recipient is opted out |
| `callback_lost`, `callback_final_lost` | yes | a 201; no callback, or none of the end |
| `callback_repeated`, `callback_reordered`, `callback_before_201` | yes | a 201 |

A request may meet one of the first and one of the callbacks' faults together.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from simulators.shared import (
    Faults,
    Receive,
    Rule,
    Scope,
    Send,
    answer,
    answer_json,
    drop,
    half_an_answer,
    until_hung_up,
)
from simulators.twilio.outcomes import Outcome
from simulators.twilio.problems import problem
from simulators.twilio.reading import READING

_CODES = {"429": 20429, "21611": 21611, "401": 20003, "500_before": 20500}
BEFORE = frozenset({*_CODES, "drop_before", "redirect_307"})
AFTER = frozenset({"500_after", "drop_after", "timeout_after", "half_answer", "slow"})
CALLBACK = frozenset(
    {
        "callback_lost",
        "callback_final_lost",
        "callback_repeated",
        "callback_reordered",
        "callback_before_201",
    }
)
OPTED_OUT_LATE = "21610_by_callback"
INBOUND = frozenset({"inbound_lost", "inbound_repeated"})
KNOWN = BEFORE | AFTER | CALLBACK | INBOUND | READING | {OPTED_OUT_LATE}
_ANSWER = BEFORE | AFTER


def callback_fault(faults: Faults, facts: Mapping[str, str], outcome: Outcome) -> Outcome:
    """Give a text's outcome with the fault that befalls its callbacks, if one does."""
    if not faults.rules or outcome.callback_fault == "quiet":
        return outcome
    rule = faults.pick(facts, CALLBACK)
    return outcome if rule is None else replace(outcome, callback_fault=rule.name)


def opted_out_late(faults: Faults, facts: Mapping[str, str]) -> bool:
    """Say whether Twilio takes this text and finds only later that the recipient opted out."""
    return bool(faults.rules) and faults.pick(facts, {OPTED_OUT_LATE}) is not None


class Answering:
    """The answer to one request, which a fault may take over before or after acceptance."""

    def __init__(
        self,
        faults: Faults,
        facts: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._faults = faults
        self._facts = facts
        self._scope = scope
        self._receive = receive
        self._send = send
        self._rule: Rule | None = None

    async def before(self) -> bool:
        """Pick the fault; say whether it answered, so that nothing is accepted."""
        self._rule = self._faults.pick(self._facts, _ANSWER)
        if self._rule is None or self._rule.name in AFTER:
            return False
        if self._rule.name == "drop_before":
            await drop(self._scope, self._receive)
        elif self._rule.name == "redirect_307":
            location = (b"location", self._scope["path"].encode() + b"?redirected=1")
            await answer(self._send, 307, b"", [location])
        else:
            await answer_json(self._send, *problem(_CODES[self._rule.name]))
        return True

    async def after(self, created: bytes) -> bool:
        """Say whether the fault answered, though the text was accepted."""
        match self._rule.name if self._rule is not None else None:
            case "500_after":
                await answer_json(self._send, *problem(20500))
            case "drop_after":
                await drop(self._scope, self._receive)
            case "timeout_after":
                await until_hung_up(self._receive)
            case "half_answer":
                await half_an_answer(self._scope, self._receive, self._send, 201, created)
            case "slow" if self._rule is not None:
                await asyncio.sleep(float(self._rule.params.get("seconds", 3)))
                return False
            case _:
                return False
        return True
