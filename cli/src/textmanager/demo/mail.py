"""The report that the campaign's author gets by mail, as the local sink received it."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from textmanager.errors import UserError
from textmanager.probe import fetch

AUTHOR = "author@demo.example"
PATIENCE_SECONDS = 30.0
EVERY_SECONDS = 0.2
LINES_SHOWN = 8

Say = Callable[[str], None]


async def until_reported(mail_url: str, campaign: str, *, say: Say) -> None:
    """Show the beginning of the campaign's report; raises UserError when none comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for each in await _mails(mail_url):
            if AUTHOR in each["to"] and campaign in each["subject"]:
                _show(each, mail_url, say=say)
                return
        await asyncio.sleep(EVERY_SECONDS)
    raise UserError("The report was not mailed: the notifier's log says why.")


async def _mails(mail_url: str) -> list[dict[str, Any]]:
    answer = await fetch("GET", f"{mail_url}/control/mails", timeout_seconds=10.0)
    found: list[dict[str, Any]] = json.loads(answer.body)["mails"]
    return found


def _show(mail: dict[str, Any], mail_url: str, *, say: Say) -> None:
    say(f"\nMailed to {AUTHOR}: {mail['subject']}")
    for line in [line for line in mail["text"].splitlines() if line.strip()][:LINES_SHOWN]:
        say(f"  {line}")
    attached = ", ".join(each["name"] for each in mail["attachments"])
    say(f"  … with {attached}; read it at {mail_url}")
