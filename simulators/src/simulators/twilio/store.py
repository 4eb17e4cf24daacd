"""What the simulated Twilio knows: each text and its status, each opt-out, from its record.

Two files: `messages.jsonl` has one line for each accepted text and no other, `events.jsonl` has
status changes, answers that went out, callbacks that are done with, opt-outs, inbound texts and
replies. Everything in
memory is a function of them. Bodies stay on disk: a million texts fit in memory without them.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.shared import Record
from simulators.twilio.outcomes import Outcome
from simulators.twilio.rates import PeakRate

Pair = tuple[str, str, str]
"""An account, its number (or Messaging Service), and a recipient."""


@dataclass(slots=True)
class Text:
    """One accepted text, without its body."""

    n: int
    sid: str
    account: str
    to: str
    sender: str
    offset: int
    accepted_at: float
    outcome: Outcome
    status: str
    earlier: int
    error_code: int | None = None
    changed_at: float = 0.0
    sent_at: float | None = None
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One text from a person; there are few, so they are kept whole."""

    n: int
    sid: str
    account: str
    person: str
    number: str
    body: str
    at: float


class Store:
    """The texts in the order of acceptance, by SID, and by destination."""

    def __init__(self, folder: Path) -> None:
        self.messages = Record(folder / "messages.jsonl")
        self.events = Record(folder / "events.jsonl")
        self.texts: list[Text] = []
        self.by_sid: dict[str, Text] = {}
        self.inbound: list[Inbound] = []
        self.inbound_by_sid: dict[str, Inbound] = {}
        self.opted_out: dict[Pair, float] = {}
        self.by_status: Counter[str] = Counter()
        self.peaks = PeakRate()
        self._latest_to: dict[str, int] = {}
        self._outcomes: dict[Outcome, Outcome] = {}
        self._names: dict[str, str] = {}
        self.undone: dict[tuple[str, str], None] = {}
        self._load()

    def accept(
        self,
        *,
        account: str,
        to: str,
        sender: str,
        body: str,
        status_callback: str,
        num_segments: int,
        outcome: Outcome,
        arrived_at: float,
    ) -> tuple[Text, dict[str, Any]]:
        """Take a text: its line is in the record when this returns."""
        entry = {
            "n": len(self.texts) + 1,
            "sid": "SM" + secrets.token_hex(16),
            "account": account,
            "to": to,
            "from": sender,
            "body": body,
            "status_callback": status_callback,
            "num_segments": num_segments,
            "arrived_at": arrived_at,
            "accepted_at": time.time(),
            "outcome": outcome.status,
            "outcome_error": outcome.error_code,
            "callback_fault": outcome.callback_fault,
        }
        return self._remember(entry, self.messages.append(entry)), entry

    def change(self, text: Text, status: str, error_code: int | None) -> dict[str, Any]:
        """Give a text its next status; the line returned is the caller's to record, at once."""
        line = {
            "kind": "status",
            "sid": text.sid,
            "status": status,
            "error_code": error_code,
            "at": time.time(),
        }
        self._change(text, line)
        return line

    def opt(self, pair: Pair, *, out: bool) -> None:
        """Opt a recipient out of a sender's texts, or in again."""
        at = time.time()
        self.events.append({"kind": "opt_out" if out else "opt_in", "pair": pair, "at": at})
        self._opt(pair, at, out=out)

    def take_inbound(self, *, account: str, person: str, number: str, body: str) -> Inbound:
        """Take a text from a person: its line is in the record when this returns."""
        line = {
            "kind": "inbound",
            "sid": "SM" + secrets.token_hex(16),
            "account": account,
            "from": person,
            "to": number,
            "body": body,
            "at": time.time(),
        }
        self.events.append(line)
        return self._take_inbound(line)

    def newest_first(self, to: str | None) -> Iterator[Text]:
        """Walk the texts, or those to one number, from the newest to the oldest."""
        if to is None:
            yield from reversed(self.texts)
            return
        n = self._latest_to.get(to, 0)
        while n:
            text = self.texts[n - 1]
            yield text
            n = text.earlier

    def close(self) -> None:
        """Give the files back."""
        self.messages.close()
        self.events.close()

    def _load(self) -> None:
        for offset, entry in self.messages.entries_from(0):
            self._remember(entry, offset)
        for line in self.events.entries():
            match line["kind"]:
                case "status":
                    self._change(self.by_sid[line["sid"]], line)
                    self.undone[line["sid"], line["status"]] = None
                case "callback":
                    self.undone.pop((line["sid"], line["status"]), None)
                case "opt_out" | "opt_in":
                    account, number, recipient = line["pair"]
                    pair = account, number, recipient
                    self._opt(pair, line["at"], out=line["kind"] == "opt_out")
                case "inbound":
                    self._take_inbound(line)
                case "answered":
                    self.by_sid[line["sid"]].answered_at = line["at"]

    def _remember(self, entry: dict[str, Any], offset: int) -> Text:
        outcome = Outcome(entry["outcome"], entry["outcome_error"], entry["callback_fault"])
        sender = self._names.setdefault(entry["from"], entry["from"])
        text = Text(
            n=entry["n"],
            sid=entry["sid"],
            account=self._names.setdefault(entry["account"], entry["account"]),
            to=entry["to"],
            sender=sender,
            offset=offset,
            accepted_at=entry["accepted_at"],
            outcome=self._outcomes.setdefault(outcome, outcome),
            status="accepted" if sender.startswith("MG") else "queued",
            earlier=self._latest_to.get(entry["to"], 0),
            changed_at=entry["accepted_at"],
        )
        self.texts.append(text)
        self.by_sid[text.sid] = text
        self.by_status[text.status] += 1
        self._latest_to[text.to] = text.n
        self.peaks.count(sender, entry["num_segments"], text.accepted_at)
        return text

    def _change(self, text: Text, line: dict[str, Any]) -> None:
        self.by_status[text.status] -= 1
        self.by_status[line["status"]] += 1
        text.status, text.error_code = line["status"], line["error_code"]
        text.changed_at = line["at"]
        if text.status == "sent":
            text.sent_at = line["at"]

    def _take_inbound(self, line: dict[str, Any]) -> Inbound:
        text = Inbound(
            n=len(self.inbound) + 1,
            sid=line["sid"],
            account=line["account"],
            person=line["from"],
            number=line["to"],
            body=line["body"],
            at=line["at"],
        )
        self.inbound.append(text)
        self.inbound_by_sid[text.sid] = text
        return text

    def _opt(self, pair: Pair, at: float, *, out: bool) -> None:
        if out:
            self.opted_out[pair] = at
        else:
            self.opted_out.pop(pair, None)
