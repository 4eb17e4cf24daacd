"""The newest state of each subject of a compacted topic, in the service's own database."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Uuid, select

from chassis.store import Store, Transaction, keep_newest
from contracts.envelope import Envelope
from contracts.events.base import Event

E = TypeVar("E", bound=Event)


class Latest(Generic[E]):
    """Keeps the newest event of each subject; an older one changes nothing."""

    def __init__(
        self,
        name: str,
        metadata: MetaData,
        event: type[E],
        *,
        marks: dict[str, Callable[[E], int]] | None = None,
    ) -> None:
        """`marks` are whole numbers of the event that queries can be about, by their columns."""
        self._event = event
        self._marks = marks or {}
        self.table = Table(
            name,
            metadata,
            Column("subject", Uuid, primary_key=True),
            Column("sequence", Integer, nullable=False),
            Column("event", LargeBinary, nullable=False),
            *(Column(each, Integer, nullable=False) for each in self._marks),
        )

    async def fold(self, transaction: Transaction, envelopes: list[Envelope[E]]) -> None:
        """Take what is newer; a `BatchHandler`."""
        statement = keep_newest(transaction.connection, self.table, key="subject")
        rows: list[dict[str, Any]] = [
            {
                "subject": each.event.subject,
                "sequence": each.event.sequence,
                "event": each.event.model_dump_json().encode(),
                **{name: mark(each.event) for name, mark in self._marks.items()},
            }
            for each in envelopes
        ]
        await transaction.execute(statement, rows)

    async def get(self, store: Store, subject: UUID) -> E | None:
        """Return the newest event of a subject."""
        async with store.read() as connection:
            found = await connection.scalar(
                select(self.table.c.event).where(self.table.c.subject == subject)
            )
        return None if found is None else self._event.model_validate_json(found)

    async def all(self, store: Store) -> list[E]:
        """Return the newest event of every subject."""
        async with store.read() as connection:
            found = (await connection.scalars(select(self.table.c.event))).all()
        return [self._event.model_validate_json(each) for each in found]
