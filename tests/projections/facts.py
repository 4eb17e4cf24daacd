"""Events as the projections see them, beside those that the status service sees."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.status.facts import CAMPAIGN, FROM, ORGANIZATION, RUN, at, message, queued, sid

from contracts import ids
from contracts.events.activity import (
    ActivitiesHeld,
    ActivityDeleted,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDue,
    CampaignScheduled,
    CampaignStatus,
    Mode,
    OccurrencesSkipped,
    WriteTo,
)
from contracts.events.consent import (
    Consent,
    ConsentCause,
    ConsentChanged,
    ReviewChanged,
    ReviewStatus,
)
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageStatus,
    MessageStatusChanged,
    ReplyPurpose,
    ReplyRequested,
)
from contracts.events.run import (
    HeldBy,
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunFailed,
    RunHeld,
    RunResent,
    RunStarted,
)

AUDIENCE = Audience(iqa_path="$/q", phone_column="Phone", id_column="Id")


def campaign(
    status: CampaignStatus = CampaignStatus.SCHEDULED,
    *,
    sequence: int = 2,
    campaign_id: UUID = CAMPAIGN,
    organization: UUID = ORGANIZATION,
) -> CampaignScheduled:
    return CampaignScheduled(
        organization_id=organization,
        occurred_at=at(0),
        sequence=sequence,
        campaign_id=campaign_id,
        status=status,
        definition=CampaignDefinition(name="Dues"),
    )


def due(*, run: UUID = RUN, organization: UUID = ORGANIZATION) -> CampaignDue:
    return CampaignDue(
        organization_id=organization,
        occurred_at=at(0),
        sequence=1,
        run_id=run,
        campaign_id=CAMPAIGN,
        occurrence="launch:1",
        due_at=at(0),
        name="Dues",
        audience=AUDIENCE,
        template="Hello",
        mode=Mode.LIVE,
        write_to=WriteTo.ACTIVITY,
        from_number=FROM,
        one_text_per_phone=False,
        default_country="US",
    )


def status(
    row: int,
    sequence: int,
    told: MessageStatus,
    *,
    code: int | None = None,
    segments: int = 1,
    mode: Mode = Mode.LIVE,
    attempted_at: datetime | None = None,
    run: UUID = RUN,
) -> MessageStatusChanged:
    return MessageStatusChanged(
        organization_id=ORGANIZATION,
        occurred_at=at(sequence),
        sequence=sequence,
        run_id=run,
        campaign_id=CAMPAIGN,
        message_id=message(row, run),
        status=told,
        error_code=code,
        sid=sid(row),
        segments=segments,
        mode=mode,
        attempted_at=attempted_at or at(1),
    )


def written(row: int, *, kind: str = "TEXTMSG", sequence: int = 2) -> ActivityWritten:
    return ActivityWritten(
        organization_id=ORGANIZATION,
        occurred_at=at(4),
        sequence=sequence,
        effect_id=ids.effect_id(message(row), kind),
        run_id=RUN,
        campaign_id=CAMPAIGN,
        message_id=message(row),
        kind=kind,
        imis_id=str(100 + row),
        seqn=str(900 + row),
        transaction_date=at(1),
    )


def refused(row: int, *, sequence: int = 1) -> ActivityRefused:
    effect = written(row, sequence=sequence).model_dump(exclude={"type"})
    return ActivityRefused(**effect, reason="no such activity type")


def activity_unknown(row: int, *, kind: str = "LOG", sequence: int = 1) -> ActivityUnknown:
    effect = written(row, kind=kind, sequence=sequence).model_dump(exclude={"type"})
    return ActivityUnknown(**effect, reason="no answer")


def deleted(row: int, *, kind: str = "TEXTUNSUB", sequence: int = 3) -> ActivityDeleted:
    effect = written(row, kind=kind, sequence=sequence).model_dump(exclude={"type"})
    return ActivityDeleted(**effect)


def started(*, run: UUID = RUN) -> RunStarted:
    return RunStarted(
        organization_id=ORGANIZATION,
        occurred_at=at(1),
        sequence=1,
        run_id=run,
        campaign_id=CAMPAIGN,
    )


def completed(*, run: UUID = RUN, rows: int = 6) -> RunCompleted:
    return RunCompleted(
        organization_id=ORGANIZATION,
        occurred_at=at(9),
        sequence=2,
        run_id=run,
        campaign_id=CAMPAIGN,
        rows=rows,
        messages=3,
        rejected=2,
        excluded=1,
    )


def failed(*, run: UUID = RUN) -> RunFailed:
    return RunFailed(
        organization_id=ORGANIZATION,
        occurred_at=at(2),
        sequence=2,
        run_id=run,
        campaign_id=CAMPAIGN,
        reason="The IQA has moved.",
    )


def alarm(
    told: RunAlarm = RunAlarm.DOES_NOT_ADD_UP,
    *,
    sequence: int = 3,
    run: UUID = RUN,
    code: int | None = None,
    advice: str = "",
) -> RunAlarmRaised:
    return RunAlarmRaised(
        organization_id=ORGANIZATION,
        occurred_at=at(10),
        sequence=sequence,
        run_id=run,
        campaign_id=CAMPAIGN,
        alarm=told,
        detail="6 rows, 5 accounted for",
        error_code=code,
        advice=advice,
    )


LATER_RUN = ids.resend_run_id(RUN, 1)


def resent(*, run: UUID = LATER_RUN, earlier: UUID = RUN, recipients: int = 1) -> RunResent:
    return RunResent(
        organization_id=ORGANIZATION,
        occurred_at=at(20),
        sequence=1,
        run_id=run,
        earlier_run_id=earlier,
        campaign_id=CAMPAIGN,
        mode=Mode.LIVE,
        write_to=WriteTo.ACTIVITY,
        from_number=FROM,
        recipients=recipients,
        segments=recipients,
        by="staff",
    )


def queued_again(row: int, *, run: UUID = LATER_RUN) -> MessageQueued:
    """A message of a later run that stands in for the same row's of the first one."""
    return queued(row, run=run).model_copy(update={"supersedes": message(row)})


