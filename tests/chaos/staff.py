"""Somebody at a keyboard, who asks until there is an answer, and notes when it came."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from tests.chaos.campaigns import Campaigns
from tests.chaos.expected import urgent_text
from tests.chaos.orders import CancelNewest, HoldBack, Order, SendUrgent
from tests.chaos.records import Hold

from textmanager.probe import Answer, fetch

# How long a gateway that is killed again and again may keep somebody waiting.
PATIENCE_SECONDS = 120.0
AGAIN_SECONDS = 0.2
SUCCESSES = range(200, 300)
OVER = 409


@dataclass(slots=True)
class Staff:
    """What one of the staff ordered, and what was answered."""

    campaigns: Campaigns
    say: Callable[[str], None]
    holds: list[Hold] = field(default_factory=list)
    cancelled: dict[int, float] = field(default_factory=dict)
    """When the cancel of a campaign was answered, by its number."""
    _asked: Iterator[int] = field(default_factory=itertools.count)
    _holding: bool = False

    async def carry_out(self, order: Order) -> None:
        """Do it, however often the gateway dies meanwhile."""
        match order:
            case HoldBack(everything, seconds):
                await self._hold(everything=everything, seconds=seconds)
            case CancelNewest():
                await self._cancel()
            case SendUrgent():
                await self._urgent()
            case _:
                assert_never(order)

    async def _hold(self, *, everything: bool, seconds: float) -> None:
        if self._holding:
            # The end of one hold would be the end of the other, too.
            return
        self._holding = True
        try:
            number, campaign_id = self.campaigns.newest
            what = "everything" if everything else f"campaign {number}"
            path = "/v1/stop" if everything else f"/v1/campaigns/{campaign_id}/pause"
            if not await self._done("POST", path):
                return
            since = time.time()
            self.say(f"staff hold {what} for {seconds} s")
            await asyncio.sleep(seconds)
            self.holds.append(Hold(since, time.time(), None if everything else number))
            if everything:
                await self._done("DELETE", path)
            else:
                await self._done("POST", f"/v1/campaigns/{campaign_id}/resume")
            self.say(f"staff let {what} go on")
        finally:
            self._holding = False

    async def _cancel(self) -> None:
        number, campaign_id = self.campaigns.newest
        if await self._done("POST", f"/v1/campaigns/{campaign_id}/cancel"):
            self.cancelled[number] = time.time()
            self.campaigns.write_off(number)
            self.say(f"staff cancel campaign {number}")

    async def _urgent(self) -> None:
        text = urgent_text(next(self._asked))
        # Expected from now on: whoever gets no answer may have been heard.
        self.campaigns.expected.append(text)
        answer = await self._answered(
            "POST", "/v1/messages", {"to": text.to, "text": text.body, "imis_id": text.imis_id}
        )
        if answer.status not in SUCCESSES:
            raise RuntimeError(f"an urgent text was answered with {answer.status}: {answer.body}")
        self.campaigns.runs.append(str(json.loads(answer.body)["run_id"]))
        self.say("staff send an urgent text")

    async def _done(self, method: str, path: str) -> bool:
        """Whether it was done; what is over can't be held any more."""
        answer = await self._answered(method, path)
        if answer.status not in SUCCESSES and answer.status != OVER:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {answer.body}")
        return answer.status in SUCCESSES

    async def _answered(self, method: str, path: str, body: dict[str, str] | None = None) -> Answer:
        """Ask under one key until somebody answers: who was asked may be dead, or have done it."""
        gateway = self.campaigns.gateway
        headers = gateway.headers | {"Idempotency-Key": f"staff-{next(self._asked)}"}
        sent = None if method == "DELETE" else json.dumps(body or {})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await fetch(
                    method, gateway.url + path, body=sent, headers=headers, timeout_seconds=15.0
                )
                if answer.status < 500 and "Idempotency-Key" not in answer.body:
                    return answer
            except OSError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)
