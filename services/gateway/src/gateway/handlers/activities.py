"""What was written to iMIS, and what is to be tried again (TM-8)."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.events.activity import ActivityRetryRequested
from gateway.domain.records import StaffSession
from gateway.domain.refusals import InConflict, NotThere
from gateway.domain.views import Run
from gateway.ports import Clock, Desk, ReadModels, Work
from readmodels.views import ActivityState


async def retry(
    run: Run,
    message_id: UUID | None,
    *,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    keep: Callable[[Work], Awaitable[None]],
) -> None:
    """Let what iMIS refused be tried again: one text's, or a run's; a text is never sent by it."""
    if message_id is None:
        refused = await models.activities(
            staff.organization_id,
            run.run_id,
            state=ActivityState.REFUSED,
            after_row=None,
            limit=1,
        )
        if not refused:
            raise InConflict("iMIS refused nothing of this run: there is nothing to try again.")
    else:
        message = await models.message(staff.organization_id, message_id)
        if message is None or message.run_id != run.run_id:
            raise NotThere("There is no such message in this run.")
    async with desk.work() as work:
        work.outbox.publish(
            ActivityRetryRequested(
                organization_id=staff.organization_id,
                occurred_at=clock(),
                sequence=await work.commands.next_of_run(staff.organization_id, run.run_id),
                run_id=run.run_id,
                message_id=message_id,
                by=staff.user,
            )
        )
        await keep(work)
