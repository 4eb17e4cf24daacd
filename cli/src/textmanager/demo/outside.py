"""What the simulators themselves took: the witnesses that no part of the system can sway."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from textmanager.probe import fetch


@dataclass(frozen=True, slots=True)
class Outside:
    """The simulators' own records."""

    twilio_url: str
    imis_url: str

    async def audience(self, path: str) -> list[dict[str, str]]:
        """Return every row of a query, as iMIS has it."""
        rows: list[dict[str, str]] = (await self._imis(f"audience?path={quote(path)}"))["rows"]
        return rows

    async def activities(self) -> list[dict[str, Any]]:
        """Return every activity that iMIS took."""
        found: list[dict[str, Any]] = (await self._imis("activities"))["activities"]
        return found

    async def activities_created(self) -> int:
        """Return how many activities iMIS took."""
        return int((await self._imis("stats"))["activities_created"])

    async def messages(self) -> list[dict[str, Any]]:
        """Return every text that Twilio accepted, in order."""
        found: list[dict[str, Any]] = await self._twilio("messages")
        return found

    async def accepted(self) -> int:
        """Return how many texts Twilio accepted."""
        return int((await self._twilio("stats"))["accepted"])

    async def text_in(self, sender: str, number: str, text: str) -> None:
        """Let a member text one of our numbers."""
        await fetch(
            "POST",
            f"{self.twilio_url}/_sim/inbound",
            body=json.dumps({"from": sender, "to": number, "body": text}),
            timeout_seconds=10.0,
        )

    async def _imis(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = await _get(f"{self.imis_url}/_sim/{path}")
        return found

    async def _twilio(self, path: str) -> Any:
        return await _get(f"{self.twilio_url}/_sim/{path}")


async def _get(url: str) -> Any:
    return json.loads((await fetch("GET", url, timeout_seconds=60.0)).body)
