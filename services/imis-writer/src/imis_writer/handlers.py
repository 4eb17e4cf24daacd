"""What the imis-writer does with an event."""

from collections.abc import Sequence

from contracts.envelope import Envelope
from contracts.events.message import MessageQueued, MessageStatus, MessageStatusChanged
from imis_writer.domain.effects import succeeds
from imis_writer.ports import Intake


async def know_messages(messages: Sequence[Envelope[MessageQueued]], *, intake: Intake) -> None:
    """Know what is to be written about each text."""
    await intake.queued(messages)


async def follow_statuses(
    statuses: Sequence[Envelope[MessageStatusChanged]], *, success: MessageStatus, intake: Intake
) -> None:
    """Make ready the activities of texts that succeeded; other statuses change nothing."""
    await intake.succeeded([each for each in statuses if _succeeds(each.event, success)])


def _succeeds(changed: MessageStatusChanged, success: MessageStatus) -> bool:
    accepted = changed.sid is not None
    return succeeds(changed.status, changed.mode, accepted=accepted, success=success)
