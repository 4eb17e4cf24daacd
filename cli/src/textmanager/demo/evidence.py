"""What each witness says of a run: the log, the ledger, the read models, Twilio and iMIS."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Column, MetaData, String, Table, Uuid, select

from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.audience import RecipientRejected, RecipientsResolved, Totals
from contracts.events.base import Event
from contracts.events.message import (
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
)
from contracts.topics import DEAD_LETTERS, TOPICS
from textmanager.demo.api import Gateway
from textmanager.demo.outside import Outside
from textmanager.eventlog import Logged, read_log

T = TypeVar("T", MessageSubmitted, MessageStatusChanged)


@dataclass(slots=True)
class LogSays:
    """One run as the log tells it; events that came again are the same events."""

    run_id: UUID
    events: Counter[str] = field(default_factory=Counter)
    elsewhere: set[UUID] = field(default_factory=set)
    """The messages of other runs, which are not this one's to account for."""
    others_seqns: set[str] = field(default_factory=set)
    """What iMIS holds about them, and about members who opted out."""
    totals: Totals | None = None
    resolved: dict[UUID, tuple[str, str, str]] = field(default_factory=dict)
    rejected: dict[UUID, RecipientRejected] = field(default_factory=dict)
    excluded: dict[UUID, RecipientExcluded] = field(default_factory=dict)
    queued: dict[UUID, MessageQueued] = field(default_factory=dict)
    submitted: dict[UUID, MessageSubmitted] = field(default_factory=dict)
    status: dict[UUID, MessageStatusChanged] = field(default_factory=dict)
    once_sent: set[UUID] = field(default_factory=set)
    written: dict[UUID, list[ActivityWritten]] = field(default_factory=dict)
    refused: dict[UUID, ActivityRefused] = field(default_factory=dict)

    def take(self, logged: Logged) -> None:
        """Take one event in."""
        event = logged.event
        self.events[event.type] += 1
        if event.correlation_id not in {None, self.run_id}:
            self._take_anothers(event)
            return
        match event:
            case RecipientsResolved():
                self.totals = event.totals or self.totals
                for each in event.recipients:
                    self.resolved[each.message_id] = (each.imis_id, each.to, each.text)
            case RecipientRejected():
                self.rejected[event.recipient_id] = event
            case RecipientExcluded():
                self.excluded[event.message_id] = event
            case MessageQueued():
                self.queued[event.message_id] = event
            case MessageSubmitted():
                self.submitted[event.message_id] = _newer(
                    self.submitted.get(event.message_id), event
                )
            case MessageStatusChanged():
                self.status[event.message_id] = _newer(self.status.get(event.message_id), event)
                if event.sid is not None:
                    self.once_sent.add(event.message_id)
            case _:
                self._take_effect(event)

    def _take_effect(self, event: Event) -> None:
        match event:
            case ActivityWritten(kind="TEXTMSG"):
                self.written.setdefault(event.message_id, []).append(event)
            case ActivityWritten():
                self.others_seqns.add(event.seqn)
            case ActivityRefused():
                self.refused[event.message_id] = event
            case _:
                pass

    def _take_anothers(self, event: Event) -> None:
        match event:
            case MessageQueued():
                self.elsewhere.add(event.message_id)
            case ActivityWritten():
                self.others_seqns.add(event.seqn)
            case _:
                pass


def _newer(known: T | None, event: T) -> T:
    return event if known is None or event.sequence > known.sequence else known


async def from_log(kafka_url: str, run_id: UUID) -> LogSays:
    """Read the whole log, each event once."""
    says = LogSays(run_id)
    seen: set[UUID] = set()
    topics = [topic.name for topic in TOPICS if topic.name != DEAD_LETTERS]
    async for logged in read_log(kafka_url, topics):
        if logged.envelope.id not in seen:
            seen.add(logged.envelope.id)
            says.take(logged)
    return says


async def from_ledger(database_url: str, secret_key: str) -> dict[UUID, tuple[str, str | None]]:
    """Return each message's state and SID by the sender's ledger."""
    metadata = MetaData()
    table = Table(
        "messages",
        metadata,
        Column("message_id", Uuid, primary_key=True),
        Column("state", String),
        Column("sid", String),
    )
    settings = ServiceSettings(
        kafka_url="", database_url=database_url, secret_key=SecretStr(secret_key)
    )
    store = Store(settings, name="sender", metadata=metadata)
    try:
        async with store.read() as connection:
            rows = (await connection.execute(select(table))).all()
    finally:
        await store.stop()
    return {row.message_id: (row.state, row.sid) for row in rows}


async def from_read_models(gateway: Gateway, run_id: str) -> dict[UUID, dict[str, Any]]:
    """Return each recipient of the run by the REST API, page by page."""
    found: dict[UUID, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = await gateway.get(f"/v1/runs/{run_id}/messages?limit=500{cursor}")
        found |= {UUID(item["message_id"]): item for item in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={quote(page['next_cursor'])}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the witnesses say."""

    audience: list[dict[str, str]]
    log: LogSays
    ledger: dict[UUID, tuple[str, str | None]]
    read_models: dict[UUID, dict[str, Any]]
    accepted: list[dict[str, Any]]
    activities: list[dict[str, Any]]

    def accepted_for(self) -> dict[UUID | None, list[dict[str, Any]]]:
        """Return what Twilio accepted, by the message that the callback's address names."""
        by_message: dict[UUID | None, list[dict[str, Any]]] = {}
        for each in self.accepted:
            by_message.setdefault(named_in(each["status_callback"]), []).append(each)
        return by_message


def named_in(address: str | None) -> UUID | None:
    """Return the message that a callback's address names."""
    named = parse_qs(urlsplit(address or "").query).get("m", [""])[0]
    try:
        return UUID(named)
    except ValueError:
        return None


async def gather(
    *,
    outside: Outside,
    gateway: Gateway,
    iqa_path: str,
    run_id: str,
    kafka_url: str,
    database_url: str,
    secret_key: str,
) -> Evidence:
    """Ask every witness."""
    log = await from_log(kafka_url, UUID(run_id))
    return Evidence(
        audience=await outside.audience(iqa_path),
        log=log,
        ledger=await from_ledger(database_url, secret_key),
        read_models=await from_read_models(gateway, run_id),
        accepted=[
            each
            for each in await outside.messages()
            if named_in(each["status_callback"]) not in log.elsewhere
        ],
        activities=[
            each for each in await outside.activities() if str(each["seqn"]) not in log.others_seqns
        ],
    )
