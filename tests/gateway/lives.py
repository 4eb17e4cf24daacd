"""Campaigns in each of their states, by the way that leads there."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tests.gateway.fakes import NOON
from tests.gateway.test_domain import DEFINITION, LATER

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignKind,
    CampaignStatus,
    Recurrence,
)
from contracts.ids import event_id
from gateway.domain import campaign as aggregate
from gateway.domain import following
from gateway.domain.campaign import present_run
from gateway.domain.transitions import Refused

BY = "staff"
DAILY = Recurrence(rule="FREQ=DAILY", starts=NOON.replace(day=1, hour=8, tzinfo=None))
RECURRING = DEFINITION.model_copy(update={"kind": CampaignKind.RECURRING, "recurrence": DAILY})
TWICE = RECURRING.model_copy(
    update={
        "recurrence": Recurrence(
            rule="FREQ=DAILY;COUNT=2", starts=(NOON + timedelta(hours=1)).replace(tzinfo=None)
        )
    }
)
RUN = uuid4()
"""A recurring campaign's run."""


def sure(outcome: CampaignEvent | Refused | None) -> CampaignEvent:
    assert isinstance(outcome, CampaignEvent), outcome
    return outcome


def drafted(
    definition: CampaignDefinition = DEFINITION, organization_id: UUID | None = None
) -> CampaignEvent:
    return aggregate.draft(
        event_id(), definition, organization_id=organization_id or uuid4(), at=NOON, by=BY
    )


def run_of(campaign: CampaignEvent) -> UUID:
    return present_run(campaign) or RUN


def campaign(
    status: CampaignStatus,
    definition: CampaignDefinition = DEFINITION,
    due_at: datetime = LATER,
) -> CampaignEvent:
    """Return a campaign in a state."""
    made = drafted(definition)
    match status:
        case CampaignStatus.DRAFT:
            return made
        case CampaignStatus.DELETED:
            return sure(aggregate.delete(made, at=NOON, by=BY))
        case CampaignStatus.ARCHIVED:
            return sure(aggregate.archive(made, at=NOON, by=BY))
        case _:
            made = sure(aggregate.schedule(made, due_at, at=NOON, by=BY))
    match status:
        case CampaignStatus.PAUSED:
            return sure(aggregate.pause(made, at=NOON, by=BY))
        case CampaignStatus.CANCELLED:
            return sure(aggregate.cancel(made, at=NOON, by=BY))
        case CampaignStatus.SENDING:
            return sure(following.start(made, run_of(made), at=NOON, by="status"))
        case CampaignStatus.COMPLETED:
            made = sure(following.start(made, run_of(made), at=NOON, by="status"))
            at = NOON + timedelta(days=40_000) if definition.recurrence else NOON
            ended = made
            if definition.recurrence is not None:
                over = definition.recurrence.model_copy(update={"rule": "FREQ=DAILY;COUNT=1"})
                ended = made.model_copy(
                    update={"definition": definition.model_copy(update={"recurrence": over})}
                )
            return sure(following.complete(ended, run_of(made), at=at, by="status"))
        case _:
            return made
