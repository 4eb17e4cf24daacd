"""Events as the projections see them, beside those that the status service sees."""

from datetime import datetime
from uuid import UUID

from tests.status.facts import CAMPAIGN, FROM, ORGANIZATION, RUN, at, message, sid

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
from contracts.events.message import MessageStatus, MessageStatusChanged
from contracts.events.run import RunCompleted, RunFailed, RunStarted

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
