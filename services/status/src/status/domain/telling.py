"""What a message's change tells the world, and what it adds to its run."""

from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.message import MessageStatusChanged
from status.domain.folding import Fact
from status.domain.message import Message, Standing, standing, view
from status.domain.provider import OPTED_OUT
from status.domain.run import Tally


def status_changed(
    message_id: UUID, message: Message, because: Envelope[Fact]
) -> MessageStatusChanged:
    """Return the event that tells a message's view."""
    told, queued = view(message), message.queued
    assert told is not None and queued is not None, "a view is told once the message is known"
    # Who keeps the opt-outs must learn whose it is; any other status is told without the numbers.
    opted_out = told.error_code == OPTED_OUT
    return MessageStatusChanged(
        organization_id=queued.organization_id,
        occurred_at=because.event.occurred_at,
        sequence=message.sequence,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=message_id,
        status=told.status,
        error_code=told.error_code,
        sid=told.sid,
        segments=told.segments,
        mode=queued.mode,
        attempted_at=told.attempted_at,
        to=queued.to if opted_out else None,
        from_number=queued.from_number if opted_out else "",
    )


def counted(before: Message, after: Message, fact: Envelope[Fact]) -> tuple[UUID, Tally] | None:
    """Say what a message's change adds to its run, and to which; None for nothing."""
    was, is_now = standing(before), standing(after)
    known = after.queued or after.left_out
    if was is is_now or known is None:
        return None
    return known.run_id, Tally(
        known.organization_id,
        known.campaign_id,
        fact.event.occurred_at,
        fact.id,
        heard=int(was is Standing.UNHEARD),
        excluded=(is_now is Standing.EXCLUDED) - (was is Standing.EXCLUDED),
        settled=(is_now is Standing.SETTLED) - (was is Standing.SETTLED),
    )
