"""Campaigns in SQL: each event, and each campaign's newest state for lists."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select

from chassis.store import keep_newest, upsert
from contracts.envelope import Envelope, decode, encode
from contracts.events.campaign import CampaignEvent, CampaignKind, CampaignStatus
from gateway.adapters.executor import Executor, connection_of
from gateway.adapters.tables import CAMPAIGN_EVENTS, CAMPAIGNS, RUNS_HEARD
from gateway.domain.campaign import OVER, present_run

_STATE = select(CAMPAIGNS.c.type, CAMPAIGNS.c.event_id, CAMPAIGNS.c.event)


class SqlCampaigns:
    """Campaigns within one transaction, or one picture."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def get(
        self, organization_id: UUID, campaign_id: UUID, *, hold: bool = False
    ) -> Envelope[CampaignEvent] | None:
        """Return a campaign's state; `hold` keeps others from changing it meanwhile."""
        query = _STATE.where(
            CAMPAIGNS.c.organization_id == organization_id, CAMPAIGNS.c.campaign_id == campaign_id
        )
        row = (await self._executor.execute(query.with_for_update() if hold else query)).first()
        return None if row is None else _envelope(row)

    async def held(self, campaign_ids: Sequence[UUID]) -> dict[UUID, Envelope[CampaignEvent]]:
        """Return campaigns' states, held for this transaction; for the system's own events."""
        query = _STATE.where(CAMPAIGNS.c.campaign_id.in_(set(campaign_ids)))
        ordered = query.order_by(CAMPAIGNS.c.campaign_id).with_for_update()
        rows = (await self._executor.execute(ordered)).all()
        return {each.event.campaign_id: each for each in map(_envelope, rows)}

    async def save(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        """Append events; two with one sequence can't both be kept."""
        if not events:
            return
        rows = [_row(each) for each in events]
        columns = CAMPAIGN_EVENTS.c.keys()
        await self._executor.execute(
            insert(CAMPAIGN_EVENTS), [{name: row[name] for name in columns} for row in rows]
        )
        connection = connection_of(self._executor)
        await self._executor.execute(keep_newest(connection, CAMPAIGNS, key="campaign_id"), rows)

    async def page(
        self,
        organization_id: UUID,
        *,
        status: CampaignStatus | None,
        kind: CampaignKind | None = None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        """Return campaigns, the newest first, without the deleted ones."""
        query = _of_organization(organization_id)
        if status is not None:
            query = query.where(CAMPAIGNS.c.status == status)
        if kind is not None:
            query = query.where(CAMPAIGNS.c.kind == kind)
        if before is not None:
            query = query.where(CAMPAIGNS.c.campaign_id < before)
        # A campaign's id is drawn in order of time, so its order is the order of creation.
        query = query.order_by(CAMPAIGNS.c.campaign_id.desc()).limit(limit)
        rows = (await self._executor.execute(query)).all()
        return [_envelope(row).event for row in rows]

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        """Return the campaign whose newest launch is this run."""
        query = _of_organization(organization_id).where(CAMPAIGNS.c.run_id == run_id)
        row = (await self._executor.execute(query)).first()
        return None if row is None else _envelope(row).event

    async def history(
        self, organization_id: UUID, campaign_id: UUID, *, after: int, limit: int
    ) -> list[CampaignEvent]:
        """Return some of a campaign's events after a sequence, the oldest first."""
        told = CAMPAIGN_EVENTS
        query = (
            select(told.c.type, told.c.event_id, told.c.event)
            .join(CAMPAIGNS, CAMPAIGNS.c.campaign_id == told.c.campaign_id)
            .where(
                CAMPAIGNS.c.organization_id == organization_id,
                told.c.campaign_id == campaign_id,
                told.c.sequence > after,
            )
            .order_by(told.c.sequence)
            .limit(limit)
        )
        rows = (await self._executor.execute(query)).all()
        return [_envelope(row).event for row in rows]

    async def heard(self, runs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        """Return the newest sequence that each source told of a run and that was heeded."""
        query = select(RUNS_HEARD).where(RUNS_HEARD.c.run_id.in_({run for run, _ in runs}))
        rows = (await self._executor.execute(query)).all()
        return {(row.run_id, row.source): row.sequence for row in rows}

    async def hear(self, sequences: Mapping[tuple[UUID, str], int]) -> None:
        """Keep what was heeded of runs."""
        rows = [
            {"run_id": run, "source": source, "sequence": sequence}
            for (run, source), sequence in sorted(sequences.items())
        ]
        if not rows:
            return
        statement = upsert(connection_of(self._executor), RUNS_HEARD)
        newest = statement.on_conflict_do_update(
            index_elements=["run_id", "source"],
            set_={"sequence": statement.excluded.sequence},
            where=RUNS_HEARD.c.sequence < statement.excluded.sequence,
        )
        await self._executor.execute(newest, rows)

    async def aged(
        self, changed_before: Mapping[UUID, datetime], *, limit: int
    ) -> list[Envelope[CampaignEvent]]:
        """Return some campaigns that are over since before their organisation's moment; held."""
        moments: dict[datetime, list[UUID]] = {}
        for organization_id, moment in changed_before.items():
            moments.setdefault(moment, []).append(organization_id)
        if not moments:
            return []
        query = (
            _STATE.where(
                CAMPAIGNS.c.status.in_([each.value for each in OVER]),
                or_(
                    *(
                        CAMPAIGNS.c.organization_id.in_(those) & (CAMPAIGNS.c.changed_at < moment)
                        for moment, those in sorted(moments.items())
                    )
                ),
            )
            .order_by(CAMPAIGNS.c.campaign_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_envelope(row) for row in (await self._executor.execute(query)).all()]

    async def awaiting(self, *, after: UUID | None, limit: int) -> list[Envelope[CampaignEvent]]:
        """Return some scheduled recurring campaigns of all organisations, by id; held."""
        query = _STATE.where(
            CAMPAIGNS.c.status == CampaignStatus.SCHEDULED,
            CAMPAIGNS.c.kind == CampaignKind.RECURRING,
        )
        if after is not None:
            query = query.where(CAMPAIGNS.c.campaign_id > after)
        query = query.order_by(CAMPAIGNS.c.campaign_id).limit(limit)
        held = query.with_for_update(skip_locked=True)
        return [_envelope(row) for row in (await self._executor.execute(held)).all()]

    async def counts(self, organization_id: UUID) -> dict[CampaignStatus, int]:
        """Return how many campaigns have each status."""
        query = (
            select(CAMPAIGNS.c.status, func.count().label("campaigns"))
            .where(CAMPAIGNS.c.organization_id == organization_id)
            .group_by(CAMPAIGNS.c.status)
        )
        rows = (await self._executor.execute(query)).all()
        return {CampaignStatus(row.status): row.campaigns for row in rows}


def _of_organization(organization_id: UUID) -> Select[Any]:
    return _STATE.where(
        CAMPAIGNS.c.organization_id == organization_id,
        CAMPAIGNS.c.status != CampaignStatus.DELETED,
    )


def _row(envelope: Envelope[CampaignEvent]) -> dict[str, Any]:
    event = envelope.event
    return {
        "campaign_id": event.campaign_id,
        "organization_id": event.organization_id,
        "sequence": event.sequence,
        "status": event.status.value,
        "run_id": present_run(event),
        "type": event.type,
        "event_id": envelope.id,
        "event": encode(envelope)[1],
        "kind": event.definition.kind.value,
        "changed_at": event.occurred_at,
    }


def _envelope(row: Any) -> Envelope[CampaignEvent]:
    headers = [("ce_type", row.type.encode()), ("ce_id", str(row.event_id).encode())]
    return cast("Envelope[CampaignEvent]", decode(headers, row.event))
