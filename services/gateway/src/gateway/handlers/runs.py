"""Runs and messages: what the read models know, and what only the aggregate knows yet."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.events.campaign import CampaignStatus
from contracts.events.run import RunResendRequested
from gateway.domain.records import StaffSession
from gateway.domain.refusals import InConflict, NotThere
from gateway.domain.views import OVER, Message, Progress, Run, awaited_run
from gateway.ports import Clock, Desk, ReadModels, Work

_CLOSED = frozenset({CampaignStatus.CANCELLED, CampaignStatus.ARCHIVED, CampaignStatus.DELETED})
"""Campaigns of which nothing is sent any more; a resend would use up what was missed."""


async def show_run(
    run_id: UUID, *, staff: StaffSession, desk: Desk, models: ReadModels, clock: Clock
) -> Run:
    """Return a run; one that was scheduled a moment ago is there already."""
    known = await models.run(staff.organization_id, run_id)
    if known is not None:
        return known
    async with desk.read() as reading:
        campaign = await reading.campaigns.of_run(staff.organization_id, run_id)
    awaited = None if campaign is None else awaited_run(campaign, at=clock())
    if awaited is None:
        raise NotThere("There is no such run.")
    return awaited


async def progress_of(
    run_id: UUID, *, staff: StaffSession, desk: Desk, models: ReadModels, clock: Clock
) -> Progress:
    """Return how far a run is; nothing is settled of one that nobody has projected yet."""
    known = await models.progress(staff.organization_id, run_id)
    if known is not None:
        return known
    awaited = await show_run(run_id, staff=staff, desk=desk, models=models, clock=clock)
    return Progress(run_id=run_id, state=awaited.state)


async def runs_of(
    campaign_id: UUID, *, staff: StaffSession, desk: Desk, models: ReadModels, clock: Clock
) -> list[Run]:
    """Return a campaign's runs, the newest first, with the one that is awaited."""
    async with desk.read() as reading:
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
    if known is None or known.event.status is CampaignStatus.DELETED:
        raise NotThere("There is no such campaign.")
    runs = await models.runs_of(staff.organization_id, campaign_id)
    awaited = awaited_run(known.event, at=clock())
    if awaited is not None and all(each.run_id != awaited.run_id for each in runs):
        runs = [awaited, *runs]
    return runs


async def resend(
    run_id: UUID,
    *,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    keep: Callable[[Work, Run], Awaitable[None]],
) -> Run:
    """Ask for what a run missed to be sent after all; the sender decides what that is (X-2)."""
    run = await show_run(run_id, staff=staff, desk=desk, models=models, clock=clock)
    if run.state not in OVER:
        raise InConflict("The run isn't over yet. What it misses is known at its end.")
    if not run.missed:
        raise InConflict("The run missed nobody: there is nothing to send again.")
    async with desk.work() as work:
        campaign = await work.campaigns.get(staff.organization_id, run.campaign_id)
        if campaign is not None and campaign.event.status in _CLOSED:
            raise InConflict(
                f"The campaign is {campaign.event.status}: nothing of it can be sent. "
                "Bring it back if it is archived, or copy it."
            )
        work.outbox.publish(
            RunResendRequested(
                organization_id=staff.organization_id,
                occurred_at=clock(),
                sequence=await work.commands.next_of_run(staff.organization_id, run_id),
                run_id=run_id,
                campaign_id=run.campaign_id,
                by=staff.user,
            )
        )
        await keep(work, run)
    return run


async def show_message(message_id: UUID, *, staff: StaffSession, models: ReadModels) -> Message:
    """Return a message."""
    found = await models.message(staff.organization_id, message_id)
    if found is None:
        raise NotThere("There is no such message.")
    return found
