"""What the projections of one organisation told, for the tests of what the gateway reads."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.gateway.fakes import NOON

from contracts.events.consent import ConsentCause, ReviewStatus
from gateway.domain.views import Message, Run
from readmodels.views import (
    ActivityState,
    ActivityView,
    ChargeBucket,
    ChargeOutcome,
    ErrorCount,
    HeldActivities,
    HourCount,
    OptOutView,
    ReviewView,
    RowStatus,
    RunKind,
    SkippedView,
    UsageView,
)

MINE, THEIRS = uuid4(), uuid4()
RUN = Run(
    run_id=uuid4(),
    campaign_id=uuid4(),
    state="sending",
    name="Renewal",
    due_at=NOON,
    rows=3,
    messages=2,
    rejected=1,
    segments=3,
    by_status={"sent": 1, "failed": 1, "error": 1},
    by_reason={"invalid_number": 1},
)
USED = UsageView(
    texts_today=2,
    segments_today=5,
    texts_this_month=3,
    segments_this_month=6,
    texts_lifetime=7,
    failed_lifetime=1,
)
DAY: dict[str, datetime] = {
    "day_start": NOON.replace(hour=0),
    "day_end": NOON.replace(hour=0) + timedelta(days=1),
    "month_start": NOON.replace(day=1, hour=0),
    "at": NOON,
}
ERRORS = [
    ErrorCount(status=RowStatus.FAILED, error_code=21610, reason=None, messages=1, segments=2),
    ErrorCount(
        status=RowStatus.ERROR, error_code=None, reason="invalid_number", messages=1, segments=0
    ),
]
HOURS = [HourCount(hour=NOON, status=RowStatus.SENT, messages=1, segments=1)]
OPT_OUTS = [
    OptOutView(
        consent_id=UUID(int=number),
        number=f"+1415555267{number}",
        from_number="" if number == 2 else "+18885550123",
        cause=ConsentCause.KEYWORD,
        word="STOP",
        by="SM1",
        changed_at=NOON,
    )
    for number in range(3)
]
REVIEWS_OF_MINE = [
    ReviewView(
        review_id=UUID(int=number),
        number="+14155552671",
        from_number="+18885550123",
        text="stop please",
        received_at=NOON - timedelta(hours=number),
        status=status,
        by="",
    )
    for number, status in enumerate((ReviewStatus.OPEN, ReviewStatus.DISMISSED, ReviewStatus.OPEN))
]
HELD = HeldActivities(settings_sequence=4, reason="The password expired.", since=NOON)
SKIPPED_ONCE = [SkippedView(first=NOON - timedelta(days=2), last=NOON, occurrences=3, at=NOON)]


def a_message(row: int, **changes: Any) -> Message:
    whole: dict[str, Any] = {
        "message_id": uuid4(),
        "run_id": RUN.run_id,
        "campaign_id": RUN.campaign_id,
        "imis_id": str(row),
        "row": row,
        "to": "+12025550143",
        "text": "Hello",
        "segments": 1,
        "status": "sent",
        "changed_at": NOON,
    }
    return Message(**whole | changes)


MESSAGES_OF_RUN = [
    a_message(1, sid="SM1", attempted_at=NOON, activity="9", activity_state="written"),
    a_message(2, status="failed", error_code=21610, segments=2),
    a_message(3, status="error", reason="invalid_number", to="12", text="", segments=0),
]


ACTIVITY = ActivityView(
    message_id=MESSAGES_OF_RUN[0].message_id,
    row=1,
    imis_id="1",
    kind="TEXTMSG",
    state=ActivityState.WRITTEN,
    seqn="9",
    reason=None,
    at=NOON,
)
CHARGED = [
    ChargeBucket(
        start=NOON - timedelta(days=ago),
        campaign_id=RUN.campaign_id,
        purpose=RunKind.CAMPAIGN,
        outcome=ChargeOutcome(outcome),
        messages=texts,
        segments=segments,
    )
    for ago, outcome, texts, segments in (
        (40, "charged", 4, 4),
        (40, "failed", 1, 1),
        (1, "charged", 1, 1),
        (0, "charged", 2, 5),
    )
]
