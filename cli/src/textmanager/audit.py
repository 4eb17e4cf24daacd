"""`textmanager audit message`: the whole causal history of one message, read from Kafka."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from contracts.personal import loggable
from textmanager import runfile
from textmanager.errors import UserError
from textmanager.eventlog import Logged, read_log

MESSAGE_TOPICS = (
    "message.queued",
    "recipient.excluded",
    "message.submitted",
    "twilio.callbacks",
    "message.status-changed",
    "activity.written",
)
RUN_TOPICS = ("campaign.due", "recipients.resolved")
CAMPAIGN_TOPICS = ("campaign.lifecycle",)


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a history, and how far it stands from the first cause."""

    logged: Logged
    depth: int

    def as_json(self) -> dict[str, Any]:
        """Show the step without personal data."""
        event, envelope = self.logged.event, self.logged.envelope
        return {
            "id": str(envelope.id),
            "cause": None if envelope.causation_id is None else str(envelope.causation_id),
            "type": event.type,
            "service": event.source,
            "time": None if self.logged.time is None else self.logged.time.isoformat(),
            "topic": self.logged.topic,
            "partition": self.logged.partition,
            "offset": self.logged.offset,
            "says": said(self.logged),
        }


def said(logged: Logged) -> str:
    """Return what an event says that its type doesn't, in a few words and without a person."""
    shown = loggable(logged.event)
    words = []
    for name in ("status", "error_code", "message_status", "sid", "seqn", "reason", "segments"):
        value = shown.get(name)
        if value not in (None, ""):
            words.append(f"{name}={value}")
    outcome = shown.get("outcome")
    if isinstance(outcome, dict):
        words.append(" ".join(str(value) for value in outcome.values()))
    return ", ".join(words)


async def history(kafka_url: str, message_id: UUID) -> list[Step]:
    """Return each event that concerns the message, causes before what they caused."""
    found = await _distinct(kafka_url, MESSAGE_TOPICS, message_id)
    if not found:
        raise UserError(f"The log has no message {message_id}: check the id.")
    some = next(iter(found.values())).event
    run = next((e.event.correlation_id for e in found.values() if e.event.correlation_id), None)
    ancestors: dict[UUID, Logged] = {}
    if run is not None:
        ancestors |= await _distinct(kafka_url, RUN_TOPICS, run)
    campaign = next(
        (getattr(e.event, "campaign_id", None) for e in found.values()),
        getattr(some, "campaign_id", None),
    )
    if campaign is not None:
        ancestors |= await _distinct(kafka_url, CAMPAIGN_TOPICS, campaign)
    for logged in list(found.values()):
        cause = logged.envelope.causation_id
        while cause is not None and cause not in found and cause in ancestors:
            found[cause] = ancestors[cause]
            cause = ancestors[cause].envelope.causation_id
    return _in_order(found)


async def _distinct(kafka_url: str, topics: tuple[str, ...], key: UUID) -> dict[UUID, Logged]:
    """Return the first record of each event; a record that came again is the same event."""
    found: dict[UUID, Logged] = {}
    async for logged in read_log(kafka_url, topics, key=key):
        found.setdefault(logged.envelope.id, logged)
    return found


def _in_order(found: dict[UUID, Logged]) -> list[Step]:
    children: dict[UUID | None, list[Logged]] = {}
    for logged in found.values():
        cause = logged.envelope.causation_id
        children.setdefault(cause if cause in found else None, []).append(logged)
    steps: list[Step] = []

    def walk(cause: UUID | None, depth: int) -> None:
        for logged in sorted(children.get(cause, []), key=_when):
            steps.append(Step(logged, depth))
            walk(logged.envelope.id, depth + 1)

    walk(None, 0)
    return steps


def _when(logged: Logged) -> tuple[float, int]:
    """Return what orders events of one cause: their time, then their number in their source."""
    return (0.0 if logged.time is None else logged.time.timestamp(), logged.event.sequence)


def table(steps: list[Step], *, title: str) -> Table:
    """Return the history as a table; what an event caused is indented under it."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("time (UTC)", "event", "service", "says", "id", "cause"):
        shown.add_column(column, overflow="fold", no_wrap=column in ("time (UTC)", "id", "cause"))
    for step in steps:
        envelope = step.logged.envelope
        time = step.logged.time
        shown.add_row(
            "" if time is None else time.strftime("%H:%M:%S.%f")[:-3],
            "  " * step.depth + type(step.logged.event).__name__,
            step.logged.event.source,
            said(step.logged),
            str(envelope.id)[-12:],
            str(envelope.causation_id)[-12:] if envelope.causation_id else "–",
        )
    return shown


def kafka_of(state_dir: Path) -> str:
    """Return the address of the Kafka that a state directory's system runs on."""
    given = os.environ.get("TEXTMANAGER_KAFKA_URL")
    if given:
        return given
    for process in runfile.read(state_dir):
        if process.name == "kafka" and process.pid is not None:
            return f"127.0.0.1:{process.port}"
    raise UserError(
        f"Nothing runs on {state_dir}: start it with `textmanager up`, name another directory "
        "with --state, or set TEXTMANAGER_KAFKA_URL."
    )


async def show_message(state_dir: Path, message_id: str, *, as_json: bool) -> None:
    """Print the history of one message."""
    try:
        wanted = UUID(message_id)
    except ValueError as error:
        raise UserError(f"{message_id!r} is no message id: it is a UUID.") from error
    steps = await history(kafka_of(state_dir), wanted)
    if as_json:
        print(json.dumps([step.as_json() for step in steps], indent=2))
        return
    Console().print(table(steps, title=f"Message {wanted}"))
