"""`textmanager audit message`: the whole causal history of one message, read from Kafka."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console

from contracts import ids
from textmanager import runfile
from textmanager.audit_lines import Step, facts, lines, sid_of
from textmanager.errors import UserError
from textmanager.eventlog import Logged, keyed, read_log

MESSAGE_TOPICS = (
    "message.requested",
    "reply.requested",
    "message.queued",
    "message.held",
    "recipient.excluded",
    "message.submitted",
    "twilio.callbacks",
    "twilio.polled",
    "message.decisions",
    "message.status-changed",
    "activity.written",
)
REJECTED_TOPICS = ("recipient.rejected",)
RUN_TOPICS = ("campaign.due", "recipients.resolved", "run.commands", "run.resent")
CAMPAIGN_TOPICS = ("campaign.lifecycle",)

Read = Callable[..., AsyncIterator[Logged]]


def as_json(step: Step) -> dict[str, Any]:
    """Show a step without personal data."""
    logged, envelope = step.logged, step.logged.envelope
    return {
        "id": str(envelope.id),
        "cause": None if envelope.causation_id is None else str(envelope.causation_id),
        "type": logged.event.type,
        "service": logged.event.source,
        "time": None if logged.time is None else logged.time.isoformat(),
        "topic": logged.topic,
        "partition": logged.partition,
        "offset": logged.offset,
        "sid": sid_of(logged.event),
        "says": facts(logged.event),
    }


async def history(kafka_url: str, message_id: UUID, *, read: Read = read_log) -> list[Step]:
    """Return each event that concerns the message, causes before what they caused.

    A row that never became a text has the id of the text that it would have got.
    """
    found = await _distinct(read(kafka_url, MESSAGE_TOPICS, key=message_id))
    if not found:
        found = await _rejected(kafka_url, message_id, read=read)
    if not found:
        raise UserError(f"The log has no message {message_id}: check the id.")
    events = [logged.event for logged in found.values()]
    ancestors: dict[UUID, Logged] = {}
    # A callback knows neither, as it may be of a message that nobody has heard of.
    run = next((each.correlation_id for each in events if each.correlation_id), None)
    if run is not None:
        ancestors |= await _distinct(read(kafka_url, RUN_TOPICS, key=run))
    campaigns = (getattr(each, "campaign_id", None) for each in events)
    campaign = next((each for each in campaigns if each is not None), None)
    if campaign is not None:
        ancestors |= await _distinct(read(kafka_url, CAMPAIGN_TOPICS, key=campaign))
    for logged in list(found.values()):
        cause = logged.envelope.causation_id
        while cause is not None and cause not in found and cause in ancestors:
            found[cause] = ancestors[cause]
            cause = ancestors[cause].envelope.causation_id
    return _in_order(found)


async def _distinct(records: AsyncIterator[Logged]) -> dict[UUID, Logged]:
    """Return the first record of each event; a record that came again is the same event."""
    found: dict[UUID, Logged] = {}
    async for logged in records:
        found.setdefault(logged.envelope.id, logged)
    return found


async def _rejected(kafka_url: str, message_id: UUID, *, read: Read) -> dict[UUID, Logged]:
    """Return why a row was rejected; its key is the recipient's id, which names the message."""

    def is_it(key: bytes) -> bool:
        recipient = keyed(key)
        return recipient is not None and message_id in {recipient, ids.message_id(recipient)}

    return await _distinct(read(kafka_url, REJECTED_TOPICS, only=is_it))


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


def kafka_of(state_dir: Path) -> str:
    """Return the address of the Kafka that a state directory's system runs on."""
    given = os.environ.get("TEXTMANAGER_KAFKA_URL")
    if given:
        return given
    if runfile.is_up(state_dir):
        for process in runfile.read(state_dir):
            if process.name == "kafka" and process.pid is not None:
                return f"127.0.0.1:{process.port}"
    raise UserError(
        f"Nothing runs on {state_dir}: start it with `textmanager up`, name another directory "
        "with --state, or set TEXTMANAGER_KAFKA_URL."
    )


async def show_message(state_dir: Path, message_id: str, *, as_list: bool) -> None:
    """Print the history of one message."""
    try:
        wanted = UUID(message_id)
    except ValueError as error:
        raise UserError(f"{message_id!r} is no message id: it is a UUID.") from error
    steps = await history(kafka_of(state_dir), wanted)
    if as_list:
        sys.stdout.write(json.dumps([as_json(step) for step in steps], indent=2) + "\n")
        return
    for line in lines(steps, title=f"Message {wanted}", width=Console().width):
        sys.stdout.write(line + "\n")
