"""States in bulk: as the driver has them, for an activity is told of each text.

SQLAlchemy writes the statements; the values pass by it, as tuples in the order of the columns.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect, Uuid
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.instants import Instant
from projections.adapters.rows import identity_of
from projections.domain.row import micros
from projections.domain.states import KEYS, Kind, State
from readmodels.tables import METADATA

Convert = Callable[[Any], Any] | None
"""How the driver has a column's value; None for as it is."""


async def write_states(connection: AsyncConnection, kind: Kind, states: Sequence[State]) -> None:
    """Insert states, or replace those that are older."""
    statement, columns = _upsert(connection.dialect, kind)
    rows = [
        tuple(
            [
                value if (value := each.values[name]) is None or convert is None else convert(value)
                for name, convert in columns
            ]
        )
        for each in states
    ]
    await connection.exec_driver_sql(statement, rows)


@functools.lru_cache(maxsize=4 * len(Kind))
def _upsert(dialect: Dialect, kind: Kind) -> tuple[str, tuple[tuple[str, Convert], ...]]:
    table = METADATA.tables[kind]
    statement = (postgresql if dialect.name == "postgresql" else sqlite).insert(table)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=KEYS[kind],
        set_={each.name: new[each.name] for each in table.c if each.name not in KEYS[kind]},
        where=table.c.sequence < new.sequence,
    )
    converters: dict[type[Any], Convert] = {Uuid: identity_of(dialect), Instant: micros}
    columns = tuple((each.name, converters.get(type(each.type))) for each in table.c)
    compiled = statement.compile(dialect=dialect, column_keys=[name for name, _ in columns])
    return str(compiled), columns
