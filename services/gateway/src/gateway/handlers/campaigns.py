"""Writing, scheduling and dropping campaigns, and following their runs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.campaign import CampaignDefinition, CampaignEvent, CampaignStatus
from contracts.events.organization import SendingNumber
from contracts.events.run import RunEvent
from contracts.ids import event_id
from gateway.domain import campaign as aggregate
from gateway.domain.campaign import Refused
from gateway.domain.definition import TOO_FEW_COLUMNS, faults, lacking, must_read_columns
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Fault, InConflict, NotThere, Outdated, Unacceptable
from gateway.handlers.iqas import columns as read_columns
from gateway.handlers.organizations import settings_of
from gateway.ports import Campaigns, Clock, Desk, Imis, Keep, Outbox, Reading, Seal, Work
from imis_client import QueryDefinition

LATE = timedelta(seconds=60)
"""How far in the past a schedule still counts as "now": clocks differ, and people click slowly."""

Expected = Callable[[CampaignEvent], bool]
"""Whether a version of the campaign is the one that the caller has seen."""
Next = TypeVar("Next", bound=CampaignEvent | None)


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
    checked = await _checked(
        definition, None, staff=staff, desk=desk, imis=imis, seal=seal, clock=clock
    )
    drafted = aggregate.draft(
        event_id(), checked, organization_id=staff.organization_id, at=clock(), by=staff.user
    )
    async with desk.work() as work:
        await _save(work, sealed(drafted))
        await keep(work, drafted)
    return drafted


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
    """Change a draft, or a scheduled campaign, which must remain complete."""
    before = await show(campaign_id, staff=staff, desk=desk)
    _expect(before, expected)
    # Refused here already, so that nobody mends fields in vain.
    accepted(aggregate.edit(before, before.definition, at=clock(), by=staff.user))
    definition = await _checked(
        change(before.definition),
        before.definition,
        staff=staff,
        desk=desk,
        imis=imis,
        seal=seal,
        clock=clock,
    )
    async with desk.work() as work:
        known = await _held(work, staff.organization_id, campaign_id)
        if known.event.sequence != before.sequence:
            _expect(known.event, expected)
            raise InConflict("Somebody changed the campaign at the same moment. Look, and repeat.")
        numbers = await _numbers(work, staff.organization_id)
        if known.event.status is CampaignStatus.SCHEDULED:
            prompts = await _prompts(work, definition, staff.organization_id)
            missing = lacking(definition, numbers, prompts=prompts)
            _refuse(missing, "A scheduled campaign must stay complete.")
        edited = accepted(aggregate.edit(known.event, definition, at=clock(), by=staff.user))
        if edited is None:
            return known.event
        await _save(work, sealed(edited, because=known.id))
    return edited


async def schedule(
    campaign_id: UUID,
    due_at: datetime | None,
    *,
    expected: Expected,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Keep,
) -> CampaignEvent:
    """Let a complete campaign run now, or once in the future."""
    async with desk.work() as work:
        known = await _held(work, staff.organization_id, campaign_id)
        # Read once the campaign is held: waiting for it must not make a late change look timely.
        at = clock()
        due = max(_not_past(due_at or at, at), at)
        _expect(known.event, expected)
        scheduled = accepted(aggregate.schedule(known.event, due, at=at, by=staff.user))
        definition = known.event.definition
        numbers = await _numbers(work, staff.organization_id)
        prompts = await _prompts(work, definition, staff.organization_id)
        missing = [
            *lacking(definition, numbers, prompts=prompts),
            *faults(definition, numbers),
        ]
        _refuse(_once_each(missing), "The campaign is not complete.")
        await _save(work, sealed(scheduled, because=known.id))
        await keep(work, scheduled)
    return scheduled


async def delete(
    campaign_id: UUID, *, expected: Expected, staff: StaffSession, desk: Desk, clock: Clock
) -> None:
    """Drop a campaign that has not begun to run."""
    async with desk.work() as work:
        known = await _held(work, staff.organization_id, campaign_id)
        _expect(known.event, expected)
        deleted = accepted(aggregate.delete(known.event, at=clock(), by=staff.user))
        await _save(work, sealed(deleted, because=known.id))


async def show(campaign_id: UUID, *, staff: StaffSession, desk: Desk) -> CampaignEvent:
    """Return a campaign's state."""
    async with desk.read() as reading:
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
    return _there(known).event


