"""Plays the carriers: moves each text on, and tells the customer by status callbacks."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from simulators.twilio.settings import Settings
from simulators.twilio.store import Store, Text
from simulators.twilio.timeline import Timeline
from simulators.twilio.webhooks import Poster, Retrying, Webhook, split_overrides

_FINAL = frozenset({"delivered", "undelivered", "failed"})


@dataclass(slots=True)
class _Step:
    """A text's next status is due."""

    text: Text
    status: str
    url: str


@dataclass(slots=True)
class _Callback:
    """A callback to post, and perhaps another that must follow it."""

    text: Text
    status: str
    webhook: Webhook
    retrying: Retrying
    tried: int = 0
    copies: int = 1
    then: "_Callback | None" = None
    done: "asyncio.Future[None] | None" = None


class Deliveries:
    """Each text becomes sent, then what its outcome says; each change is recorded, then told."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        tokens: Mapping[str, bytes],
        poster: Poster,
        *,
        in_flight: int = 64,
    ) -> None:
        self._store = store
        self._settings = settings
        self._tokens = tokens
        self._poster = poster
        self._in_flight = in_flight
        self._queue: asyncio.Queue[_Callback] = asyncio.Queue()
        self._done_lines: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._timeline: Timeline[_Step | _Callback] = Timeline(self._handle)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._in_flight)]
        self._resume()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timeline.stop()
        pending = set(self._workers)
        while pending:
            # Cancelled again and again: a request that ends at the same moment can swallow it.
            for worker in pending:
                worker.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)
        self._write_done()

    def begin(self, text: Text, url: str) -> None:
        """Start the life of a text that was just accepted."""
        if text.outcome.callback_fault != "quiet":
            self._timeline.add(
                _Step(text, self._first(text), url),
                in_seconds=self._settings.sent_after_ms / 1000,
            )

    async def begin_at_once(self, text: Text, url: str) -> None:
        """Start the life of a text, and come back when its first callback was answered."""
        told = asyncio.get_running_loop().create_future() if url else None
        self._advance([_Step(text, self._first(text), url)], told)
        if told is not None:
            await told

    def as_json(self) -> dict[str, int]:
        """Count the callbacks: delivered, attempts that failed, given up, waiting."""
        return {
            "delivered": self.counts["delivered"],
            "failed_attempts": self.counts["failed_attempts"],
            "given_up": self.counts["given_up"],
            "lost_on_purpose": self.counts["lost_on_purpose"],
            "waiting": self._queue.qsize(),
            "scheduled": len(self._timeline),
        }

    def _first(self, text: Text) -> str:
        return "failed" if text.outcome.status == "failed" else "sent"

    def _handle(self, due: list[_Step | _Callback]) -> None:
        steps = []
        for item in due:
            if isinstance(item, _Step):
                steps.append(item)
            else:
                self._queue.put_nowait(item)
        self._advance(steps)

    def _advance(self, steps: list[_Step], told: "asyncio.Future[None] | None" = None) -> None:
        """Record the new statuses first, in one write; only then may anybody be told."""
        lines = []
        for step in steps:
            error = step.text.outcome.error_code if step.status in _FINAL else None
            lines.append(self._store.change(step.text, step.status, error))
        self._store.events.append_all(lines)
        for step in steps:
            text, final = step.text, step.text.outcome.status
            if step.status not in _FINAL and final is not None:
                self._timeline.add(
                    _Step(text, final, step.url), in_seconds=self._settings.final_after_ms / 1000
                )
            if step.url:
                self._tell(text, step.status, step.url, told)

    def _tell(
        self, text: Text, status: str, url: str, told: "asyncio.Future[None] | None" = None
    ) -> None:
        match text.outcome.callback_fault:
            case "callback_final_lost" if status not in _FINAL:
                callback = self._callback(text, status, url)
            case "callback_lost" | "callback_final_lost":
                self.counts["lost_on_purpose"] += 1
                self._done(text, status)
                return
            case "callback_reordered" if status not in _FINAL:
                return  # It follows the final one.
            case "callback_reordered":
                callback = self._callback(text, status, url)
                callback.then = self._callback(text, "sent", url)
            case "callback_repeated":
                callback = self._callback(text, status, url)
                callback.copies = 2
            case _:
                callback = self._callback(text, status, url)
        callback.done = told
        self._queue.put_nowait(callback)

    def _callback(self, text: Text, status: str, url: str) -> _Callback:
        address, retrying = split_overrides(url)
        fields = {
            "AccountSid": text.account,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsSid": text.sid,
            "SmsStatus": status,
            "To": text.to,
        }
        if text.sender.startswith("MG"):
            fields["MessagingServiceSid"] = fields.pop("From")
        if status in _FINAL:
            fields["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime(text.changed_at))
            if text.error_code is not None:
                fields["ErrorCode"] = str(text.error_code)
        return _Callback(
            text, status, Webhook(address, fields, self._tokens[text.account]), retrying
        )

    async def _work(self) -> None:
        while True:
            callback = await self._queue.get()
            for _ in range(callback.copies):
                failure, _ = await self._poster.post(callback.webhook)
            self._settle(callback, failure)

    def _settle(self, callback: _Callback, failure: str) -> None:
        if failure:
            self.counts["failed_attempts"] += 1
            callback.tried += 1
            if callback.retrying.wanted(failure, callback.tried):
                self._timeline.add(callback, in_seconds=self._settings.retry_delay_ms / 1000)
                return
        self.counts["given_up" if failure else "delivered"] += 1
        self._done(callback.text, callback.status)
        if callback.then is not None:
            self._queue.put_nowait(callback.then)
        if callback.done is not None and not callback.done.done():
            callback.done.set_result(None)

    def _done(self, text: Text, status: str) -> None:
        """Note that nothing more is owed; losing the note only makes a callback come twice."""
        self._note({"kind": "callback", "sid": text.sid, "status": status})

    def answered(self, text: Text) -> None:
        """Note when the whole 201 had left."""
        text.answered_at = time.time()
        self._note({"kind": "answered", "sid": text.sid, "at": text.answered_at})

    def _note(self, line: dict[str, Any]) -> None:
        if not self._done_lines:
            asyncio.get_running_loop().call_later(0.01, self._write_done)
        self._done_lines.append(line)

    def _write_done(self) -> None:
        lines, self._done_lines = self._done_lines, []
        if lines:
            self._store.events.append_all(lines)

    def _resume(self) -> None:
        """Go on where the record ends: owed callbacks at once, later statuses in their time."""
        for sid, status in self._store.undone:
            text = self._store.by_sid[sid]
            if url := self._store.messages.entry_at(text.offset)["status_callback"]:
                self._tell(text, status, url)
        self._store.undone.clear()
        for text in self._store.texts:
            if text.status in _FINAL or text.outcome.callback_fault == "quiet":
                continue
            if text.status == "sent" and text.outcome.status is None:
                continue
            url = self._store.messages.entry_at(text.offset)["status_callback"]
            if text.status != "sent":
                self.begin(text, url)
            elif text.outcome.status is not None:
                self._timeline.add(
                    _Step(text, text.outcome.status, url),
                    in_seconds=self._settings.final_after_ms / 1000,
                )
