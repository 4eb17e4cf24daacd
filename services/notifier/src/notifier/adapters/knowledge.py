"""What the words of a mail need of the notifier's own database."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from chassis.store import Store
from contracts.events.campaign import CampaignEvent, Mode
from contracts.events.organization import OrganizationSettings
from notifier.adapters.campaigns import campaign_in
from notifier.adapters.tables import CAMPAIGNS, REFUSALS, RUNS, SETTINGS
from notifier.ports import RunKnown

_REASONS = 20
"""How many of iMIS's reasons one mail lists at most."""


class SqlKnowledge:
    """Reads what has arrived so far."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settings(self, organization_id: UUID) -> OrganizationSettings | None:
        """Return an organisation's settings, if they have arrived."""
        found = await SETTINGS.get(self._store, organization_id)
        return None if found is None else found.settings

    async def campaigns(self, campaign_ids: Collection[UUID]) -> dict[UUID, CampaignEvent]:
        """Return the newest state of those that have arrived."""
        query = select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id.in_(sorted(campaign_ids)))
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).all()
        found = {row.campaign_id: campaign_in(row) for row in rows}
        return {key: each for key, each in found.items() if each is not None}

    async def runs(self, run_ids: Collection[UUID]) -> dict[UUID, RunKnown]:
        """Return what is known of those that have arrived."""
        query = select(RUNS).where(RUNS.c.run_id.in_(sorted(run_ids)))
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.run_id: RunKnown(row.due_at, row.mode == Mode.TEST) for row in rows}

    async def refusals(self, run_id: UUID) -> list[tuple[str, int]]:
        """Return why iMIS doesn't have some activities, the most frequent reason first."""
        columns, count = REFUSALS.c, func.count().label("activities")
        query = (
            select(columns.reason, count)
            .where(columns.run_id == run_id)
            .group_by(columns.reason)
            .order_by(count.desc(), columns.reason)
            .limit(_REASONS)
        )
        async with self._store.read() as connection:
            return [(row.reason, row.activities) for row in await connection.execute(query)]
