"""Each campaign's newest outcomes, in SQL."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from chassis.store import Transaction, upsert
from contracts.events.campaign import CampaignEvent, CampaignStatus
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from status.adapters.tables import CAMPAIGNS, SETTINGS
from status.domain.spike import Campaign, Erring, Outcomes, follow

_KEPT_BACK = (CampaignStatus.PAUSED, CampaignStatus.CANCELLED)
_FOLLOWED = ("sequence", "status", "resumed", "resumed_at", "outcomes", "errors", "alarmed")
_KEPT = ("errors", "alarmed")


class SqlCampaigns:
    """Campaigns within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def follow(self, events: Sequence[CampaignEvent]) -> None:
        """Take what became of campaigns; what is not newer changes nothing."""
        new = {event.campaign_id: event.organization_id for event in events}
        await self._transaction.insert_new(
            CAMPAIGNS, [_row(Campaign(key, new[key])) for key in sorted(new)]
        )
        known = {each.campaign_id: each for each in await self._held(new)}
        before = dict(known)
        for event in events:
            known[event.campaign_id] = follow(known[event.campaign_id], event)
        await self._write(_FOLLOWED, [each for key, each in known.items() if each != before[key]])

    async def add(self, outcomes: Mapping[UUID, Outcomes]) -> list[Campaign]:
        """Count outcomes; returns the campaigns some of whose texts failed, held."""
        statement = upsert(self._transaction.connection, CAMPAIGNS)
        statement = statement.on_conflict_do_update(
            index_elements=["campaign_id"],
            set_={"outcomes": CAMPAIGNS.c.outcomes + statement.excluded.outcomes},
        )
        rows = [
            _row(Campaign(key, outcomes[key].organization_id, outcomes=outcomes[key].outcomes))
            for key in sorted(outcomes)
        ]
        await self._transaction.execute(statement, rows)
        failing = [key for key, each in outcomes.items() if each.failures]
        return await self._held(failing) if failing else []

    async def keep(self, campaigns: Sequence[Campaign]) -> None:
        """Keep campaigns' errors, and whether a spike was told."""
        await self._write(_KEPT, campaigns)

    async def kept_back(self, campaigns: Collection[UUID]) -> set[UUID]:
        """Return which of these are paused or cancelled."""
        if not campaigns:
            return set()
        query = select(CAMPAIGNS.c.campaign_id).where(
            CAMPAIGNS.c.campaign_id.in_(campaigns), CAMPAIGNS.c.status.in_(_KEPT_BACK)
        )
        return set((await self._transaction.execute(query)).scalars())

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        """Return these organisations' settings, as far as they have arrived."""
        if not organizations:
            return {}
        columns = SETTINGS.table.c
        query = select(columns.subject, columns.event).where(columns.subject.in_(organizations))
        return {
            row.subject: OrganizationSettingsChanged.model_validate_json(row.event).settings
            for row in await self._transaction.execute(query)
        }

    async def _held(self, campaigns: Iterable[UUID]) -> list[Campaign]:
        query = (
            select(CAMPAIGNS)
            .where(CAMPAIGNS.c.campaign_id.in_(list(campaigns)))
            .order_by(CAMPAIGNS.c.campaign_id)
            .with_for_update()
        )
        return [_campaign(row) for row in await self._transaction.execute(query)]

    async def _write(self, columns: Collection[str], campaigns: Sequence[Campaign]) -> None:
        if not campaigns:
            return
        statement = (
            update(CAMPAIGNS)
            .where(CAMPAIGNS.c.campaign_id == bindparam("changed"))
            .values({name: bindparam(f"new_{name}") for name in columns})
        )
        rows = [
            {"changed": each.campaign_id} | {f"new_{name}": _row(each)[name] for name in columns}
            for each in sorted(campaigns, key=lambda each: each.campaign_id)
        ]
        await self._transaction.execute(statement, rows)


def _row(campaign: Campaign) -> dict[str, object]:
    return {
        "campaign_id": campaign.campaign_id,
        "organization_id": campaign.organization_id,
        "sequence": campaign.sequence,
        "status": campaign.status,
        "resumed": campaign.resumed,
        "resumed_at": campaign.resumed_at,
        "outcomes": campaign.outcomes,
        "errors": json.dumps(campaign.errors),
        "alarmed": campaign.alarmed,
    }


def _campaign(row: Any) -> Campaign:
    return Campaign(
        campaign_id=row.campaign_id,
        organization_id=row.organization_id,
        sequence=row.sequence,
        status=None if row.status is None else CampaignStatus(row.status),
        resumed=row.resumed,
        resumed_at=row.resumed_at,
        outcomes=row.outcomes,
        errors=tuple(Erring(outcome, code) for outcome, code in json.loads(row.errors)),
        alarmed=row.alarmed,
    )
