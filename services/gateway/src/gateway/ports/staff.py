"""Organisations, and who is signed in."""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from contracts.events.organization import OrganizationSettingsChanged
from gateway.domain.records import StaffSession


class Organizations(Protocol):
    """Each organisation's newest settings, their secrets sealed."""

    async def get(
        self, organization_id: UUID, *, hold: bool = False
    ) -> OrganizationSettingsChanged | None:
        """Return an organisation's settings; `hold` keeps others from changing them meanwhile."""

    async def save(self, settings: OrganizationSettingsChanged) -> None:
        """Keep settings that are newer than the known ones."""

    async def every(self, *, limit: int) -> list[OrganizationSettingsChanged]:
        """Return the settings of every organisation, by id: for operators."""


class Sessions(Protocol):
    """Who is signed in."""

    async def add(self, session: StaffSession) -> None:
        """Keep a new session."""

    async def find(self, token_hash: str, *, at: datetime) -> StaffSession | None:
        """Return the session unless it is over."""

    async def revoke(self, token_hash: str) -> None:
        """End a session."""

    async def forget(self, *, before: datetime) -> None:
        """Drop sessions that ended before then."""


class Attempts(Protocol):
    """Logins that failed of late, by a key that names nobody."""

    async def begin(
        self, attempt: UUID, key: str, *, at: datetime, window: timedelta, limit: int
    ) -> timedelta | None:
        """Count an attempt; when there were too many, count none and return how long to wait."""

    async def retract(self, *attempts: UUID) -> None:
        """Take back attempts that failed for no fault of who asked."""

    async def forgive(self, key: str) -> None:
        """Forget all attempts under a key: one of them succeeded."""
