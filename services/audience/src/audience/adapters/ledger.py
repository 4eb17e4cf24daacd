"""The rows of runs and their checkpoints, in SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from pydantic_core import from_json, to_json
from sqlalchemy import func, insert, select, update

from audience.adapters.tables import JOBS, NUMBERS, ROWS
from audience.domain.rows import Row
from audience.domain.verdicts import Seen
from audience.ports import Checkpoint, Claim, Kind, LeaseLost
from chassis.store import Store, Transaction
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDue


class SqlLedger:
    """The rows and checkpoints of the runs whose leases one holder has."""

    def __init__(self, store: Store, *, holder: str) -> None:
        self._store = store
        self._holder = holder

    async def commit(
        self,
        claim: Claim[CampaignDue] | Claim[AudiencePreviewRequested],
        checkpoint: Checkpoint,
        *,
        at: datetime,
    ) -> None:
        """Write the next checkpoint; raises `LeaseLost` when the work is another's."""
        async with self._store.transaction() as transaction:
            await self._step(transaction, claim, checkpoint, at)
            if checkpoint.rows:
                rows = [_stored(claim.id, row) for row in checkpoint.rows]
                await transaction.execute(insert(ROWS), rows)
            pairs = [
                {"run_id": claim.id, "imis_id": imis_id, "e164": e164, "first_row": row}
                for (imis_id, e164), row in checkpoint.pairs.items()
            ]
            await transaction.insert_new(NUMBERS, pairs)
            transaction.publish(*checkpoint.events, because=claim.event_id)

    async def _step(
        self,
        transaction: Transaction,
        claim: Claim[CampaignDue] | Claim[AudiencePreviewRequested],
        checkpoint: Checkpoint,
        at: datetime,
    ) -> None:
        news: dict[str, object] = {
            "step": claim.step + 1,
            "progress": checkpoint.progress.model_dump_json().encode(),
            "failures": 0,
        }
        if checkpoint.progress.reading.done:
            news["needs_imis"] = False
        if checkpoint.done:
            resolving = checkpoint.progress.resolving
            news |= {
                "rows_found": resolving.rows if resolving.done else None,
                "done_at": at,
                "lease_owner": None,
                "lease_instance": None,
                "lease_until": None,
            }
        stepped = await transaction.execute(
            update(JOBS)
            .where(
                JOBS.c.id == claim.id,
                JOBS.c.organization_id == claim.order.organization_id,
                JOBS.c.lease_owner == self._holder,
                JOBS.c.step == claim.step,
                JOBS.c.done_at.is_(None),
            )
            .values(news)
        )
        if stepped.rowcount != 1:
            raise LeaseLost

    async def known(self, run_id: UUID, rows: Sequence[Row]) -> set[bytes]:
        """Return the contents of these rows that are stored already."""
        query = select(ROWS.c.contents).where(
            ROWS.c.run_id == run_id, ROWS.c.contents.in_({row.contents for row in rows})
        )
        async with self._store.read() as connection:
            return set((await connection.scalars(query)).all())

    async def distinct(self, run_id: UUID) -> int:
        """Count the run's rows of different contents."""
        query = select(func.count(ROWS.c.contents.distinct())).where(ROWS.c.run_id == run_id)
        async with self._store.read() as connection:
            return await connection.scalar(query) or 0

    async def rows(self, run_id: UUID, *, after: int, limit: int) -> list[Row]:
        """Return stored rows in their order."""
        query = (
            select(ROWS.c.row_number, ROWS.c.imis_id, ROWS.c.phone, ROWS.c.merge_values)
            .where(ROWS.c.run_id == run_id, ROWS.c.row_number > after)
            .order_by(ROWS.c.row_number)
            .limit(limit)
        )
        async with self._store.read() as connection:
            found = (await connection.execute(query)).all()
        return [
            Row(number, member, phone, from_json(kept)) for number, member, phone, kept in found
        ]

    async def seen(self, run_id: UUID, numbers: Collection[str]) -> Seen:
        """Return what earlier rows have of these numbers."""
        query = (
            select(NUMBERS.c.imis_id, NUMBERS.c.e164)
            .where(NUMBERS.c.run_id == run_id, NUMBERS.c.e164.in_(numbers))
            .order_by(NUMBERS.c.first_row.desc())
        )
        async with self._store.read() as connection:
            found = (await connection.execute(query)).all()
        # Of those who share a number the first row comes last, and stays.
        return Seen({(imis_id, e164) for imis_id, e164 in found}, {n: who for who, n in found})

    async def rows_last_time(self, run: CampaignDue) -> int | None:
        """Count the rows of the campaign's run before this one, if there was one."""
        query = (
            select(JOBS.c.rows_found)
            .where(
                JOBS.c.organization_id == run.organization_id,
                JOBS.c.campaign_id == run.campaign_id,
                JOBS.c.kind == Kind.RUN,
                JOBS.c.id != run.run_id,
                JOBS.c.rows_found.is_not(None),
            )
            .order_by(JOBS.c.done_at.desc(), JOBS.c.id)
            .limit(1)
        )
        async with self._store.read() as connection:
            return await connection.scalar(query)


def _stored(run_id: UUID, row: Row) -> dict[str, object]:
    return {
        "run_id": run_id,
        "row_number": row.number,
        "contents": row.contents,
        "imis_id": row.imis_id,
        "phone": row.phone,
        "merge_values": to_json(row.values),
    }
