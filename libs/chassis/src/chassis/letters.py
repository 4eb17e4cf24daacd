"""What a dead letter and a record on a retry topic say in their headers, beside the event's own.

Both carry the failed record as it was: its key, its value and its headers. What we add begins
with `tm-`, is none of the event, and is taken off again before the record is handed on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.ids import event_id

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"
Headers: TypeAlias = list[tuple[str, bytes]]

OURS = "tm-"
SERVICE = "tm-service"
SUBSCRIPTION = "tm-subscription"
REASON = "tm-reason"
DETAIL = "tm-detail"
TOPIC = "tm-topic"
PARTITION = "tm-partition"
OFFSET = "tm-offset"
ATTEMPT = "tm-attempt"
"""How often the record was handled in vain."""
LETTER = "tm-letter"
"""The number of the dead letter that was replayed; a letter that says it failed once more."""
DELIVERY = "tm-delivery"
"""Names one command of an operator, so that a repeat of the broker's is told from a second one."""
NULL_HEADERS = "tm-null-headers"
TRUNCATED = "tm-truncated"
"""How many bytes the record had, where it was too big to be kept whole."""

# A dead letter's topic takes 2 MiB; the rest is for our own headers and the broker's framing.
LIMIT = 2 * 1024 * 1024 - 64 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands in the log, and what became of it before."""

    topic: str
    """As the broker names it, prefix included."""
    partition: int
    offset: int
    subscription: str = ""
    """The one subscription that is to handle it; empty: each that listens to its topic."""
    attempts: int = 0
    letter: str = ""
    delivery: str = ""

    def as_headers(self) -> Headers:
        """Return what a record on the retry topic says of its origin."""
        return _encoded(
            {
                SUBSCRIPTION: self.subscription,
                TOPIC: self.topic,
                PARTITION: str(self.partition),
                OFFSET: str(self.offset),
                ATTEMPT: str(self.attempts),
                LETTER: self.letter,
                DELIVERY: self.delivery,
            }
        )


def standing(record: Record) -> Origin:
    """Return the origin of a record that came by its own topic."""
    return Origin(record.topic, record.partition, record.offset)


def told(record: Record) -> Origin:
    """Return the origin that a record on a retry topic tells; its own place where it tells none."""
    said = texts(record.headers)
    if not said.get(TOPIC):
        return replace(standing(record), subscription=said.get(SUBSCRIPTION, ""))
    return Origin(
        said[TOPIC],
        _number(said.get(PARTITION)),
        _number(said.get(OFFSET)),
        subscription=said.get(SUBSCRIPTION, ""),
        attempts=max(0, _number(said.get(ATTEMPT), missing=0)),
        letter=said.get(LETTER, ""),
        delivery=said.get(DELIVERY, ""),
    )


def texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return headers as text, whatever bytes they are; those without a value are left out."""
    return {name: value.decode("utf-8", "replace") for name, value in headers if value is not None}


def with_values(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    """Return a record's headers; one without a value, as Kafka allows, says nothing."""
    return [(name, value) for name, value in headers if value is not None]


def new_delivery() -> str:
    """Name one command of an operator that hands records over."""
    return str(event_id())


def event_id_of(headers: Iterable[tuple[str, bytes | None]]) -> UUID | None:
    """Return the id of the event in a record; None when the headers don't tell it."""
    try:
        return UUID(texts(headers).get("ce_id", ""))
    except ValueError:
        return None


def own_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    """Return a letter's headers as the failed record had them."""
    kept = list(headers)
    named = texts(kept).get(NULL_HEADERS)
    nulls = set() if named is None else set(named.split(","))
    return [
        (name, None if value == b"" and name in nulls else value)
        for name, value in kept
        if not name.startswith(OURS)
    ]


def letter_of(
    record: Record, origin: Origin, *, service: str, subscription: str, reason: str, detail: str
) -> tuple[bytes | None, bytes | None, Headers]:
    """Return the key, the value and the headers of a record's dead letter."""
    own = own_headers(record.headers) if origin.delivery else list(record.headers)
    said = {
        SERVICE: service,
        SUBSCRIPTION: subscription,
        REASON: reason,
        DETAIL: detail,
        TOPIC: origin.topic,
        PARTITION: str(origin.partition),
        OFFSET: str(origin.offset),
        ATTEMPT: str(origin.attempts + 1),
    }
    if origin.delivery:
        said |= {LETTER: origin.letter, DELIVERY: origin.delivery}
    if nulls := [name for name, value in own if value is None]:
        said[NULL_HEADERS] = ",".join(nulls)
    headers = [(name, value or b"") for name, value in own]
    size = _size(record.key, record.value, headers)
    if size <= LIMIT:
        return record.key, record.value, headers + _encoded(said)
    said[TRUNCATED] = str(size)
    return *_cut(record.key, record.value, headers), headers_that_fit(headers) + _encoded(said)


def headers_that_fit(headers: Sequence[tuple[str, bytes]]) -> Headers:
    """Return the first headers that together take no more than half of a letter."""
    kept: Headers = []
    room = LIMIT // 2
    for name, value in headers:
        room -= _size(None, value, []) + len(name.encode())
        if room < 0:
            break
        kept.append((name, value))
    return kept


def _cut(
    key: bytes | None, value: bytes | None, headers: Headers
) -> tuple[bytes | None, bytes | None]:
    """Return as much of a key and a value as there is room for beside the headers."""
    room = LIMIT - _size(None, None, headers_that_fit(headers))
    key = None if key is None else key[: room // 2]
    room -= len(key or b"")
    return key, None if value is None else value[:room]


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    # A varint before each name and value: never more than ten bytes for both.
    named = sum(len(name.encode()) + len(value) + 10 for name, value in headers)
    return len(key or b"") + len(value or b"") + named


def _encoded(said: dict[str, str]) -> Headers:
    return [(name, text.encode()) for name, text in said.items()]


def _number(text: str | None, *, missing: int = -1) -> int:
    try:
        return int(text or "")
    except ValueError:
        return missing
