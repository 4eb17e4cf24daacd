"""An event with what the record's headers say: CloudEvents 1.0, Kafka binding, binary mode.

This is the one place where an event becomes bytes and bytes an event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from contracts.events import BY_TYPE
from contracts.events.base import Event
from contracts.ids import event_id

E_co = TypeVar("E_co", bound=Event, covariant=True)
E = TypeVar("E", bound=Event)

Headers = list[tuple[str, bytes]]


class Undecodable(ValueError):
    """A record that is no event that this version knows; `reason` is a short fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E_co]):
    """An event, its own id, and the event that caused it."""

    event: E_co
    id: UUID
    causation_id: UUID | None = None

    @property
    def traceparent(self) -> str:
        """W3C trace context, derived: the run (or the subject) is the trace, the event the span."""
        trace = self.event.correlation_id or self.event.subject
        return f"00-{trace.hex}-{self.id.hex[16:]}-01"


def seal(event: E, *, because: UUID | None = None) -> Envelope[E]:
    """Give an event its id, once; what the ingress takes in has a derived one."""
    return Envelope(event, getattr(event, "derived_id", None) or event_id(), because)


def encode(envelope: Envelope[Event]) -> tuple[bytes, bytes, Headers]:
    """Return a record's key, value and headers."""
    event = envelope.event
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_type", event.type.encode()),
        ("ce_source", event.source.encode()),
        ("ce_time", event.occurred_at.isoformat().encode()),
        ("ce_subject", str(event.subject).encode()),
        ("content-type", b"application/json"),
        ("traceparent", envelope.traceparent.encode()),
    ]
    if event.correlation_id is not None:
        headers.append(("ce_correlationid", str(event.correlation_id).encode()))
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", str(envelope.causation_id).encode()))
    return str(event.subject).encode(), event.model_dump_json().encode(), headers


def type_of(headers: Iterable[tuple[str, bytes]]) -> str:
    """Return the event type that the headers name, or an empty string."""
    for name, value in headers:
        if name == "ce_type":
            return value.decode("utf-8", "replace")
    return ""


def decode(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Envelope[Event]:
    """Return the event in a record; raises `Undecodable` for anything else."""
    # Kafka allows a header without a value; none of ours is one.
    found: Mapping[str, bytes] = {name: each for name, each in headers if each is not None}
    model = BY_TYPE.get(found.get("ce_type", b"").decode("utf-8", "replace"))
    if model is None:
        raise Undecodable("unknown_type")
    try:
        own_id = UUID(found["ce_id"].decode("ascii"))
        cause = found.get("ce_causationid")
        causation = UUID(cause.decode("ascii")) if cause else None
    except (KeyError, ValueError) as error:
        raise Undecodable("bad_headers") from error
    try:
        return Envelope(model.model_validate_json(value or b""), own_id, causation)
    except ValidationError as error:
        raise Undecodable("wrong_schema") from error


def header_time(headers: Iterable[tuple[str, bytes]]) -> datetime | None:
    """Return when the event happened, by the record's headers."""
    for name, value in headers:
        if name == "ce_time":
            return datetime.fromisoformat(value.decode())
    return None
