"""An organisation's figures and who may not be texted, as the projections made them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.events.consent import ReviewStatus
from readmodels import queries
from readmodels.reader import Reader
from readmodels.views import (
    ChargeBucket,
    HeldActivities,
    OptOutView,
    QueuedView,
    ReviewView,
    UsageView,
)


class StoredFigures:
    """Reads what is about the organisation as a whole."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def usage(
        self,
        organization_id: UUID,
        *,
        day_start: datetime,
        day_end: datetime,
        month_start: datetime,
        at: datetime,
    ) -> UsageView:
        """Return what the organisation has sent."""
        async with self._reader.read() as connection:
            return await queries.usage(
                connection,
                organization_id,
                day_start=day_start,
                day_end=day_end,
                month_start=month_start,
                at=at,
            )

    async def charges(
        self, organization_id: UUID, start: datetime, end: datetime
    ) -> list[ChargeBucket]:
        """Return what was attempted in a time, by quarters of an hour and by what it came to."""
        async with self._reader.read() as connection:
            return await queries.charges(connection, organization_id, start, end)

    async def campaign_names(
        self, organization_id: UUID, campaign_ids: Sequence[UUID]
    ) -> dict[UUID, str]:
        """Return campaigns' names, deleted ones' too."""
        async with self._reader.read() as connection:
            return await queries.campaign_names(connection, organization_id, campaign_ids)

    async def queued(self, organization_id: UUID, from_number: str) -> QueuedView:
        """Return what waits to leave from a number."""
        async with self._reader.read() as connection:
            return await queries.queued(connection, organization_id, from_number)

    async def opt_outs(
        self, organization_id: UUID, *, after: UUID | None, limit: int
    ) -> list[OptOutView]:
        """Return numbers that may not be texted, by id."""
        async with self._reader.read() as connection:
            return await queries.opt_outs(connection, organization_id, after=after, limit=limit)

    async def opt_out(
        self, organization_id: UUID, number: str, from_number: str
    ) -> OptOutView | None:
        """Return why a number may not be texted from another; None when it may."""
        async with self._reader.read() as connection:
            found = await queries.opt_out(connection, organization_id, number, from_number)
            # It may have opted out of all of the organisation's numbers.
            return found or await queries.opt_out(connection, organization_id, number)

    async def reviews(
        self,
        organization_id: UUID,
        *,
        status: ReviewStatus | None,
        after: UUID | None,
        limit: int,
    ) -> list[ReviewView]:
        """Return texts that a person has to read, or has read, the latest first."""
        async with self._reader.read() as connection:
            return await queries.reviews(
                connection, organization_id, status=status, after=after, limit=limit
            )

    async def review(self, organization_id: UUID, review_id: UUID) -> ReviewView | None:
        """Return a text that a person has to read."""
        async with self._reader.read() as connection:
            return await queries.review(connection, organization_id, review_id)

    async def activities_held(self, organization_id: UUID) -> HeldActivities | None:
        """Return why nothing is written to the organisation's iMIS, if that is so."""
        async with self._reader.read() as connection:
            return await queries.activities_held(connection, organization_id)

    async def change_marker(self, organization_id: UUID) -> int:
        """Return a number that changes with anything of the organisation."""
        async with self._reader.read() as connection:
            return await queries.change_marker(connection, organization_id)
