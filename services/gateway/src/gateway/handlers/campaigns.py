"""Writing, copying, putting away and dropping campaigns."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from contracts.envelope import seal as sealed
from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignStatus,
    WriteTo,
)
from contracts.ids import event_id
from gateway.domain import campaign as aggregate
from gateway.domain.campaign import FatesOfRuns
from gateway.domain.definition import lacking
from gateway.domain.records import StaffSession
from gateway.domain.refusals import InConflict
from gateway.domain.transitions import Refused
from gateway.handlers.checking import check, check_types, prompts_of
from gateway.handlers.holding import (
    SAME_MOMENT,
    Expected,
    accepted,
    expect,
    held,
    refuse,
    save,
    there,
)
from gateway.handlers.organizations import settings_of
from gateway.ports import Clock, Desk, Imis, Keep, Seal

_MUST_STAY_COMPLETE = frozenset(
    {CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED}
)


async def draft(
    definition: CampaignDefinition,
    *,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
    keep: Keep,
) -> CampaignEvent:
    """Create a campaign; it may lack things, but not have wrong ones."""
    checked = await check(
        definition, None, staff=staff, desk=desk, imis=imis, seal=seal, clock=clock
    )
    return await _create(checked, staff=staff, desk=desk, clock=clock, keep=keep)


async def copy(
    campaign_id: UUID, *, staff: StaffSession, desk: Desk, clock: Clock, keep: Keep
) -> CampaignEvent:
    """Create a draft that says what another campaign says, whatever became of that one."""
    known = await show(campaign_id, staff=staff, desk=desk)
    definition = aggregate.copied(known.definition)
    return await _create(definition, staff=staff, desk=desk, clock=clock, keep=keep)


async def edit(
    campaign_id: UUID,
    change: Callable[[CampaignDefinition], CampaignDefinition],
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
) -> CampaignEvent:
    """Change a campaign that may be changed; once it is scheduled it must remain complete."""
    before = await show(campaign_id, staff=staff, desk=desk)
    expect(before, expected)
    # Refused here already, so that nobody mends fields in vain.
    accepted(aggregate.edit(before, before.definition, at=clock(), by=staff.user))
    definition = await check(
        change(before.definition),
        before.definition,
        staff=staff,
        desk=desk,
        imis=imis,
        seal=seal,
        clock=clock,
    )
    must_stay = before.status in _MUST_STAY_COMPLETE
    if must_stay and _writes_elsewhere(definition, before.definition):
        found = await check_types(
            definition, staff=staff, desk=desk, imis=imis, seal=seal, clock=clock
        )
        refuse(found, "A scheduled campaign must stay complete.")
    async with desk.work() as work:
        known = await held(work, staff.organization_id, campaign_id)
        if known.event.sequence != before.sequence:
            expect(known.event, expected)
            raise InConflict(SAME_MOMENT)
        at = clock()
        if must_stay:
            settings = await settings_of(staff.organization_id, reading=work)
            prompts = await prompts_of(definition, staff.organization_id, reading=work)
            missing = lacking(definition, settings, prompts=prompts, at=at)
            refuse(missing, "A scheduled campaign must stay complete.")
        edited = accepted(aggregate.edit(known.event, definition, at=at, by=staff.user))
        if edited is None:
            return known.event
        await save(work, sealed(edited, because=known.id))
    return edited


async def delete(
    campaign_id: UUID,
    runs: FatesOfRuns | None,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
) -> CampaignEvent:
    """Drop a campaign; of a recurring one, say what becomes of a run under way."""

    def drop(known: CampaignEvent, at: datetime) -> CampaignEvent | Refused:
        return aggregate.delete(known, at=at, by=staff.user, runs=runs)

    return await change(
        campaign_id, drop, expected=expected, staff=staff, desk=desk, clock=clock, keep=_nothing
    )


async def change(
    campaign_id: UUID,
    step: Callable[[CampaignEvent, datetime], CampaignEvent | Refused],
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Keep,
) -> CampaignEvent:
    """Take one step of a campaign's life, or say why its state doesn't allow it."""
    async with desk.work() as work:
        known = await held(work, staff.organization_id, campaign_id)
        expect(known.event, expected)
        # Read once the campaign is held: waiting for it must not make a late step look timely.
        changed = accepted(step(known.event, clock()))
        await save(work, sealed(changed, because=known.id))
        await keep(work, changed)
    return changed


async def show(campaign_id: UUID, *, staff: StaffSession, desk: Desk) -> CampaignEvent:
    """Return a campaign's state."""
    async with desk.read() as reading:
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
    return there(known).event


async def history(
    campaign_id: UUID, *, after: int, limit: int, staff: StaffSession, desk: Desk
) -> list[CampaignEvent]:
    """Return some of a campaign's events after a sequence, the oldest first."""
    async with desk.read() as reading:
        there(await reading.campaigns.get(staff.organization_id, campaign_id))
        return await reading.campaigns.history(
            staff.organization_id, campaign_id, after=after, limit=limit
        )


async def _create(
    definition: CampaignDefinition, *, staff: StaffSession, desk: Desk, clock: Clock, keep: Keep
) -> CampaignEvent:
    drafted = aggregate.draft(
        event_id(), definition, organization_id=staff.organization_id, at=clock(), by=staff.user
    )
    async with desk.work() as work:
        await save(work, sealed(drafted))
        await keep(work, drafted)
    return drafted


def _writes_elsewhere(after: CampaignDefinition, before: CampaignDefinition) -> bool:
    changed = (after.write_to, after.mode) != (before.write_to, before.mode)
    return changed and after.write_to is not WriteTo.NOTHING


async def _nothing(_work: object, _answer: object) -> None:
    """Keep no answer: the same request finds the same state."""
