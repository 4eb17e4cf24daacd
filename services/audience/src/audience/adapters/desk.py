"""Jobs with leases, in SQL.

A lease names the process: its instance and its incarnation. While it works, the process renews it;
when it dies, others take the job over once the lease is over, or the next incarnation of the same
instance does at once, as it starts.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic

from sqlalchemy import Row, Select, func, or_, select, text, update

from audience.adapters.tables import JOBS, REFUSED_LOGINS, SETTINGS
from audience.domain.resolving import Progress
from audience.ports import Claim, Kind, LeaseLost, Order
from chassis.instants import now
from chassis.store import Store, is_database_outage, keep_newest
from contracts.events.audience import AudienceAwaited

_ORGANIZATIONS = SETTINGS.table
# Claims of several processes on PostgreSQL go one after the other, so that none overlooks what
# the other gives the same organisation.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7462)")
_SIGNS_A_LEASE = 3
_FREE = {"lease_owner": None, "lease_instance": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Holder:
    """This process, as leases name it."""

    instance: str
    incarnation: str
    lease: timedelta

    @property
    def name(self) -> str:
        """The lease's owner."""
        return f"{self.instance}/{self.incarnation}"


class SqlDesk(Generic[Order]):
    """The jobs of one kind."""

    def __init__(
        self,
        store: Store,
        holder: Holder,
        *,
        kind: Kind,
        order: type[Order],
        per_organization: int,
    ) -> None:
        self._store = store
        self._holder = holder
        self._kind = kind
        self._order: type[Order] = order
        self._per_organization = per_organization

    async def claim(self, *, at: datetime) -> Claim[Order] | None:
        """Take up what waits longest, or nothing: no organisation has more than its share."""
        query = self._next(at)
        async with self._store.read() as connection:
            if (await connection.execute(query)).first() is None:
                return None
        async with self._store.transaction() as transaction:
            if transaction.connection.dialect.name == "postgresql":
                await transaction.execute(_ONE_AT_A_TIME)
            found = (await transaction.execute(query)).first()
            if found is None:
                return None
            lease = {
                "lease_owner": self._holder.name,
                "lease_instance": self._holder.instance,
                "lease_until": at + self._holder.lease,
                "attempts": JOBS.c.attempts + 1,
            }
            await transaction.execute(update(JOBS).where(JOBS.c.id == found.id).values(lease))
            job = (await transaction.execute(_job(found.id))).one()
        return self._claim(job)

    @asynccontextmanager
    async def keep(self, claim: Claim[Order]) -> AsyncIterator[None]:
        """Renew the lease inside the block."""
        renewing = asyncio.create_task(self._renew(claim), name="lease")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def put_back(self, claim: Claim[Order], *, not_before: datetime, failed: bool) -> None:
        """Leave the work to whoever comes first after that time."""
        async with self._store.transaction() as transaction:
            await transaction.execute(
                update(JOBS)
                .where(JOBS.c.id == claim.id, JOBS.c.lease_owner == self._holder.name)
                .values(not_before=not_before, failures=JOBS.c.failures + int(failed), **_FREE)
            )

    async def refuse_login(self, claim: Claim[Order]) -> None:
        """Let nobody log in for the organisation until its settings are newer."""
        async with self._store.transaction() as transaction:
            await transaction.execute(
                keep_newest(transaction.connection, REFUSED_LOGINS, key="organization_id"),
                {
                    "organization_id": claim.order.organization_id,
                    "sequence": claim.settings_sequence,
                },
            )

    async def await_login(self, claim: Claim[Order], told: AudienceAwaited) -> None:
        """Put the work back until the settings are newer than the told ones, and tell of it."""
        async with self._store.transaction() as transaction:
            put_back = await transaction.execute(
                update(JOBS)
                .where(JOBS.c.id == claim.id, JOBS.c.lease_owner == self._holder.name)
                .values(awaited_sequence=told.settings_sequence, **_FREE)
            )
            if put_back.rowcount != 1:
                raise LeaseLost
            transaction.publish(told, because=claim.event_id)

    async def _renew(self, claim: Claim[Order]) -> None:
        while True:
            await asyncio.sleep(self._holder.lease.total_seconds() / _SIGNS_A_LEASE)
            try:
                async with self._store.transaction() as transaction:
                    await transaction.execute(
                        update(JOBS)
                        .where(JOBS.c.id == claim.id, JOBS.c.lease_owner == self._holder.name)
                        .values(lease_until=now() + self._holder.lease)
                    )
            except Exception as error:
                # The database may be back before the lease is over.
                if not is_database_outage(error):
                    raise

    def _next(self, at: datetime) -> Select[Any]:
        """Find the job that waits longest and may be taken up."""
        is_open = (JOBS.c.kind == self._kind, JOBS.c.done_at.is_(None))
        busy = (
            select(JOBS.c.organization_id, func.count().label("jobs"))
            .where(*is_open, JOBS.c.lease_until > at)
            .group_by(JOBS.c.organization_id)
            .subquery()
        )
        place = func.row_number().over(
            partition_by=JOBS.c.organization_id, order_by=(JOBS.c.received_at, JOBS.c.id)
        )
        free = (
            select(
                JOBS.c.id,
                JOBS.c.received_at,
                (place + func.coalesce(busy.c.jobs, 0)).label("of_its_organization"),
            )
            .join(_ORGANIZATIONS, _ORGANIZATIONS.c.subject == JOBS.c.organization_id)
            .outerjoin(REFUSED_LOGINS, REFUSED_LOGINS.c.organization_id == JOBS.c.organization_id)
            .outerjoin(busy, busy.c.organization_id == JOBS.c.organization_id)
            .where(
                *is_open,
                JOBS.c.not_before <= at,
                or_(JOBS.c.lease_until.is_(None), JOBS.c.lease_until <= at),
            )
        )
        if self._kind is Kind.RUN:
            free = free.where(
                or_(
                    ~JOBS.c.needs_imis,
                    REFUSED_LOGINS.c.sequence.is_(None),
                    REFUSED_LOGINS.c.sequence < _ORGANIZATIONS.c.account_sequence,
                    # It is given out once, to be told of.
                    JOBS.c.awaited_sequence.is_(None),
                    JOBS.c.awaited_sequence < _ORGANIZATIONS.c.account_sequence,
                )
            )
        each = free.subquery()
        return (
            select(each.c.id)
            .where(each.c.of_its_organization <= self._per_organization)
            .order_by(each.c.received_at, each.c.id)
            .limit(1)
        )

    def _claim(self, job: Row[Any]) -> Claim[Order]:
        return Claim(
            id=job.id,
            order=self._order.model_validate_json(job.event),
            event_id=job.event_id,
            progress=Progress.model_validate_json(job.progress),
            step=job.step,
            failures=job.failures,
            attempts=job.attempts,
            login_refused=_is_refused(job),
            settings_sequence=job.settings_sequence,
        )


async def take_back(store: Store, holder: Holder) -> None:
    """Free what this instance held before: we fill its place, so that process is dead."""
    async with store.transaction() as transaction:
        await transaction.execute(
            update(JOBS)
            .where(
                JOBS.c.done_at.is_(None),
                JOBS.c.lease_instance == holder.instance,
                JOBS.c.lease_owner != holder.name,
            )
            .values(**_FREE)
        )


def _job(job_id: object) -> Select[Any]:
    return (
        select(
            JOBS,
            _ORGANIZATIONS.c.account_sequence.label("settings_sequence"),
            REFUSED_LOGINS.c.sequence.label("refused_sequence"),
        )
        .join(_ORGANIZATIONS, _ORGANIZATIONS.c.subject == JOBS.c.organization_id)
        .outerjoin(REFUSED_LOGINS, REFUSED_LOGINS.c.organization_id == JOBS.c.organization_id)
        .where(JOBS.c.id == job_id)
    )


def _is_refused(job: Row[Any]) -> bool:
    known = job.refused_sequence is not None and job.refused_sequence >= job.settings_sequence
    return known and job.needs_imis
