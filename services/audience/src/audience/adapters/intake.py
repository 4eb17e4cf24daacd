"""Orders become jobs, in SQL, within the consumer's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from audience.adapters.tables import JOBS
from audience.domain.resolving import Progress
from audience.ports import Kind
from chassis.store import Transaction
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDue

_START = Progress().model_dump_json().encode()


class SqlIntake:
    """Writes jobs down."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(
        self,
        orders: Sequence[Envelope[CampaignDue]] | Sequence[Envelope[AudiencePreviewRequested]],
        *,
        at: datetime,
    ) -> None:
        """Write down what is to be done; what is known already is left as it is."""
        rows = [_row(each.event, each.id, at) for each in orders]
        await self._transaction.insert_new(JOBS, rows)


def _row(
    order: CampaignDue | AudiencePreviewRequested, event_id: UUID, at: datetime
) -> dict[str, object]:
    match order:
        case CampaignDue():
            kind, order_id, occurrence = Kind.RUN, order.run_id, order.occurrence
        case AudiencePreviewRequested():
            kind, order_id = Kind.PREVIEW, order.preview_id
            occurrence = f"preview:{order_id}"
    return {
        "id": order_id,
        "kind": kind,
        "organization_id": order.organization_id,
        "campaign_id": order.campaign_id,
        "occurrence": occurrence,
        "event_id": event_id,
        "event": order.model_dump_json().encode(),
        "received_at": at,
        "not_before": at,
        "failures": 0,
        "attempts": 0,
        "step": 0,
        "progress": _START,
        "needs_imis": order.audience.upload_id is None,
    }
