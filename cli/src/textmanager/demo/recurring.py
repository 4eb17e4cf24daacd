"""A recurring campaign beside the other one: its first occurrence comes while that is sent."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from textmanager.demo.api import Gateway
from textmanager.errors import UserError

QUERY = "$/Common/Queries/Text Manager/Members by city"
CITY = "Austin"
TEMPLATE = "Good morning ${First Name|member}, the chapter meets tonight at 7."
FIRST_AFTER = timedelta(seconds=9)
SHOWN = 3
PATIENCE_SECONDS = 60.0
EVERY_SECONDS = 0.2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recurring:
    """A daily campaign to a few members."""

    gateway: Gateway
    campaign_id: str
    say: Say

    @classmethod
    async def schedule(cls, gateway: Gateway, *, say: Say) -> "Recurring":
        """Write it and schedule it; it runs for the first time in a moment."""
        starts = (datetime.now(UTC) + FIRST_AFTER).replace(microsecond=0, tzinfo=None)
        campaign = await gateway.post(
            "/v1/campaigns",
            {
                "name": "Chapter meeting",
                "kind": "recurring",
                "audience": {
                    "iqa_path": QUERY,
                    "phone_column": "Mobile Phone",
                    "id_column": "iMIS Id",
                    "prompts": [CITY],
                },
                "template": TEMPLATE,
                "recurrence": {"rule": "FREQ=DAILY", "starts": starts.isoformat()},
            },
        )
        campaign_id = campaign["campaign_id"]
        await gateway.post(f"/v1/campaigns/{campaign_id}/schedule", {})
        shown = await gateway.get(f"/v1/campaigns/{campaign_id}/occurrences")
        next_ones = ", ".join(each["at"] for each in shown["items"][:SHOWN])
        say(f"Scheduled another one, {shown['description']}: {next_ones}, …")
        return cls(gateway, campaign_id, say)

    async def until_run(self) -> dict[str, Any]:
        """Return its first run, once each text has an outcome; raises UserError if none comes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            runs = (await self.gateway.get(f"/v1/campaigns/{self.campaign_id}/runs"))["items"]
            over = [each for each in runs if each["state"] in {"completed", "failed"}]
            if over:
                run: dict[str, Any] = over[0]
                self._tell(run)
                return run
            await asyncio.sleep(EVERY_SECONDS)
        raise UserError("The recurring campaign did not run: the scheduler's log says why.")

    def _tell(self, run: dict[str, Any]) -> None:
        if run["state"] == "failed":
            raise UserError(f"The recurring campaign's run failed: {run['failure']}")
        self.say(f"The daily campaign ran as well: {run['messages']} texts to {CITY}")
