"""What the read models know of themselves: how far they reach, what they lack, who may write."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, select

from chassis.batches import Outage
from chassis.instants import now
from chassis.store import Transaction, upsert
from chassis.subscription import Taken
from readmodels.tables import GAPS, GENERATION, POSITIONS

Place = tuple[str, int]
"""A topic, as the broker names it, and one of its partitions."""


class Sealed(Outage):
    """Another generation is about to take over from these tables; it takes a moment."""


async def note(transaction: Transaction, taken: Sequence[Taken]) -> None:
    """Note how far the log is read and what had to be left out, unless nobody may write here.

    Raises `Sealed`, so that the transaction comes to nothing.
    """
    await require_open(transaction, at=now())
    await keep_gaps(transaction, [each for each in taken if each.given_up])
    reached: dict[Place, int] = {}
    for each in taken:
        place = each.topic, each.partition
        reached[place] = max(each.offset + 1, reached.get(place, 0))
    await keep_positions(transaction, reached)


async def require_open(transaction: Transaction, *, at: datetime) -> None:
    """Hold the seal as it is until the transaction ends; raises `Sealed` when it is closed.

    Whoever seals the tables waits for those who hold it, and sees all that they wrote.
    """
    query = select(GENERATION.c.sealed_until).with_for_update(read=True)
    sealed_until = await transaction.connection.scalar(query)
    if sealed_until is not None and at < sealed_until:
        raise Sealed


async def keep_gaps(transaction: Transaction, lost: Sequence[Taken]) -> None:
    """Remember which records are not in the tables."""
    rows = [
        {
            "topic": each.topic,
            "partition": each.partition,
            "offset": each.offset,
            "reason": each.given_up,
            "event_id": each.event_id,
        }
        for each in lost
    ]
    await transaction.insert_new(GAPS, sorted(rows, key=lambda row: tuple(row.values())[:3]))


async def keep_positions(transaction: Transaction, reached: Mapping[Place, int]) -> None:
    """Remember how far the tables reach; what was reached before stays reached."""
    if not reached:
        return
    statement = upsert(transaction.connection, POSITIONS)
    new, old = statement.excluded.offset, POSITIONS.c.offset
    statement = statement.on_conflict_do_update(
        index_elements=["topic", "partition"],
        set_={"offset": case((new > old, new), else_=old)},
    )
    rows: list[dict[str, Any]] = [
        {"topic": topic, "partition": partition, "offset": offset}
        for (topic, partition), offset in sorted(reached.items())
    ]
    await transaction.execute(statement, rows)
