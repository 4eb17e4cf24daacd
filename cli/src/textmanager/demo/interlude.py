"""What happens while the campaign is under way: it is paused, somebody opts out, it goes on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from textmanager.demo.api import Gateway
from textmanager.demo.outside import Outside
from textmanager.errors import UserError

SHARE_BEFORE_THE_PAUSE = 0.15
PATIENCE_SECONDS = 30.0
WATCHED_SECONDS = 1.0
EVERY_SECONDS = 0.1
STOP = "Stop."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Interlude:
    """The steps that staff and a member take in the middle of a run."""

    gateway: Gateway
    outside: Outside
    campaign_id: str
    run_id: str
    from_number: str
    say: Say

    async def play(self, expected: int) -> float:
        """Pause, let a member opt out, and resume; returns for how many seconds it was paused.

        A run that is over before that is left alone.
        """
        if await self._until_accepted(int(expected * SHARE_BEFORE_THE_PAUSE)) is None:
            return 0.0
        began = time.monotonic()
        if not await self._take("pause"):
            return 0.0
        paused = await self.outside.accepted()
        await asyncio.sleep(WATCHED_SECONDS)
        after = await self.outside.accepted()
        self.say(f"Paused it: {after - paused} texts left after the answer, {after} in all so far")
        member = await self._somebody_waiting()
        if member is not None:
            await self.outside.text_in(member["to"], self.from_number, STOP)
            await self._until_opted_out(member["to"])
            self.say(f"Member {member['imis_id']}, not texted yet, answered {STOP!r}: opted out")
        if await self._take("resume"):
            self.say("Resumed it\n")
        return time.monotonic() - began

    async def _take(self, step: str) -> bool:
        """Take a step of the campaign's life; False when its last text had left already."""
        path = f"/v1/campaigns/{self.campaign_id}"
        try:
            await self.gateway.post(f"{path}/{step}", {})
        except UserError:
            if (await self.gateway.get(path))["status"] != "completed":
                raise
            self.say(f"Its last text had left already: there was nothing to {step}\n")
            return False
        return True

    async def _until_accepted(self, count: int) -> int | None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            accepted = await self.outside.accepted()
            if accepted >= max(1, count):
                return accepted
            run = await self.gateway.get(f"/v1/runs/{self.run_id}")
            if run["state"] in {"completed", "failed"}:
                return None
            await asyncio.sleep(EVERY_SECONDS)
        return None

    async def _somebody_waiting(self) -> dict[str, Any] | None:
        """Return the last member who has not been texted."""
        found: dict[str, Any] | None = None
        cursor = ""
        while True:
            path = f"/v1/runs/{self.run_id}/messages?status=preparing&limit=500{cursor}"
            page = await self.gateway.get(path)
            found = page["items"][-1] if page["items"] else found
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={quote(page['next_cursor'])}"

    async def _until_opted_out(self, number: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            listed = await self.gateway.get("/v1/opt-outs")
            if any(each["number"] == number for each in listed["items"]):
                return
            await asyncio.sleep(EVERY_SECONDS)
        raise UserError("The opt-out did not arrive: the logs of ingress and consent say why.")
