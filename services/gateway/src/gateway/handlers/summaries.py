"""What a campaign would take, before it is scheduled."""

from uuid import UUID

from gateway.domain.records import StaffSession
from gateway.domain.recurring import next_time
from gateway.domain.refusals import NotThere
from gateway.domain.summary import Standing, Summary, summarise
from gateway.handlers import previews
from gateway.handlers.figures import usage_of
from gateway.handlers.holding import there
from gateway.handlers.organizations import settings_of
from gateway.ports import Bell, Clock, Desk, Keep, ReadModels
from timing.quiet import Rules


async def ask(
    campaign_id: UUID, *, staff: StaffSession, desk: Desk, clock: Clock, keep: Keep
) -> UUID:
    """Ask for a campaign's preview; returns the id to look it up under."""
    async with desk.work() as work:
        known = there(await work.campaigns.get(staff.organization_id, campaign_id))
        settings = await settings_of(staff.organization_id, reading=work)
        asked = await previews.question(known.event, settings=settings, reading=work, clock=clock)
        await previews.ask(asked, because=known.id, work=work)
        await keep(work, asked.preview_id)
    return asked.preview_id


async def look(
    campaign_id: UUID,
    preview_id: UUID,
    *,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    rules: Rules,
) -> Summary:
    """Return what is known of a summary now."""
    async with desk.read() as reading:
        preview = await reading.previews.get(staff.organization_id, preview_id)
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
        settings = await settings_of(staff.organization_id, reading=reading)
    if preview is None or known is None or preview.request.campaign_id != campaign_id:
        raise NotThere("There is no such summary.")
    at = clock()
    standing = Standing(0, 0, at)
    if preview.result is not None and preview.result.failure is None:
        used = await usage_of(staff.organization_id, settings, models=models, at=at)
        queued = await models.queued(staff.organization_id, preview.request.from_number)
        standing = Standing(used.segments_today, queued.segments, at)
    return summarise(
        preview,
        known.event.definition,
        settings,
        standing=standing,
        due_at=next_time(known.event, at),
        rules=rules,
    )


async def wait(
    campaign_id: UUID,
    preview_id: UUID,
    *,
    seconds: float,
    poll_seconds: float,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    bell: Bell,
    rules: Rules,
) -> Summary:
    """Return the summary as soon as it is there, or as far as it is when the time is over."""
    await previews.answered(
        preview_id,
        seconds=seconds,
        poll_seconds=poll_seconds,
        staff=staff,
        desk=desk,
        bell=bell,
    )
    return await look(
        campaign_id,
        preview_id,
        staff=staff,
        desk=desk,
        models=models,
        clock=clock,
        rules=rules,
    )
