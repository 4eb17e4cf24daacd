"""What operators decide: what became of messages of which nobody can tell (X-10)."""

from dataclasses import dataclass
from uuid import UUID

from contracts.events.message import MessageResolutionDecided, Resolution
from gateway.domain.records import Decision
from gateway.domain.refusals import InConflict, NotThere
from gateway.ports import Clock, Desk, ReadModels


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an operator found out, who they are, and how they know."""

    resolution: Resolution
    sid: str | None
    by: str
    reason: str


async def resolve(
    message_id: UUID, verdict: Verdict, *, desk: Desk, models: ReadModels, clock: Clock
) -> UUID:
    """Say what became of an unknown message; returns its run.

    Each doubt is decided once, however often the decision comes: what becomes of the message
    afterwards may be another doubt, and a late repeat must not decide that one.
    """
    organization_id = await models.whose(message_id)
    if organization_id is None:
        raise NotThere("There is no such message.")
    unknown = await models.unknown_message(organization_id, message_id)
    if unknown is None:
        raise InConflict("It is known what became of the message: there is nothing to decide.")
    async with desk.work() as work:
        before = await work.commands.decision(organization_id, message_id)
        if before is not None and before.about >= unknown.number:
            if (before.resolution, before.sid) == (verdict.resolution, verdict.sid):
                return unknown.run_id
            raise InConflict(f"It was decided already: {before.resolution}.")
        decision = Decision(
            sequence=1 if before is None else before.sequence + 1,
            about=unknown.number,
            resolution=verdict.resolution,
            sid=verdict.sid,
        )
        if not await work.commands.decide(organization_id, message_id, decision):
            raise InConflict("Somebody else decides it at this moment. Look again.")
        work.outbox.publish(
            MessageResolutionDecided(
                organization_id=organization_id,
                occurred_at=clock(),
                sequence=decision.sequence,
                run_id=unknown.run_id,
                campaign_id=unknown.campaign_id,
                message_id=message_id,
                resolution=verdict.resolution,
                sid=verdict.sid,
                by=verdict.by,
                reason=verdict.reason,
            )
        )
    return unknown.run_id
