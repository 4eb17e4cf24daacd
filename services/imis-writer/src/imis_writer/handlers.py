"""What the imis-writer does with an event."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.activity import ActivityRetryRequested
from contracts.events.audience import Reason
from contracts.events.campaign import Mode, WriteTo
from contracts.events.consent import ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    RecipientExcluded,
)
from contracts.events.organization import OrganizationSettings
from imis_writer.domain.effects import OPTED_OUT_AT_TWILIO, succeeds
from imis_writer.ports import Intake


async def know_messages(messages: Sequence[Envelope[MessageQueued]], *, intake: Intake) -> None:
    """Know what is to be written about each text."""
    await intake.queued(messages)


async def follow_statuses(
    statuses: Sequence[Envelope[MessageStatusChanged]], *, intake: Intake
) -> None:
    """Make ready what texts that succeeded, and those to members who opted out, need in iMIS."""
    settings = await intake.settings({each.event.organization_id for each in statuses})
    await intake.succeeded([each for each in statuses if _succeeds(each.event, settings)])
    await intake.refused([each for each in statuses if _opted_out(each.event)])


async def know_excluded(excluded: Sequence[Envelope[RecipientExcluded]], *, intake: Intake) -> None:
    """Have iMIS told of those who were left out because they have opted out (TM-21)."""
    await intake.excluded([each for each in excluded if _is_told(each.event)])


async def follow_consents(consents: Sequence[Envelope[ConsentChanged]], *, intake: Intake) -> None:
    """Have what was told of an opt-out deleted when the member subscribes again (TM-21)."""
    await intake.consents(consents)


async def try_again(
    requests: Sequence[Envelope[ActivityRetryRequested]], *, intake: Intake
) -> None:
    """Try once more what iMIS refused (TM-8)."""
    await intake.retry(requests)


def _succeeds(changed: MessageStatusChanged, settings: Mapping[UUID, OrganizationSettings]) -> bool:
    known = settings.get(changed.organization_id)
    # Until its settings arrive it counts by the default; the writer checks again before it writes.
    success = MessageStatus(known.write_when if known else MessageStatus.SENT)
    accepted = changed.sid is not None
    return succeeds(changed.status, changed.mode, accepted=accepted, success=success)


def _opted_out(changed: MessageStatusChanged) -> bool:
    return changed.error_code == OPTED_OUT_AT_TWILIO and changed.mode is Mode.LIVE


def _is_told(excluded: RecipientExcluded) -> bool:
    return (
        excluded.reason is Reason.OPTED_OUT
        and excluded.mode is Mode.LIVE
        and excluded.write_to is not WriteTo.NOTHING
        and bool(excluded.imis_id and excluded.to)
    )
