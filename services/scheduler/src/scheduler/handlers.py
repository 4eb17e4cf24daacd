"""What the scheduler does with an event, and when time passes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings
from scheduler.domain.due import freeze, launch
from scheduler.domain.missed import Dealt, deal
from scheduler.domain.timer import Timer, fold, recurrence
from scheduler.ports import Desk, Lifecycle, Outbox, Timers

AT_ONCE = 100
"""How many campaigns one transaction starts."""

WAITS = timedelta(seconds=1)
"""How long a campaign that can't start yet lets others go first."""


async def follow_campaigns(
    campaigns: Sequence[Envelope[CampaignEvent]], *, timers: Timers, outbox: Outbox
) -> None:
    """Set, move or stop each campaign's timer as its newest state says, and tell what it skips."""
    known = await timers.known({each.event.campaign_id for each in campaigns})
    changed: dict[UUID, Timer] = {}
    for campaign in campaigns:
        campaign_id = campaign.event.campaign_id
        folded = fold(changed.get(campaign_id) or known.get(campaign_id), campaign)
        if folded is None:
            continue
        changed[campaign_id], skipped = folded
        if skipped is not None:
            outbox.publish(skipped, because=campaign.id)
    await timers.keep(list(changed.values()))


async def keep_time(
    *, clock: Callable[[], datetime], desk: Desk, lifecycle: Lifecycle, grace: timedelta
) -> timedelta | None:
    """Start what is due; returns how long to wait for what is due next, None when nothing is.

    A campaign's time alone doesn't start it: first everything that was said of campaigns until
    then is read. So a campaign that was moved, or paused, before its time, and whose move was
    published by then, never runs at the old time, however far behind this process was.
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
        started = await start_due_campaigns(
            at=at, grace=grace, settings=settings, timers=timers, outbox=outbox
        )
    return timedelta() if started else None


async def start_due_campaigns(
    *,
    at: datetime,
    grace: timedelta,
    settings: Mapping[UUID, OrganizationSettings],
    timers: Timers,
    outbox: Outbox,
) -> int:
    """Settle what is due, and announce each run once; returns how many campaigns were settled.

    A campaign whose organisation's settings have not arrived yet, or have no number to send
    from, waits.
    """
    settled: list[Timer] = []
    waiting: list[Timer] = []
    begun: list[tuple[CampaignDue, UUID]] = []
    for timer in await timers.due(at=at, limit=AT_ONCE):
        dealt = _deal(timer, at=at, grace=grace)
        runs = _freeze(timer, dealt, settings, at=at)
        if len(runs) < len(dealt.running):
            waiting.append(replace(timer, due_at=at + WAITS))
            continue
        settled.append(dealt.timer)
        begun += [(run, timer.campaign.id) for run in runs]
        if dealt.skipped is not None:
            outbox.publish(dealt.skipped, because=timer.campaign.id)
    await timers.keep(settled + waiting)
    new = await timers.fire([run for run, _ in begun])
    for run, because in begun:
        if run.run_id in new:
            outbox.publish(run, because=because)
    return len(settled)


def _deal(timer: Timer, *, at: datetime, grace: timedelta) -> Dealt:
    """Say what runs of a campaign whose time has come; a one-time one is never too late."""
    if recurrence(timer.state) is not None:
        return deal(timer, at=at, grace=grace)
    due_at = timer.state.due_at
    running = [] if due_at is None else [launch(timer.state, due_at)]
    return Dealt(replace(timer, due_at=None), running, None)


def _freeze(
    timer: Timer, dealt: Dealt, settings: Mapping[UUID, OrganizationSettings], *, at: datetime
) -> list[CampaignDue]:
    known = settings.get(timer.state.organization_id)
    if known is None:
        return []
    frozen = (freeze(timer.state, each, known, at=at) for each in dealt.running)
    return [run for run in frozen if run is not None]
