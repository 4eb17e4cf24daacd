"""Which messages are to be asked for, in SQL.

A look is put off before and after each question in one transaction with what the answer told, so
a process that dies in between only asks again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, or_, select, update

from chassis.store import Store, upsert
from status.adapters.tables import LOOKOUTS, MESSAGES
from status.domain.looking import Answer, Patience, news, next_look
from status.domain.message import Message
from status.ports import Crowd

_DOCUMENT = TypeAdapter(Message)


class SqlLookouts:
    """The due messages of all organisations, as one process asks for them."""

    def __init__(self, store: Store, *, process: UUID, patience: Patience) -> None:
        self._store = store
        self._process = process
        self._patience = patience

    async def due_organizations(self, *, at: datetime) -> list[UUID]:
        """Return whose messages are due and whose account may be asked."""
        messages, lookouts = MESSAGES.c, LOOKOUTS.c
        free = or_(
            lookouts.organization_id.is_(None),
            (lookouts.not_before <= at)
            & ((lookouts.lease_until <= at) | (lookouts.process == self._process)),
        )
        query = (
            select(messages.organization_id)
            .join(LOOKOUTS, lookouts.organization_id == messages.organization_id, isouter=True)
            .where(messages.look_at <= at, messages.organization_id.is_not(None), free)
            .distinct()
        )
        async with self._store.read() as connection:
            return sorted(await connection.scalars(query))

    async def lease(self, organization_id: UUID, *, at: datetime, until: datetime) -> bool:
        """Keep other processes from asking for an account; False when another does."""
        columns = LOOKOUTS.c
        async with self._store.transaction() as transaction:
            statement = upsert(transaction.connection, LOOKOUTS)
            statement = statement.on_conflict_do_update(
                index_elements=["organization_id"],
                set_={"process": self._process, "lease_until": until},
                where=(columns.not_before <= at)
                & ((columns.lease_until <= at) | (columns.process == self._process)),
            )
            row = {
                "organization_id": organization_id,
                "process": self._process,
                "lease_until": until,
                "not_before": at,
            }
            held = await transaction.execute(
                statement.values(row).returning(columns.organization_id)
            )
            return held.first() is not None

    async def rest(self, organization_id: UUID, *, until: datetime) -> None:
        """Let go of an account, which nobody is to ask before then."""
        columns = LOOKOUTS.c
        async with self._store.transaction() as transaction:
            await transaction.execute(
                update(LOOKOUTS)
                .where(columns.organization_id == organization_id, columns.process == self._process)
                .values(not_before=until, lease_until=until)
            )

    async def crowd(self, organization_id: UUID, *, at: datetime, least: int) -> Crowd | None:
        """Return the number with most due messages, if they are so many."""
        columns = MESSAGES.c
        many = func.count()
        query = (
            select(columns.from_number, many, func.min(columns.sent_at))
            .where(columns.organization_id == organization_id, columns.look_at <= at)
            .group_by(columns.from_number)
            .having(many >= least)
            .order_by(many.desc(), columns.from_number)
            .limit(1)
        )
        async with self._store.read() as connection:
            found = (await connection.execute(query)).first()
        return None if found is None else Crowd(found[0], found[1], found[2])

    async def due(self, organization_id: UUID, *, at: datetime, limit: int) -> list[str]:
        """Return the SIDs that have been due for longest."""
        columns = MESSAGES.c
        query = (
            select(columns.sid)
            .where(columns.organization_id == organization_id, columns.look_at <= at)
            .order_by(columns.look_at)
            .limit(limit)
        )
        async with self._store.read() as connection:
            return [sid for sid in await connection.scalars(query) if sid is not None]

    async def take(
        self, organization_id: UUID, answers: Sequence[Answer], *, due: datetime, at: datetime
    ) -> int:
        """Tell what is new in the answers about messages that were due; returns how many were."""
        by_sid = {each.sid: each for each in answers}
        columns = MESSAGES.c
        query = (
            select(MESSAGES)
            .where(
                columns.sid.in_(by_sid),
                # A SID that another organisation's account names is not this one's to settle.
                columns.organization_id == organization_id,
                columns.look_at <= due,
            )
            .order_by(columns.message_id)
            .with_for_update()
        )
        async with self._store.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            looked = []
            for row in rows:
                answer, looks, told = by_sid[row.sid], row.looks + 1, row.polled
                event = news(
                    row.message_id,
                    _DOCUMENT.validate_json(row.known),
                    answer,
                    looks=looks,
                    at=at,
                )
                if event is not None and told != answer.told:
                    transaction.publish(event)
                    told = answer.told
                again = next_look(sent_at=row.sent_at, looks=looks, at=at, patience=self._patience)
                looked.append(
                    {"looked": row.message_id, "again": again, "so_often": looks, "told": told}
                )
            if looked:
                await transaction.execute(
                    update(MESSAGES)
                    .where(columns.message_id == bindparam("looked"))
                    .values(
                        look_at=bindparam("again"),
                        looks=bindparam("so_often"),
                        polled=bindparam("told"),
                    ),
                    looked,
                )
        return len(rows)

    async def put_off(self, organization_id: UUID, sids: Sequence[str], *, until: datetime) -> None:
        """Ask later for texts that got no answer, as if nobody had asked."""
        columns = MESSAGES.c
        async with self._store.transaction() as transaction:
            await transaction.execute(
                update(MESSAGES)
                .where(
                    columns.sid.in_(sids),
                    columns.organization_id == organization_id,
                    columns.look_at < until,
                )
                .values(look_at=until)
            )


def patience_of(first_look: float, longest_wait: float, give_up: float) -> Patience:
    """Return the patience that settings in seconds say."""
    return Patience(
        first=timedelta(seconds=first_look),
        longest=timedelta(seconds=longest_wait),
        give_up=timedelta(seconds=give_up),
    )
