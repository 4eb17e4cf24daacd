"""The outbox: what a transaction says, kept beside what it changed until the broker has it."""

from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

from chassis.instants import Instant

_OWN = MetaData()

OUTBOX = Table(
    "outbox",
    _OWN,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("instance", String(80), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", LargeBinary, nullable=False),
    Index("outbox_by_instance", "instance", "position"),
    # A position is never given twice, even after the newest row was deleted.
    sqlite_autoincrement=True,
)
INSTANCES = Table(
    "instances",
    _OWN,
    Column("name", String(80), primary_key=True),
    Column("seen_at", Instant, nullable=False),
)


def add_outbox(metadata: MetaData) -> None:
    """Give a service's tables an outbox."""
    for table in (OUTBOX, INSTANCES):
        if table.name not in metadata.tables:
            table.to_metadata(metadata)


def row_of(
    instance: str,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
) -> dict[str, Any]:
    """Return the outbox row of one record."""
    return {
        "instance": instance,
        "topic": topic,
        "key": key,
        "value": value,
        "headers": orjson.dumps([(name, text.decode("latin-1")) for name, text in headers]),
    }


def headers_of(stored: bytes) -> list[tuple[str, bytes]]:
    """Return a record's headers from its outbox row."""
    return [(name, text.encode("latin-1")) for name, text in orjson.loads(stored)]
