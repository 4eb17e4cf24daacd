"""What a campaign would take, before it is scheduled."""

import time
from collections.abc import Sequence
from uuid import UUID

from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignStatus
from contracts.ids import event_id
from gateway.domain.definition import faults, lacking, sending_number
from gateway.domain.records import StaffSession
from gateway.domain.refusals import NotThere, Unacceptable
from gateway.domain.summary import Summary, summarise
from gateway.handlers.organizations import settings_of
from gateway.ports import Bell, Clock, Desk, Keep, ReadModels


async def ask(
    campaign_id: UUID, *, staff: StaffSession, desk: Desk, clock: Clock, keep: Keep
) -> UUID:
    """Ask for a campaign's preview; returns the id to look it up under."""
    async with desk.work() as work:
        known = await work.campaigns.get(staff.organization_id, campaign_id)
        if known is None or known.event.status is CampaignStatus.DELETED:
            raise NotThere("There is no such campaign.")
        settings = await settings_of(staff.organization_id, reading=work)
        definition = known.event.definition
        prompts: Sequence[str] = ()
        if definition.audience is not None:
            path = definition.audience.iqa_path
            prompts = await work.queries.prompts(staff.organization_id, path)
        missing = [
            *lacking(definition, settings.numbers, prompts=prompts),
            *faults(definition, settings.numbers),
        ]
        number = sending_number(definition, settings.numbers)
        if missing or definition.audience is None or number is None:
            raise Unacceptable(missing, "The campaign is not complete enough to be counted.")
        asked = AudiencePreviewRequested(
            organization_id=staff.organization_id,
            occurred_at=clock(),
            sequence=1,
            preview_id=event_id(),
            campaign_id=campaign_id,
            audience=definition.audience,
            template=definition.template,
            from_number=number.number,
            one_text_per_phone=definition.one_text_per_phone,
            default_country=settings.default_country,
        )
        await work.previews.ask(asked)
        work.outbox.publish(asked, because=known.id)
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
) -> Summary:
    """Return what is known of a summary now."""
    async with desk.read() as reading:
        preview = await reading.previews.get(staff.organization_id, preview_id)
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
        settings = await settings_of(staff.organization_id, reading=reading)
    if preview is None or known is None or preview.request.campaign_id != campaign_id:
        raise NotThere("There is no such summary.")
    used = 0
    if preview.result is not None and preview.result.failure is None:
        used = (await models.usage(staff.organization_id, at=clock())).segments_today
    return summarise(
        preview.result,
        settings,
        from_number=preview.request.from_number,
        used_today=used,
        due_at=known.event.due_at,
        at=clock(),
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
) -> Summary:
    """Return the summary as soon as it is there, or as far as it is when the time is over."""
    deadline = time.monotonic() + seconds
    async with bell.listen() as ear:
        while True:
            summary = await look(
                campaign_id, preview_id, staff=staff, desk=desk, models=models, clock=clock
            )
            left = deadline - time.monotonic()
            if summary.state != "counting" or left <= 0:
                return summary
            # Another gateway process may have received it, and its bell isn't heard here.
            await ear.wait(min(left, poll_seconds))
