"""Events as the projections see them, beside those that the status service sees."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from tests.status.facts import CAMPAIGN, FROM, ORGANIZATION, RUN, at, message, queued, sid

from contracts import ids
from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDue,
    CampaignScheduled,
    CampaignStatus,
    Mode,
    WriteTo,
)
from contracts.events.message import MessageQueued, MessageStatus, MessageStatusChanged
from contracts.events.run import RunAlarmRaised, RunCompleted, RunFailed, RunResent, RunStarted

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
    return ActivityRefused(
        organization_id=ORGANIZATION,
        occurred_at=at(4),
        sequence=sequence,
        effect_id=ids.effect_id(message(row), "TEXTMSG"),
        run_id=RUN,
        campaign_id=CAMPAIGN,
        message_id=message(row),
        kind="TEXTMSG",
        imis_id=str(100 + row),
        reason="no such activity type",
    )


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
    told: Literal["does_not_add_up", "stalled"] = "does_not_add_up",
    *,
    sequence: int = 3,
    run: UUID = RUN,
) -> RunAlarmRaised:
    return RunAlarmRaised(
        organization_id=ORGANIZATION,
        occurred_at=at(10),
        sequence=sequence,
        run_id=run,
        campaign_id=CAMPAIGN,
        alarm=told,
        detail="6 rows, 5 accounted for",
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
