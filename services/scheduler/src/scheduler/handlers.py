"""What the scheduler does with an event, and when time passes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettings
from scheduler.domain import freeze
from scheduler.ports import Outbox, Timers

AT_ONCE = 100
"""How many campaigns one transaction starts."""


async def follow_campaigns(campaigns: Sequence[Envelope[CampaignEvent]], *, timers: Timers) -> None:
    """Set, move or drop each campaign's timer as its newest state says."""
    await timers.fold(campaigns)


async def start_due_campaigns(
    *,
    at: datetime,
    settings: Mapping[UUID, OrganizationSettings],
    timers: Timers,
    outbox: Outbox,
) -> int:
    """Announce each run that is due, once; returns how many were announced.

    A campaign whose organisation's settings have not arrived yet, or have no number to send
    from, waits.
    """
    announced = 0
    for envelope in await timers.due(at=at, limit=AT_ONCE):
        known = settings.get(envelope.event.organization_id)
        run = None if known is None else freeze(envelope.event, known, at=at)
        if run is not None and await timers.fire(run):
            outbox.publish(run, because=envelope.id)
            announced += 1
    return announced