async def follow_runs(
    events: Sequence[Envelope[RunEvent]],
    step: Callable[..., CampaignEvent | None],
    *,
    campaigns: Campaigns,
    outbox: Outbox,
    clock: Clock,
) -> None:
    """Take each run's start or end over into its campaign; a repeat changes nothing."""
    states = await campaigns.held([each.event.campaign_id for each in events])
    followed: list[Envelope[CampaignEvent]] = []
    for each in events:
        run = each.event
        known = states.get(run.campaign_id)
        if known is None or known.event.organization_id != run.organization_id:
            continue
        changed = step(known.event, run.run_id, at=clock(), by=run.source)
        if changed is not None:
            states[run.campaign_id] = envelope = sealed(changed, because=each.id)
            followed.append(envelope)
    await campaigns.save(followed)
    for envelope in followed:
        outbox.publish_sealed(envelope)


def accepted(outcome: Next | Refused) -> Next:
    """Return the next event; a refusal of the aggregate is a conflict to who asked."""
    if isinstance(outcome, Refused):
        raise InConflict(outcome.reason)
    return outcome


async def _checked(
    definition: CampaignDefinition,
    before: CampaignDefinition | None,
    *,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
) -> CampaignDefinition:
    """Return the definition with its query's columns; raise when something in it is wrong."""
    columns = before.columns if before is not None and definition.audience is not None else ()
    problems: list[Fault] = []
    if must_read_columns(definition, before) and definition.audience is not None:
        try:
            query = await read_columns(
                staff, definition.audience.iqa_path, desk=desk, imis=imis, seal=seal, clock=clock
            )
        except NotThere as error:
            columns = ()
            problems.append(Fault("audience.iqa_path", error.detail))
        else:
            columns = tuple(each.name for each in query.columns if each.has_alias)
            problems += _query_faults(query, definition)
            asked = [each.name for each in query.prompts if not each.default]
            async with desk.work() as work:
                path = definition.audience.iqa_path
                await work.queries.keep(staff.organization_id, path, asked)
    definition = definition.model_copy(update={"columns": columns})
    async with desk.read() as reading:
        numbers = await _numbers(reading, staff.organization_id)
    _refuse([*problems, *faults(definition, numbers)], "The campaign can't be saved as it is.")
    return definition


def _query_faults(query: QueryDefinition, definition: CampaignDefinition) -> list[Fault]:
    if sum(each.has_alias for each in query.columns) < TOO_FEW_COLUMNS:
        return [Fault("audience.iqa_path", each) for each in query.problems]
    given = () if definition.audience is None else definition.audience.prompts
    if given and len(given) != len(query.prompts):
        asked = ", ".join(each.name for each in query.prompts) or "nothing"
        return [Fault("audience.prompts", f"The query asks for {asked}.")]
    return []


def _not_past(due_at: datetime, at: datetime) -> datetime:
    if due_at < at - LATE:
        raise Unacceptable([Fault("at", "The time is in the past.")])
    return due_at


async def _numbers(reading: Reading, organization_id: UUID) -> Sequence[SendingNumber]:
    return (await settings_of(organization_id, reading=reading)).numbers


async def _prompts(
    reading: Reading, definition: CampaignDefinition, organization_id: UUID
) -> Sequence[str]:
    if definition.audience is None:
        return ()
    return await reading.queries.prompts(organization_id, definition.audience.iqa_path)


async def _held(work: Work, organization_id: UUID, campaign_id: UUID) -> Envelope[CampaignEvent]:
    return _there(await work.campaigns.get(organization_id, campaign_id, hold=True))


def _there(known: Envelope[CampaignEvent] | None) -> Envelope[CampaignEvent]:
    if known is None or known.event.status is CampaignStatus.DELETED:
        raise NotThere("There is no such campaign.")
    return known


def _expect(known: CampaignEvent, expected: Expected) -> None:
    if not expected(known):
        raise Outdated("The campaign has changed since you read it.")


def _refuse(found: Sequence[Fault], detail: str) -> None:
    if found:
        raise Unacceptable(found, detail)


def _once_each(found: Sequence[Fault]) -> list[Fault]:
    return list({each.field: each for each in reversed(found)}.values())[::-1]


async def _save(work: Work, envelope: Envelope[CampaignEvent]) -> None:
    await work.campaigns.save([envelope])
    work.outbox.publish_sealed(envelope)
