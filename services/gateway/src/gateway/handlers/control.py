"""Pausing, resuming, cancelling and stopping: what must hold within seconds (X-6).

Each commits first, then tells the senders, then answers. A process may die in between, so whoever
asks again, or repeats the request, has the senders told once more.
"""

from datetime import datetime
from uuid import UUID

from contracts.events.campaign import CampaignDeleted, CampaignEvent, CampaignStatus
from contracts.events.organization import (
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingStop,
)
from contracts.events.run import RunCancelRequested
from gateway.domain import campaign as aggregate
from gateway.domain.campaign import FatesOfRuns
from gateway.domain.records import StaffSession
from gateway.domain.refusals import InConflict
from gateway.domain.transitions import Refused
from gateway.domain.views import OVER, Run
from gateway.handlers import campaigns
from gateway.handlers.holding import Expected
from gateway.handlers.organizations import edit_settings
from gateway.handlers.runs import show_run
from gateway.ports import Clock, Desk, Keep, ReadModels, Stops

EVERYTHING = "*"
_HELD = {CampaignStatus.PAUSED, CampaignStatus.CANCELLED}


async def pause(
    campaign_id: UUID,
    reason: str,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Keep,
    stops: Stops,
) -> CampaignEvent:
    """Hold a campaign and what its runs have not sent yet."""

    def step(known: CampaignEvent, at: datetime) -> CampaignEvent | Refused:
        return aggregate.pause(known, at=at, by=staff.user, reason=reason)

    try:
        paused = await campaigns.change(
            campaign_id, step, expected=expected, staff=staff, desk=desk, clock=clock, keep=keep
        )
    except InConflict:
        await tell_again(campaign_id, staff=staff, desk=desk, stops=stops)
        raise
    await stops.tell(staff.organization_id, str(campaign_id), paused.sequence)
    return paused


async def resume(
    campaign_id: UUID,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Keep,
) -> CampaignEvent:
    """Let a paused campaign go on; the senders learn it from the log."""

    def step(known: CampaignEvent, at: datetime) -> CampaignEvent | Refused:
        return aggregate.resume(known, at=at, by=staff.user)

    return await campaigns.change(
        campaign_id, step, expected=expected, staff=staff, desk=desk, clock=clock, keep=keep
    )


async def cancel(
    campaign_id: UUID,
    reason: str,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Keep,
    stops: Stops,
) -> CampaignEvent:
    """End a campaign: what it has not sent yet is never sent."""

    def step(known: CampaignEvent, at: datetime) -> CampaignEvent | Refused:
        return aggregate.cancel(known, at=at, by=staff.user, reason=reason)

    try:
        cancelled = await campaigns.change(
            campaign_id, step, expected=expected, staff=staff, desk=desk, clock=clock, keep=keep
        )
    except InConflict:
        await tell_again(campaign_id, staff=staff, desk=desk, stops=stops)
        raise
    await stops.tell(staff.organization_id, str(campaign_id), cancelled.sequence)
    return cancelled


async def tell_again(campaign_id: UUID, *, staff: StaffSession, desk: Desk, stops: Stops) -> None:
    """Tell the senders of a pause or a cancel that stands already."""
    known = await campaigns.show(campaign_id, staff=staff, desk=desk)
    if known.status in _HELD:
        await stops.tell(staff.organization_id, str(campaign_id), known.sequence)


async def delete(
    campaign_id: UUID,
    runs: FatesOfRuns | None,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    stops: Stops,
) -> None:
    """Drop a campaign; what its runs have not sent yet stops at once unless they are to finish."""
    deleted = await campaigns.delete(
        campaign_id, runs, expected=expected, staff=staff, desk=desk, clock=clock
    )
    if isinstance(deleted, CampaignDeleted) and deleted.cancels_runs:
        await stops.tell(staff.organization_id, str(campaign_id), deleted.sequence)


async def cancel_run(
    run_id: UUID,
    *,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    keep: Keep,
    stops: Stops,
) -> Run:
    """End one run: what it has not sent yet is never sent; its campaign goes on."""
    run = await show_run(run_id, staff=staff, desk=desk, models=models, clock=clock)
    if run.state in OVER:
        raise InConflict("The run is over: there is nothing to cancel.")
    async with desk.work() as work:
        asked = RunCancelRequested(
            organization_id=staff.organization_id,
            occurred_at=clock(),
            sequence=await work.commands.next_of_run(staff.organization_id, run_id),
            run_id=run_id,
            campaign_id=run.campaign_id,
            by=staff.user,
        )
        work.outbox.publish(asked)
        await keep(work, run)
    await stops.tell(staff.organization_id, str(run_id), asked.sequence)
    return run


async def stop(
    reason: str, *, staff: StaffSession, desk: Desk, clock: Clock, stops: Stops
) -> OrganizationSettingsChanged:
    """Let nothing of the organisation leave; a stop that is there already stays as it is."""

    def stopped(settings: OrganizationSettings) -> OrganizationSettings:
        if settings.stopped is not None:
            return settings
        since = SendingStop(since=clock(), by=staff.user, reason=reason)
        return settings.model_copy(update={"stopped": since})

    changed = await edit_settings(staff.organization_id, stopped, desk=desk, clock=clock)
    # Also when it was there: whoever presses twice may do so because the first had no effect.
    await stops.tell(staff.organization_id, EVERYTHING, changed.sequence)
    return changed


async def lift_stop(
    *, staff: StaffSession, desk: Desk, clock: Clock
) -> OrganizationSettingsChanged:
    """Let everything go on that the stop held."""

    def lifted(settings: OrganizationSettings) -> OrganizationSettings:
        return settings.model_copy(update={"stopped": None})

    return await edit_settings(staff.organization_id, lifted, desk=desk, clock=clock)
