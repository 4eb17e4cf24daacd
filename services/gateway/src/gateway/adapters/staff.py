"""Organisations, staff sessions and failed logins in SQL."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text

from chassis.store import keep_newest
from contracts.events.organization import OrganizationSettingsChanged
from gateway.adapters.executor import Executor, connection_of
from gateway.adapters.tables import LOGIN_ATTEMPTS, ORGANIZATIONS, SESSIONS
from gateway.domain.records import StaffSession

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7463)")


class SqlOrganizations:
    """Each organisation's newest settings."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def get(
        self, organization_id: UUID, *, hold: bool = False
    ) -> OrganizationSettingsChanged | None:
        """Return an organisation's settings; `hold` keeps others from changing them meanwhile."""
        query = select(ORGANIZATIONS.c.event).where(
            ORGANIZATIONS.c.organization_id == organization_id
        )
        event = (await self._executor.execute(query.with_for_update() if hold else query)).scalar()
        return None if event is None else OrganizationSettingsChanged.model_validate_json(event)

    async def save(self, settings: OrganizationSettingsChanged) -> None:
        """Keep settings that are newer than the known ones."""
        connection = connection_of(self._executor)
        row = {
            "organization_id": settings.organization_id,
            "sequence": settings.sequence,
            "event": settings.model_dump_json().encode(),
        }
        statement = keep_newest(connection, ORGANIZATIONS, key="organization_id")
        await self._executor.execute(statement, row)

    async def every(self, *, limit: int) -> list[OrganizationSettingsChanged]:
        """Return the settings of every organisation, by id: for operators."""
        query = select(ORGANIZATIONS.c.event).order_by(ORGANIZATIONS.c.organization_id)
        found = (await self._executor.execute(query.limit(limit))).scalars().all()
        return [OrganizationSettingsChanged.model_validate_json(each) for each in found]


class SqlSessions:
    """Who is signed in."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def add(self, session: StaffSession) -> None:
        """Keep a new session."""
        row = asdict(session)
        row["imis_token"] = session.imis_token.encode()
        await self._executor.execute(insert(SESSIONS), row)

    async def find(self, token_hash: str, *, at: datetime) -> StaffSession | None:
        """Return the session unless it is over."""
        query = select(SESSIONS).where(
            SESSIONS.c.token_hash == token_hash, SESSIONS.c.expires_at > at
        )
        row = (await self._executor.execute(query)).mappings().first()
        if row is None:
            return None
        return StaffSession(**{**row, "imis_token": row["imis_token"].decode()})

    async def revoke(self, token_hash: str) -> None:
        """End a session."""
        await self._executor.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == token_hash))

    async def forget(self, *, before: datetime) -> None:
        """Drop sessions that ended before then."""
        await self._executor.execute(delete(SESSIONS).where(SESSIONS.c.expires_at < before))


class SqlAttempts:
    """Logins that failed of late."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def begin(
        self, attempt: UUID, key: str, *, at: datetime, window: timedelta, limit: int
    ) -> timedelta | None:
        """Count an attempt; when there were too many, count none and return how long to wait."""
        table = LOGIN_ATTEMPTS
        if connection_of(self._executor).dialect.name == "postgresql":
            # Two at once would not see each other's attempt, and both be let through.
            await self._executor.execute(_ONE_AT_A_TIME)
        await self._executor.execute(delete(table).where(table.c.at <= at - window))
        query = select(func.count().label("attempts"), func.min(table.c.at).label("oldest")).where(
            table.c.key == key
        )
        found = (await self._executor.execute(query)).one()
        if found.attempts >= limit:
            passed: timedelta = at - found.oldest
            return max(window - passed, timedelta(seconds=1))
        await self._executor.execute(insert(table), {"attempt": attempt, "key": key, "at": at})
        return None

    async def retract(self, *attempts: UUID) -> None:
        """Take back attempts that failed for no fault of who asked."""
        await self._executor.execute(
            delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.attempt.in_(attempts))
        )

    async def forgive(self, key: str) -> None:
        """Forget all attempts under a key: one of them succeeded."""
        await self._executor.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.key == key))
