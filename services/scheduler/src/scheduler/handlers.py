"""What the scheduler does with an event, and when time passes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettings
from scheduler.domain import freeze
from scheduler.ports import Desk, Lifecycle, Outbox, Timers

AT_ONCE = 100
"""How many campaigns one transaction starts."""


async def follow_campaigns(campaigns: Sequence[Envelope[CampaignEvent]], *, timers: Timers) -> None:
    """Set, move or drop each campaign's timer as its newest state says."""
    await timers.fold(campaigns)


async def keep_time(
    *, clock: Callable[[], datetime], desk: Desk, lifecycle: Lifecycle
) -> timedelta | None:
    """Start what is due; returns how long to wait for what is due next, None when nothing is.

    A campaign's time alone doesn't start it: first everything that was said of campaigns until
    then is read. So a campaign that was moved before its time, and whose move was published by
    then, never runs at the old time, however far behind this process was.
    """
    soonest = await desk.soonest()
    if soonest is None:
        return None
    at = clock()
    if soonest > at:
        return soonest - at
    if not await lifecycle.read_to_end():
        return None
    settings = await desk.settings()
    async with desk.work() as (timers, outbox):
        started = await start_due_campaigns(at=at, settings=settings, timers=timers, outbox=outbox)
    return timedelta() if started else None


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
