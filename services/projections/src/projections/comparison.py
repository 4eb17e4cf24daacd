"""Two generations of the read models side by side, as of one point of the log."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Table, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from readmodels.tables import FIGURES

AT_ONCE = 2000
SHOWN = 10


@dataclass
class Difference:
    """What tells one generation's table from another's; keys are ids, never a person's data."""

    table: str
    before: int = 0
    """How many rows the former generation has."""
    after: int = 0
    missing: int = 0
    """Rows that the new generation doesn't have."""
    added: int = 0
    """Rows that the former generation didn't have."""
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    """In how many of the changed rows each column differs."""
    keys: list[str] = field(default_factory=list)
    """Some of the rows that differ."""

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return self.missing + self.added + self.changed

    def note(self, key: Sequence[Any]) -> None:
        """Remember a row that differs, if it is among the first."""
        if len(self.keys) < SHOWN:
            self.keys.append(" ".join(str(each) for each in key))


async def compare(before: AsyncConnection, after: AsyncConnection, table: Table) -> Difference:
    """Say how a table differs between two generations, row by row."""
    found = Difference(table.name)
    names = [each.name for each in table.c]
    width = len(table.primary_key.columns)
    ours, theirs = _rows(before, table), _rows(after, table)
    one, other = await anext(ours, None), await anext(theirs, None)
    while one is not None or other is not None:
        behind = one is not None and (other is None or _key(one, width) < _key(other, width))
        ahead = other is not None and (one is None or _key(other, width) < _key(one, width))
        found.before += not ahead
        found.after += not behind
        if behind and one is not None:
            found.missing += 1
            found.note(one[:width])
        elif ahead and other is not None:
            found.added += 1
            found.note(other[:width])
        elif one is not None and other is not None and one != other:
            found.changed += 1
            found.note(one[:width])
            for name, was, now in zip(names, one, other, strict=True):
                if was != now:
                    found.columns[name] = found.columns.get(name, 0) + 1
        one = one if ahead else await anext(ours, None)
        other = other if behind else await anext(theirs, None)
    return found


def _key(row: Sequence[Any], width: int) -> tuple[Any, ...]:
    return tuple(_sortable(each) for each in row[:width])


def _sortable(value: UUID | datetime | str | int) -> Any:
    return value.hex if isinstance(value, UUID) else value


async def _rows(connection: AsyncConnection, table: Table) -> AsyncIterator[tuple[Any, ...]]:
    """Yield a table's rows by their key, the key's columns first, as they are in our tables."""
    # Words are compared letter by letter here: a database's own language may order them otherwise.
    by_letter = "C" if connection.dialect.name == "postgresql" else "BINARY"
    key = [
        each.collate(by_letter) if isinstance(each.type, String) else each
        for each in table.primary_key.columns
    ]
    last: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*key).limit(AT_ONCE)
        conditions = _counting(table)
        if last is not None:
            conditions.append(tuple_(*key) > tuple_(*last))
        rows = (await connection.execute(query.where(and_(True, *conditions)))).all()
        for row in rows:
            yield tuple(row)
        if len(rows) < AT_ONCE:
            return
        last = tuple(rows[-1])[: len(key)]


def _counting(table: Table) -> list[ColumnElement[bool]]:
    """Leave out figures that went back to nothing: they are as if they had never been."""
    if table not in FIGURES:
        return []
    return [or_(table.c.messages != 0, table.c.segments != 0)]
