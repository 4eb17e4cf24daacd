"""One text at once, before any campaign's: urgent ones, and the author's own (X-8, X-13)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from contracts.events.audience import Sample
from contracts.events.campaign import WriteTo
from contracts.events.message import MessageRequested
from contracts.ids import message_id, recipient_id, single_run_id, single_texts_id
from gateway.domain.records import StaffSession
from gateway.domain.refusals import ImisFailed, InConflict
from gateway.domain.singles import Checked, Single, checked
from gateway.handlers import previews
from gateway.handlers.organizations import settings_of
from gateway.ports import Bell, Clock, Desk, ReadModels, Work

URGENT = "urgent"
FIRST_LOOK = "first-look"
ONLY_ROW = 1

KeepRequested = Callable[[Work, MessageRequested], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """A member's text on its way to its author."""

    requested: MessageRequested
    sample: Sample


async def send(
    single: Single,
    *,
    key: str,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    keep: KeepRequested,
) -> MessageRequested:
    """Send one text to one person, once for each key; it overtakes every campaign."""
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
    ready = checked(single, settings)
    await _refuse_opted_out(ready, staff=staff, models=models)
    async with desk.work() as work:
        requested = _requested(
            URGENT,
            key,
            ready,
            imis_id=single.imis_id,
            log_subject=single.log_subject,
            staff=staff,
            clock=clock,
        )
        work.outbox.publish(requested)
        await keep(work, requested)
    return requested


async def send_me_first(
    campaign_id: UUID,
    to: str,
    row: int | None,
    *,
    key: str,
    seconds: float,
    poll_seconds: float,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    bell: Bell,
    clock: Clock,
    keep: Callable[[Work, FirstLook], Awaitable[None]],
) -> FirstLook:
    """Text a real row's text to the author; it is really sent, and counted, also of a TEST."""
    counted = await previews.counted(
        campaign_id,
        seconds=seconds,
        poll_seconds=poll_seconds,
        staff=staff,
        desk=desk,
        clock=clock,
        bell=bell,
    )
    if counted is None:
        raise ImisFailed("The audience is still being read. Try again in a moment.", again=True)
    if counted.failure is not None:
        raise InConflict(counted.failure)
    sample = _chosen(counted.samples, row)
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
        known = await reading.campaigns.get(staff.organization_id, campaign_id)
    from_number = None if known is None else known.event.definition.from_number
    ready = checked(
        Single(to=to, text=sample.text, from_number=from_number, write_to=WriteTo.NOTHING),
        settings,
    )
    await _refuse_opted_out(ready, staff=staff, models=models)
    async with desk.work() as work:
        requested = _requested(FIRST_LOOK, key, ready, staff=staff, clock=clock)
        look = FirstLook(requested, sample)
        work.outbox.publish(requested)
        await keep(work, look)
    return look


def _chosen(samples: tuple[Sample, ...], row: int | None) -> Sample:
    if not samples:
        raise InConflict("Nobody of the audience would get a text, so there is none to show.")
    if row is None:
        return samples[0]
    found = next((each for each in samples if each.row == row), None)
    if found is None:
        rows = ", ".join(str(each.row) for each in samples)
        raise InConflict(f"That row is not among the samples. They are the rows {rows}.")
    return found


async def _refuse_opted_out(ready: Checked, *, staff: StaffSession, models: ReadModels) -> None:
    """Say at once what the sender would find out; it looks again in any case."""
    known = await models.opt_out(staff.organization_id, ready.to, ready.from_number)
    if known is not None:
        raise InConflict("The number has opted out of texts from this number. Nothing was sent.")


def _requested(
    purpose: str,
    key: str,
    ready: Checked,
    *,
    staff: StaffSession,
    clock: Clock,
    imis_id: str = "",
    log_subject: str = "",
) -> MessageRequested:
    run = single_run_id(staff.organization_id, purpose, key)
    recipient = recipient_id(run, ONLY_ROW)
    return MessageRequested(
        organization_id=staff.organization_id,
        occurred_at=clock(),
        sequence=1,
        run_id=run,
        campaign_id=single_texts_id(staff.organization_id, purpose),
        message_id=message_id(recipient),
        recipient_id=recipient,
        to=ready.to,
        from_number=ready.from_number,
        text=ready.text,
        segments=ready.segments,
        imis_id=imis_id,
        write_to=ready.write_to,
        log_subject=log_subject,
        by=staff.user,
    )
