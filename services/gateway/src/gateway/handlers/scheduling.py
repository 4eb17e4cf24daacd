"""Letting a campaign run: everything that stands against it is named before."""

from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import seal as sealed
from contracts.events.audience import AudiencePreviewed
from contracts.events.campaign import CampaignDefinition, CampaignEvent, Mode
from contracts.events.organization import OrganizationSettings
from gateway.domain import campaign as aggregate
from gateway.domain.definition import faults, lacking
from gateway.domain.records import StaffSession
from gateway.domain.recurring import recurring
from gateway.domain.refusals import Fault, InConflict, Refusal
from gateway.handlers import previews
from gateway.handlers.campaigns import show
from gateway.handlers.checking import check_types, prompts_of
from gateway.handlers.holding import (
    SAME_MOMENT,
    Expected,
    accepted,
    expect,
    held,
    refuse,
    save,
)
from gateway.handlers.organizations import settings_of
from gateway.ports import Bell, Clock, Desk, Imis, Keep, Reading, Seal

LATE = timedelta(seconds=60)
"""How far in the past a schedule still counts as "now": clocks differ, and people click slowly."""
REFUSED = "The campaign can't be scheduled as it is."


async def schedule(
    campaign_id: UUID,
    due_at: datetime | None,
    *,
    seconds: float,
    poll_seconds: float,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    bell: Bell,
    clock: Clock,
    keep: Keep,
) -> CampaignEvent:
    """Let a complete campaign run now, once in the future, or as its recurrence says.

    It is counted before, for at most so many seconds; what is not counted by then is held to its
    limits when it runs.
    """
    before = await show(campaign_id, staff=staff, desk=desk)
    expect(before, expected)
    # Refused here already, so that nobody waits in vain.
    accepted(aggregate.schedule(before, due_at, at=clock(), by=staff.user))
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
        missing = await _missing(before, settings, reading=reading, at=clock())
        missing += _untimely(before, due_at, clock())
    try:
        missing += await check_types(
            before.definition, staff=staff, desk=desk, imis=imis, seal=seal, clock=clock
        )
    except Refusal:
        # What is missing can be mended although iMIS doesn't answer.
        refuse(previews.once_each(missing), REFUSED)
        raise
    refuse(previews.once_each(missing), REFUSED)
    counted = await previews.counted(
        campaign_id,
        seconds=seconds if _hinges_on_the_count(before.definition) else 0,
        poll_seconds=poll_seconds,
        staff=staff,
        desk=desk,
        clock=clock,
        bell=bell,
    )
    refuse(_against(before, settings, counted), REFUSED)
    async with desk.work() as work:
        known = await held(work, staff.organization_id, campaign_id)
        expect(known.event, expected)
        # Read once the campaign is held: waiting for it must not make a late change look timely.
        at = clock()
        if known.event.definition != before.definition:
            raise InConflict(SAME_MOMENT)
        due = max(due_at or at, at)
        scheduled = accepted(aggregate.schedule(known.event, due, at=at, by=staff.user))
        settings = await settings_of(staff.organization_id, reading=work)
        missing = await _missing(known.event, settings, reading=work, at=at)
        missing += _untimely(known.event, due_at, at)
        refuse(previews.once_each(missing), REFUSED)
        await save(work, sealed(scheduled, because=known.id))
        await keep(work, scheduled)
    return scheduled


async def _missing(
    known: CampaignEvent, settings: OrganizationSettings, *, reading: Reading, at: datetime
) -> list[Fault]:
    definition = known.definition
    prompts = await prompts_of(definition, known.organization_id, reading=reading)
    return [
        *lacking(definition, settings, prompts=prompts, at=at),
        *faults(definition, settings),
    ]


def _untimely(known: CampaignEvent, due_at: datetime | None, at: datetime) -> list[Fault]:
    """Say why the campaign can't run at the time that was asked for."""
    if due_at is None:
        return []
    if recurring(known.definition):
        told = "A recurring campaign runs as its recurrence says. Leave the time out."
        return [Fault("at", told)]
    return [Fault("at", "The time is in the past.")] if due_at < at - LATE else []


def _may_be_empty(definition: CampaignDefinition) -> bool:
    return recurring(definition) or definition.accept_empty


def _hinges_on_the_count(definition: CampaignDefinition) -> bool:
    """Whether a count could stand against it: a TEST ignores the limits."""
    return definition.mode is Mode.LIVE or not _may_be_empty(definition)


def _against(
    known: CampaignEvent, settings: OrganizationSettings, counted: AudiencePreviewed | None
) -> list[Fault]:
    """Name what the count says against it; a failure to count is told by the run itself."""
    if counted is None or counted.failure is not None:
        return []
    definition = known.definition
    if not counted.contacts_returned and not _may_be_empty(definition):
        told = "The audience is empty: nobody would be texted. Set accept_empty if that is meant."
        return [Fault("audience", told)]
    limit = settings.segments_per_run
    if definition.mode is Mode.LIVE and counted.segments > limit:
        told = (
            f"The texts take {counted.segments:,} segments, and the limit for a campaign is "
            f"{limit:,}. Choose fewer recipients or a shorter text, or raise the limit."
        )
        return [Fault("audience", told)]
    return []
