"""Who reads which number's list when, and which texts are known, in SQL."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Update, and_, bindparam, delete, or_, select, update

from chassis.store import Store, upsert
from contracts.envelope import Envelope
from contracts.events.provider import TwilioMessageReceived
from ingress.adapters.tables import KNOWN_TEXTS, READINGS
from ingress.domain import Lane
from ingress.ports import Reading

_COLUMNS = READINGS.c


class SqlReadings:
    """Each number's reading is held by one process at a time, by a lease."""

    def __init__(
        self,
        store: Store,
        *,
        holder: UUID,
        lease: timedelta,
        interval: timedelta,
        pause: timedelta,
    ) -> None:
        self._store = store
        self._holder = holder
        self._lease = lease
        self._interval = interval
        self._pause = pause

    async def plan(self, lanes: Collection[Lane], *, at: datetime) -> None:
        """Have each of these numbers read from now on, the new ones at once."""
        rows = [
            {
                "organization_id": lane.organization_id,
                "number": lane.number,
                "due_at": at,
                "soonest_at": at,
            }
            for lane in sorted(lanes)
        ]
        if rows:
            async with self._store.transaction() as transaction:
                await transaction.insert_new(READINGS, rows)

    async def hurry(self) -> None:
        """Have every number read as soon as its pause is over: something may have been missed."""
        async with self._store.transaction() as transaction:
            await transaction.execute(
                update(READINGS)
                .where(_COLUMNS.due_at > _COLUMNS.soonest_at)
                .values(due_at=_COLUMNS.soonest_at)
            )

    async def claim(self, *, at: datetime, limit: int) -> list[Reading]:
        """Take the numbers that are due, for the length of a lease."""
        is_due = and_(
            _COLUMNS.due_at <= at,
            or_(_COLUMNS.held_until.is_(None), _COLUMNS.held_until <= at),
        )
        async with self._store.read() as connection:
            # Mostly nothing is due, and looking must not cost a turn to write.
            if (
                await connection.execute(select(_COLUMNS.number).where(is_due).limit(1))
            ).first() is None:
                return []
        query = (
            select(READINGS)
            .where(is_due)
            .order_by(_COLUMNS.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._store.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
            if rows:
                await transaction.execute(
                    update(READINGS)
                    .where(
                        _COLUMNS.organization_id == bindparam("of"),
                        _COLUMNS.number == bindparam("named"),
                    )
                    .values(holder=self._holder, held_until=at + self._lease),
                    [{"of": row.organization_id, "named": row.number} for row in rows],
                )
        return [Reading(Lane(row.organization_id, row.number), row.covered_until) for row in rows]

    async def settle(
        self,
        reading: Reading,
        texts: Sequence[Envelope[TwilioMessageReceived]],
        *,
        covered_until: datetime,
        at: datetime,
    ) -> int:
        """Let the texts leave that nobody knows, and note how far the number was read."""
        found = {each.event.message_sid: each for each in texts}
        async with self._store.transaction() as transaction:
            new: list[str] = []
            if found:
                statement = (
                    upsert(transaction.connection, KNOWN_TEXTS)
                    .on_conflict_do_nothing()
                    .returning(KNOWN_TEXTS.c.message_sid)
                )
                rows = _known(
                    ((each.event.organization_id, sid) for sid, each in found.items()), at
                )
                new = [row.message_sid for row in await transaction.execute(statement, rows)]
            for sid in new:
                transaction.publish_sealed(found[sid])
            await transaction.execute(
                self._of(reading).values(
                    covered_until=covered_until,
                    due_at=at + self._interval,
                    soonest_at=at + self._pause,
                    holder=None,
                    held_until=None,
                )
            )
        return len(new)

    async def give_back(self, reading: Reading, *, again_at: datetime) -> None:
        """Have the number read later: it could not be."""
        async with self._store.transaction() as transaction:
            await transaction.execute(
                self._of(reading).values(
                    due_at=again_at, soonest_at=again_at, holder=None, held_until=None
                )
            )

    async def note(self, texts: Collection[tuple[UUID, str]], *, at: datetime) -> None:
        """Know texts, each by its organisation and SID: their webhooks were taken."""
        if texts:
            async with self._store.transaction() as transaction:
                await transaction.insert_new(KNOWN_TEXTS, _known(texts, at))

    async def forget(self, *, before: datetime) -> None:
        """Forget the texts that no reading reaches back to."""
        async with self._store.transaction() as transaction:
            await transaction.execute(delete(KNOWN_TEXTS).where(KNOWN_TEXTS.c.at < before))

    def _of(self, reading: Reading) -> Update:
        # A lease that ran out may be another's by now: its reading is the one that counts.
        return update(READINGS).where(
            _COLUMNS.organization_id == reading.lane.organization_id,
            _COLUMNS.number == reading.lane.number,
            _COLUMNS.holder == self._holder,
        )


def _known(texts: Iterable[tuple[UUID, str]], at: datetime) -> list[dict[str, object]]:
    return [
        {"organization_id": organization, "message_sid": sid, "at": at}
        for organization, sid in sorted(texts)
    ]
