"""Asking who would get which text, and waiting for the answer."""

import time
from datetime import timedelta
from uuid import UUID

from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettings
from contracts.ids import event_id
from gateway.domain.definition import faults, sending_number, uncountable
from gateway.domain.records import Preview, StaffSession, question_of
from gateway.domain.refusals import Fault, Unacceptable
from gateway.handlers.checking import prompts_of
from gateway.handlers.holding import there
from gateway.handlers.organizations import settings_of
from gateway.ports import Bell, Clock, Desk, Reading, Work

REUSED_FOR = timedelta(minutes=10)
"""How long an answer to the same question is as good as a new one."""


async def question(
    known: CampaignEvent, *, settings: OrganizationSettings, reading: Reading, clock: Clock
) -> AudiencePreviewRequested:
    """Return what is to be asked about a campaign; raise when it is not complete enough."""
    definition = known.definition
    prompts = await prompts_of(definition, known.organization_id, reading=reading)
    missing = [
        *uncountable(definition, settings, prompts=prompts),
        *faults(definition, settings),
    ]
    number = sending_number(definition, settings.numbers)
    if missing or definition.audience is None or number is None:
        raise Unacceptable(once_each(missing), "The campaign is not complete enough to be counted.")
    return AudiencePreviewRequested(
        organization_id=known.organization_id,
        occurred_at=clock(),
        sequence=1,
        preview_id=event_id(),
        campaign_id=known.campaign_id,
        audience=definition.audience,
        template=definition.template,
        from_number=number.number,
        one_text_per_phone=definition.one_text_per_phone,
        default_country=settings.default_country,
        locale=settings.locale,
        leave_out_landlines=settings.leave_out_landlines,
    )


async def ask(asked: AudiencePreviewRequested, *, because: UUID, work: Work) -> None:
    """Ask, with the transaction."""
    await work.previews.ask(asked)
    work.outbox.publish(asked, because=because)


async def counted(
    campaign_id: UUID,
    *,
    seconds: float,
    poll_seconds: float,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    bell: Bell,
) -> AudiencePreviewed | None:
    """Return who would get which text: as of a moment ago, else asked now and waited for.

    None when the answer isn't there in time.
    """
    async with desk.work() as work:
        known = there(await work.campaigns.get(staff.organization_id, campaign_id))
        settings = await settings_of(staff.organization_id, reading=work)
        asked = await question(known.event, settings=settings, reading=work, clock=clock)
        before = await work.previews.newest(
            staff.organization_id,
            campaign_id,
            question_of(asked),
            since=clock() - REUSED_FOR,
        )
        if before is not None:
            return before.result
        if seconds <= 0:
            return None
        await ask(asked, because=known.id, work=work)
    found = await answered(
        asked.preview_id,
        seconds=seconds,
        poll_seconds=poll_seconds,
        staff=staff,
        desk=desk,
        bell=bell,
    )
    return None if found is None else found.result


async def answered(
    preview_id: UUID,
    *,
    seconds: float,
    poll_seconds: float,
    staff: StaffSession,
    desk: Desk,
    bell: Bell,
) -> Preview | None:
    """Return a preview as soon as it is answered, or as it is when the time is over."""
    deadline = time.monotonic() + seconds
    async with bell.listen() as ear:
        while True:
            async with desk.read() as reading:
                found = await reading.previews.get(staff.organization_id, preview_id)
            left = deadline - time.monotonic()
            if found is None or found.result is not None or left <= 0:
                return found
            # Another gateway process may have received it, and its bell isn't heard here.
            await ear.wait(min(left, poll_seconds))


def once_each(found: list[Fault]) -> list[Fault]:
    """Name each field once, by the first thing that is wrong with it."""
    return list({each.field: each for each in reversed(found)}.values())[::-1]
