"""Facts about messages and runs, as the other services tell them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts import ids
from contracts.events.audience import (
    AudienceFailed,
    Reason,
    Recipient,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignPaused,
    CampaignStatus,
    Mode,
    WriteTo,
)
from contracts.events.message import (
    Accepted,
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageSubmitted,
    Outcome,
    RecipientExcluded,
    ReplyPurpose,
    ReplyRequested,
)
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled
from contracts.events.run import RunResent
from status.domain.looking import Patience

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORGANIZATION = ids.organization_id("demo")
STRANGER = ids.organization_id("stranger")
CAMPAIGN = UUID(int=7)
RUN = ids.run_id(CAMPAIGN, "launch:1")
FROM = "+18885550100"
PATIENCE = Patience(timedelta(minutes=5), timedelta(hours=6), timedelta(hours=72))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def recipient(row: int, run: UUID = RUN) -> UUID:
    return ids.recipient_id(run, row)


def message(row: int, run: UUID = RUN) -> UUID:
    return ids.message_id(recipient(row, run))


def number(row: int) -> str:
    return f"+1202555{row:04d}"


def sid(row: int) -> str:
    return f"SM{row:032x}"


def _about(run: UUID, seconds: float, sequence: int) -> dict[str, Any]:
    return {
        "organization_id": ORGANIZATION,
        "occurred_at": at(seconds),
        "sequence": sequence,
        "run_id": run,
        "campaign_id": CAMPAIGN,
    }


def queued(row: int, *, run: UUID = RUN, mode: Mode = Mode.LIVE) -> MessageQueued:
    return MessageQueued(
        **_about(run, 1, 1),
        message_id=message(row, run),
        recipient_id=recipient(row, run),
        row=row,
        imis_id=str(100 + row),
        to=number(row),
        from_number=FROM,
        text="Hello",
        segments=1,
        mode=mode,
        write_to=WriteTo.ACTIVITY,
    )


def held(row: int, *, run: UUID = RUN, sequence: int = 2) -> MessageHeld:
    return MessageHeld(
        **_about(run, sequence, sequence),
        message_id=message(row, run),
        until=at(8 * 3600),
        place="US-FL America/New_York",
    )


def submitted(
    row: int, outcome: Outcome | None = None, *, run: UUID = RUN, sequence: int = 2
) -> MessageSubmitted:
    return MessageSubmitted(
        **_about(run, sequence, sequence),
        message_id=message(row, run),
        outcome=Accepted(sid=sid(row)) if outcome is None else outcome,
        segments=1,
        attempted_at=at(sequence - 0.1),
    )


def callback(
    row: int,
    status: str,
    code: str = "",
    *,
    run: UUID = RUN,
    named: bool = True,
    under: str | None = None,
    organization: UUID = ORGANIZATION,
    to: str | None = None,
    from_number: str = FROM,
) -> TwilioCallbackReceived:
    return TwilioCallbackReceived(
        organization_id=organization,
        occurred_at=at(5),
        sequence=0,
        message_id=message(row, run) if named else None,
        account_sid="AC1",
        message_sid=under or sid(row),
        message_status=status,
        error_code=code,
        form={"To": number(row) if to is None else to, "From": from_number},
    )


def polled(
    row: int,
    status: str,
    code: str = "",
    *,
    run: UUID = RUN,
    under: str | None = None,
    organization: UUID = ORGANIZATION,
) -> TwilioStatusPolled:
    return TwilioStatusPolled(
        organization_id=organization,
        occurred_at=at(5),
        sequence=1,
        message_id=message(row, run),
        message_sid=under or sid(row),
        message_status=status,
        error_code=code,
    )


def page(
    rows: Sequence[int], totals: Totals | None = None, *, sequence: int = 1, run: UUID = RUN
) -> RecipientsResolved:
    return RecipientsResolved(
        **_about(run, 0, sequence),
        mode=Mode.LIVE,
        write_to=WriteTo.ACTIVITY,
        from_number=FROM,
        name="Dues",
        occurrence="launch:1",
        recipients=tuple(
            Recipient(
                recipient_id=recipient(row, run),
                message_id=message(row, run),
                row=row,
                imis_id=str(100 + row),
                to=number(row),
                text="Hello",
                segments=1,
            )
            for row in rows
        ),
        totals=totals,
    )


def totals(recipients: int, rejected: int = 0) -> Totals:
    return Totals(
        rows=recipients + rejected, recipients=recipients, rejected=rejected, segments=recipients
    )


def resent(recipients: int, *, run: UUID) -> RunResent:
    return RunResent(
        **_about(run, 0, 1),
        earlier_run_id=RUN,
        mode=Mode.LIVE,
        write_to=WriteTo.ACTIVITY,
        from_number=FROM,
        recipients=recipients,
        segments=recipients,
    )


def _single(purpose: str) -> dict[str, Any]:
    run = ids.single_run_id(ORGANIZATION, purpose, "key-1")
    about = _about(run, 0, 1) | {"campaign_id": ids.single_texts_id(ORGANIZATION, purpose)}
    return about | {
        "recipient_id": recipient(1, run),
        "message_id": message(1, run),
        "to": number(1),
        "from_number": FROM,
        "text": "Hello",
        "segments": 2,
    }


def requested() -> MessageRequested:
    return MessageRequested(**_single("urgent"))


def reply_requested() -> ReplyRequested:
    return ReplyRequested(
        **_single("reply"), purpose=ReplyPurpose.OPTED_OUT, inbound_sid=f"SM{1:032x}"
    )


def audience_failed(*, run: UUID = RUN, sequence: int = 1) -> AudienceFailed:
    return AudienceFailed(**_about(run, 0, sequence), reason="The IQA has moved.")


def rejected(
    row: int, reason: Reason = Reason.INVALID_NUMBER, *, run: UUID = RUN
) -> RecipientRejected:
    return RecipientRejected(
        **_about(run, 0, 1),
        recipient_id=recipient(row, run),
        row=row,
        imis_id=str(100 + row),
        phone="12",
        reason=reason,
    )


def excluded(
    row: int, reason: Reason = Reason.OVER_RUN_LIMIT, *, run: UUID = RUN, sequence: int = 1
) -> RecipientExcluded:
    return RecipientExcluded(
        **_about(run, 1, sequence),
        message_id=message(row, run),
        recipient_id=recipient(row, run),
        row=row,
        imis_id=str(100 + row),
        reason=reason,
    )


def lifecycle(kind: type[CampaignEvent], sequence: int, seconds: float) -> CampaignEvent:
    paused = kind is CampaignPaused
    return kind(
        type=kind.model_fields["type"].default,
        organization_id=ORGANIZATION,
        occurred_at=at(seconds),
        sequence=sequence,
        campaign_id=CAMPAIGN,
        status=CampaignStatus.PAUSED if paused else CampaignStatus.SENDING,
        definition=CampaignDefinition(name="Dues"),
    )
