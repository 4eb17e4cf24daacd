"""What staff paused, cancelled and resumed, as the log tells it; folded in any order (X-6)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.campaign import CampaignDeleted, CampaignEvent, CampaignResumed
from contracts.events.run import RunCancelRequested
from sender.adapters.tables import CAMPAIGN_CONTROLS, CANCELLED_RUNS
from sender.domain.controls import UNHEARD, Control, control_of


def held(table: Any = CAMPAIGN_CONTROLS) -> ColumnElement[bool]:
    """Whether a campaign was stopped for its configuration, and nobody has resumed it since."""
    columns = table.c
    return and_(
        columns.held_at.is_not(None),
        or_(columns.resumed_at.is_(None), columns.resumed_at <= columns.held_at),
    )


class SqlControls:
    """Folds what is told about campaigns and runs, within the transaction of a batch."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def follow(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        """Take what is newer; a cancelled campaign stays so, whatever is told of it later."""
        rows = [
            _row(
                each.event.campaign_id,
                each.event.organization_id,
                sequence=each.event.sequence,
                state=control_of(each.event),
                resumed_at=_resumed_at(each.event),
            )
            for each in events
        ]
        await self._write(rows)

    async def cancel(self, commands: Sequence[Envelope[RunCancelRequested]]) -> None:
        """Cancel runs; a second word about the same one changes nothing."""
        rows = {
            each.event.run_id: {
                "run_id": each.event.run_id,
                "organization_id": each.event.organization_id,
                "sequence": each.event.sequence,
            }
            for each in commands
        }
        await self._transaction.insert_new(CANCELLED_RUNS, [rows[run] for run in sorted(rows)])

    async def go_on(self, organization_id: UUID, campaign_id: UUID, *, at: datetime) -> None:
        """Let a campaign go on that was held for its configuration: staff want it sent after all.

        One that is over can't be resumed; asking for what it missed means the same.
        """
        row = _row(
            campaign_id, organization_id, sequence=UNHEARD, state=Control.SENDING, resumed_at=at
        )
        await self._write([row])

    async def hold(self, campaigns: Mapping[UUID, UUID], *, at: datetime) -> None:
        """Keep campaigns' messages back until somebody resumes them; each with its organisation."""
        if not campaigns:
            return
        statement = upsert(self._transaction.connection, CAMPAIGN_CONTROLS)
        rows = [
            _row(campaign, owner, sequence=UNHEARD, state=Control.SENDING, resumed_at=None)
            | {"held_at": at}
            for campaign, owner in sorted(campaigns.items())
        ]
        await self._transaction.execute(
            statement.on_conflict_do_update(
                index_elements=["campaign_id"], set_={"held_at": statement.excluded.held_at}
            ),
            rows,
        )

    async def cancelled_among(
        self, campaigns: Collection[UUID], runs: Collection[UUID]
    ) -> set[UUID]:
        """Return those campaigns and runs that are cancelled."""
        of_campaigns = select(CAMPAIGN_CONTROLS.c.campaign_id).where(
            CAMPAIGN_CONTROLS.c.campaign_id.in_(campaigns),
            CAMPAIGN_CONTROLS.c.state == Control.CANCELLED,
        )
        of_runs = select(CANCELLED_RUNS.c.run_id).where(CANCELLED_RUNS.c.run_id.in_(runs))
        found = await self._transaction.execute(of_campaigns.union_all(of_runs))
        return set(found.scalars())

    async def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = upsert(self._transaction.connection, CAMPAIGN_CONTROLS)
        table, new = CAMPAIGN_CONTROLS.c, statement.excluded
        cancelled = or_(table.state == Control.CANCELLED, new.state == Control.CANCELLED)
        newer = new.sequence > table.sequence
        folded = statement.on_conflict_do_update(
            index_elements=["campaign_id"],
            set_={
                "state": case(
                    (cancelled, Control.CANCELLED), (newer, new.state), else_=table.state
                ),
                "sequence": case((newer, new.sequence), else_=table.sequence),
                "resumed_at": case(
                    (table.resumed_at.is_(None), new.resumed_at),
                    (new.resumed_at > table.resumed_at, new.resumed_at),
                    else_=table.resumed_at,
                ),
            },
        )
        ordered = sorted(rows, key=lambda row: (row["campaign_id"], row["sequence"]))
        await self._transaction.execute(folded, ordered)


def _row(
    campaign_id: UUID,
    organization_id: UUID,
    *,
    sequence: int,
    state: Control,
    resumed_at: datetime | None,
) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "organization_id": organization_id,
        "sequence": sequence,
        "state": state,
        "resumed_at": resumed_at,
        "held_at": None,
    }


def _resumed_at(event: CampaignEvent) -> datetime | None:
    """Return when staff wanted the campaign to go on: also one whose run is to finish."""
    finishes = isinstance(event, CampaignDeleted) and not event.cancels_runs
    return event.occurred_at if finishes or isinstance(event, CampaignResumed) else None
