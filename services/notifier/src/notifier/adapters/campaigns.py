"""What is known of campaigns and their runs, within one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, select

from chassis.store import Transaction, upsert
from contracts.events import BY_TYPE
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.run import RunResent
from notifier.adapters.tables import CAMPAIGNS, RUNS
from notifier.domain.schedule import Known, begins, expected

_C = CAMPAIGNS.c


class SqlCampaigns:
    """The campaigns as a transaction sees and changes them."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def known(self, campaign_ids: Collection[UUID]) -> dict[UUID, Known]:
        """Return what is known of each, and hold it for this transaction."""
        # A row for each first: where there is none, nothing could be held.
        rows = [{"campaign_id": each} for each in sorted(campaign_ids)]
        await self._transaction.insert_new(CAMPAIGNS, rows)
        query = select(CAMPAIGNS).where(_C.campaign_id.in_(sorted(campaign_ids)))
        return await self._held(query.order_by(_C.campaign_id))

    async def overdue(self, *, before: datetime, limit: int) -> dict[UUID, Known]:
        """Return the campaigns of which no run began in time, and hold them."""
        query = select(CAMPAIGNS).where(_C.begins_at <= before).order_by(_C.begins_at).limit(limit)
        return await self._held(query)

    async def keep(self, known: Mapping[UUID, Known]) -> None:
        """Keep what is known of campaigns, and when each is expected to run."""
        if not known:
            return
        statement = upsert(self._transaction.connection, CAMPAIGNS)
        changed = [each for each in CAMPAIGNS.c if each.name != "campaign_id"]
        statement = statement.on_conflict_do_update(
            index_elements=["campaign_id"],
            set_={each.name: statement.excluded[each.name] for each in changed},
        )
        await self._transaction.execute(
            statement, [_row(campaign_id, each) for campaign_id, each in sorted(known.items())]
        )

    async def know_runs(self, runs: Sequence[CampaignDue | RunResent]) -> None:
        """Know which runs there are."""
        rows = [
            {
                "run_id": each.run_id,
                "due_at": each.due_at if isinstance(each, CampaignDue) else each.occurred_at,
                "mode": each.mode.value,
            }
            for each in sorted(runs, key=lambda run: run.run_id)
        ]
        await self._transaction.insert_new(RUNS, rows)

    async def _held(self, query: Any) -> dict[UUID, Known]:
        found = await self._transaction.execute(query.with_for_update())
        return {row.campaign_id: _known(row) for row in found}


def campaign_in(row: "Row[Any]") -> CampaignEvent | None:
    """Return the campaign's newest state, if it has arrived."""
    if row.event is None:
        return None
    return cast("CampaignEvent", BY_TYPE[row.type].model_validate_json(row.event))


def _known(row: "Row[Any]") -> Known:
    return Known(campaign_in(row), row.since, row.handled)


def _row(campaign_id: UUID, known: Known) -> dict[str, Any]:
    campaign, due_at = known.campaign, expected(known)
    return {
        "campaign_id": campaign_id,
        "type": None if campaign is None else campaign.type,
        "event": None if campaign is None else campaign.model_dump_json().encode(),
        "since": known.since,
        "handled": known.handled,
        "begins_at": None if due_at is None else begins(known, due_at),
    }
