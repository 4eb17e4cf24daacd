"""Rows of messages in bulk: as the driver has them, since each column's conversion counts.

SQLAlchemy writes the statements; the values pass by it, as tuples in the order of the columns.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Select,
    String,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.instants import Instant
from projections.domain.row import Row
from projections.ports import Owner
from readmodels.tables import MESSAGES

FIXED = ("message_id", "organization_id", "run_id", "campaign_id")
"""What a row says from the first and for ever; to set an indexed column anew has its price."""
DESCRIBED = ("recipient_id", "row", "imis_id", "to", "text", "same_as_imis_id", "supersedes")
"""What is told once and for all; it is written and never read back here."""
HELD = (
    "addressed",
    "left_out",
    "left_out_sequence",
    "reason",
    "told",
    "status_sequence",
    "status_at",
    "error_code",
    "sid",
    "segments",
    "mode",
    "queued_at",
    "attempted_at",
    "doubt",
    "doubt_sequence",
)
"""What new facts are judged by, in the order of a `Row`'s fields."""
_NOT_DESCRIBED: tuple[Any, ...] = (None,) * len(DESCRIBED)


def rows_of(found: Sequence[Any], about: Mapping[UUID, Owner]) -> dict[UUID, Row]:
    """Return the rows that were read: each an id, then what is held."""
    rows: dict[UUID, Row] = {}
    for message_id, *held in found:
        known = message_id if isinstance(message_id, UUID) else UUID(message_id)
        rows[known] = Row(known, *about[known], *_NOT_DESCRIBED, *held)
    return rows


def values_of(row: Row, identity: Callable[[UUID], Any]) -> tuple[Any, ...]:
    """Return the values of a row's columns, in the order of the table."""
    status = row.status
    return (
        identity(row.message_id),
        identity(row.organization_id),
        identity(row.run_id),
        identity(row.campaign_id),
        None if row.recipient_id is None else identity(row.recipient_id),
        row.row,
        row.imis_id,
        row.to,
        row.text,
        row.same_as_imis_id,
        row.addressed,
        row.left_out,
        row.left_out_sequence,
        row.reason,
        row.segments,
        row.mode,
        None if status is None else status.value,
        row.told,
        row.status_sequence,
        row.status_at,
        row.error_code,
        row.sid,
        row.queued_at,
        row.attempted_at,
        row.doubt,
        row.doubt_sequence,
        None if row.supersedes is None else identity(row.supersedes),
    )


def _as_uuid(identity: UUID) -> UUID:
    return identity


def _as_hex(identity: UUID) -> str:
    return "%032x" % identity.int  # noqa: UP031 - a third of the time of UUID.hex.


def identity_of(dialect: Dialect) -> Callable[[UUID], Any]:
    """Return how the driver has an id."""
    return _as_uuid if dialect.name == "postgresql" else _as_hex


def among(dialect: Dialect, wanted: Sequence[UUID]) -> tuple[ColumnElement[bool], dict[str, Any]]:
    """Return the condition that a row is of these messages: one parameter, however many."""
    if dialect.name == "postgresql":
        ids = bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID()))
        return MESSAGES.c.message_id == func.any(ids), {"ids": list(wanted)}
    each = func.json_each(bindparam("ids", type_=String)).table_valued("value")
    asked = orjson.dumps([_as_hex(message_id) for message_id in wanted]).decode()
    return type_coerce(MESSAGES.c.message_id, String).in_(select(each.c.value)), {"ids": asked}


def held_columns(dialect: Dialect) -> Select[tuple[Any, ...]]:
    """Select an id and what is held, as the driver has them."""
    bare: dict[type[Any], Any] = {Instant: BigInteger}
    message_id = MESSAGES.c.message_id
    return select(
        message_id if dialect.name == "postgresql" else type_coerce(message_id, String),
        *(
            type_coerce(each, bare[type(each.type)]) if type(each.type) in bare else each
            for each in (MESSAGES.c[name] for name in HELD)
        ),
    )


async def write_rows(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Insert rows, or replace what is held of them; what was told once and for all stays."""
    identity = identity_of(connection.dialect)
    values = [values_of(row, identity) for row in rows]
    await connection.exec_driver_sql(_upsert(connection.dialect), values)


@functools.lru_cache(maxsize=8)
def _upsert(dialect: Dialect) -> str:
    statement = (postgresql if dialect.name == "postgresql" else sqlite).insert(MESSAGES)
    new, old = statement.excluded, MESSAGES.c
    statement = statement.on_conflict_do_update(
        index_elements=["message_id"],
        set_={name: func.coalesce(old[name], new[name]) for name in DESCRIBED}
        | {name: new[name] for name in (*HELD, "status")},
    )
    return str(statement.compile(dialect=dialect, column_keys=[each.name for each in MESSAGES.c]))