def awaited(*, run: UUID = RUN, sequence: int = 1) -> AudienceAwaited:
    return AudienceAwaited(
        organization_id=ORGANIZATION,
        occurred_at=at(sequence),
        sequence=sequence,
        run_id=run,
        campaign_id=CAMPAIGN,
        settings_sequence=7,
        reason="iMIS doesn't take the account: save its password anew.",
    )


def run_held(
    held_by: HeldBy = HeldBy.DAY_LIMIT,
    *,
    sequence: int = 1,
    run: UUID = RUN,
    left_out: bool = False,
    messages: int = 5,
) -> RunHeld:
    return RunHeld(
        organization_id=ORGANIZATION,
        occurred_at=at(sequence),
        sequence=sequence,
        run_id=run,
        campaign_id=CAMPAIGN,
        held_by=held_by,
        messages=messages,
        segments=2 * messages,
        left_out=left_out,
        until=None if left_out else at(86_400),
    )


def held(row: int, *, sequence: int = 2, until: datetime | None = None) -> MessageHeld:
    return MessageHeld(
        organization_id=ORGANIZATION,
        occurred_at=at(2),
        sequence=sequence,
        run_id=RUN,
        campaign_id=CAMPAIGN,
        message_id=message(row),
        until=until or at(40_000),
        place="US-FL America/New_York",
    )


def skipped(*, first: datetime | None = None, sequence: int = 1) -> OccurrencesSkipped:
    return OccurrencesSkipped(
        organization_id=ORGANIZATION,
        occurred_at=at(0),
        sequence=sequence,
        campaign_id=CAMPAIGN,
        first=first or at(-7200),
        last=at(-3600),
        occurrences=2,
    )


def single_run(purpose: str, key: str = "1") -> UUID:
    return ids.single_run_id(ORGANIZATION, purpose, key)


def _single(purpose: str, key: str, changes: dict[str, Any]) -> dict[str, Any]:
    run: UUID = changes.pop("run", single_run(purpose, key))
    recipient = ids.recipient_id(run, 1)
    return {
        "organization_id": ORGANIZATION,
        "occurred_at": at(0),
        "sequence": 1,
        "run_id": run,
        "campaign_id": ids.single_texts_id(ORGANIZATION, purpose),
        "message_id": ids.message_id(recipient),
        "recipient_id": recipient,
        "to": "+12025550199",
        "from_number": FROM,
        "text": "Come now",
        "segments": 1,
    } | changes


def requested(purpose: str = "urgent", key: str = "1", **changes: Any) -> MessageRequested:
    """A text that belongs to no campaign."""
    return MessageRequested(**_single(purpose, key, changes))


def reply(key: str = "SM9", **changes: Any) -> ReplyRequested:
    return ReplyRequested(
        **_single("reply", key, changes), purpose=ReplyPurpose.OPTED_OUT, inbound_sid=key
    )


def consent(
    told: Consent = Consent.OPTED_OUT,
    *,
    number: str = "+12025550143",
    from_number: str = FROM,
    sequence: int = 1,
    organization: UUID = ORGANIZATION,
) -> ConsentChanged:
    return ConsentChanged(
        organization_id=organization,
        occurred_at=at(sequence),
        sequence=sequence,
        consent_id=ids.consent_id(organization, number + from_number),
        number=number,
        from_number=from_number,
        consent=told,
        cause=ConsentCause.KEYWORD,
        word="STOP",
        by="SM1",
    )


def review(
    number: int = 1,
    told: ReviewStatus = ReviewStatus.OPEN,
    *,
    sequence: int = 1,
    received_at: datetime | None = None,
) -> ReviewChanged:
    return ReviewChanged(
        organization_id=ORGANIZATION,
        occurred_at=at(sequence),
        sequence=sequence,
        review_id=ids.inbound_id(f"SM{number}"),
        number="+12025550143",
        from_number=FROM,
        text="please stop texting me",
        received_at=received_at or at(number),
        status=told,
        by="" if told is ReviewStatus.OPEN else "staff",
    )


def activities_held(*, sequence: int = 1, settings: int = 7) -> ActivitiesHeld:
    return ActivitiesHeld(
        organization_id=ORGANIZATION,
        occurred_at=at(sequence),
        sequence=sequence,
        settings_sequence=settings,
        reason="The password has expired.",
    )
