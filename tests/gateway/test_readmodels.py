"""One suite for what the gateway reads of the projections: on memory, and on their tables."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import insert
from tests.gateway.fakes import NOON
from tests.gateway.models import NOTHING_USED, FakeReadModels

from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.events.consent import ConsentCause, ReviewStatus
from gateway.adapters.readmodels import StoredReadModels
from gateway.domain.views import Message, Run
from gateway.ports import ReadModels
from readmodels.tables import (
    ACTIVITIES,
    ACTIVITIES_HELD,
    CAMPAIGNS,
    CHARGES,
    CONSENTS,
    MARKERS,
    MESSAGES,
    METADATA,
    REVIEWS,
    RUN_COUNTS,
    RUN_ERRORS,
    RUN_HOURS,
    RUNS,
    SKIPPED,
    STORE_NAME,
)
from readmodels.views import (
    ActivityState,
    ActivityView,
    ChargeBucket,
    ChargeOutcome,
    ErrorCount,
    HeldActivities,
    HourCount,
    OptOutView,
    QueuedView,
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


class Filled(Protocol):
    async def fill(self) -> ReadModels:
        """Return read models that hold the run above, as mine."""


class InMemory:
    async def fill(self) -> ReadModels:
        models = FakeReadModels()
        models.runs[MINE, RUN.run_id] = RUN
        models.found[MINE] = MESSAGES_OF_RUN
        models.usages[MINE] = USED
        models.errors[RUN.run_id] = ERRORS
        models.hours[RUN.run_id] = HOURS
        models.written[RUN.run_id] = [ACTIVITY]
        models.charged[MINE] = CHARGED
        models.names[MINE] = {RUN.campaign_id: "Renewal"}
        models.opted_out[MINE] = OPT_OUTS
        models.to_read[MINE] = REVIEWS_OF_MINE
        models.held[MINE] = HELD
        models.skips[MINE, RUN.campaign_id] = SKIPPED_ONCE
        models.markers[MINE] = 7
        return models


class Stored:
    def __init__(self, folder: Path) -> None:
        self.settings = ServiceSettings(
            kafka_url="localhost:1",
            database_url=f"sqlite:///{folder}",
            secret_key=SecretStr(Fernet.generate_key().decode()),
        )
        self.models = StoredReadModels(self.settings)

    async def fill(self) -> ReadModels:
        store = Store(self.settings, name=STORE_NAME, metadata=METADATA)
        await store.start()
        async with store.transaction() as transaction:
            for table, rows in _rows().items():
                await transaction.execute(insert(METADATA.tables[table]), rows)
        await store.stop()
        return self.models


def _rows() -> dict[str, list[dict[str, Any]]]:
    about = {"organization_id": MINE, "run_id": RUN.run_id, "campaign_id": RUN.campaign_id}
    run = {
        **about,
        "name": RUN.name,
        "mode": "LIVE",
        "due_at": NOON,
        "state": "sending",
        "state_sequence": 1,
        "rows": 3,
        "recipients": 2,
        "rejected": 1,
        "excluded": 0,
        "segments": 3,
    }
    counts = [
        {
            "run_id": RUN.run_id,
            "status": status,
            "organization_id": MINE,
            "messages": n,
            "segments": n,
        }
        for status, n in {**RUN.by_status, "preparing": 0}.items()
    ]
    messages = [
        {
            **about,
            "message_id": each.message_id,
            "recipient_id": uuid4(),
            "row": each.row,
            "imis_id": each.imis_id,
            "to": each.to,
            "text": each.text,
            "segments": each.segments,
            "status": each.status,
            "status_at": each.changed_at,
            "reason": each.reason,
            "error_code": each.error_code,
            "sid": each.sid,
            "attempted_at": each.attempted_at,
        }
        for each in MESSAGES_OF_RUN
    ]
    activities = [
        {
            "message_id": each.message_id,
            "kind": "TEXTMSG",
            "organization_id": MINE,
            "run_id": each.run_id,
            "imis_id": each.imis_id,
            "state": each.activity_state,
            "seqn": each.activity,
            "at": NOON,
            "sequence": 1,
        }
        for each in MESSAGES_OF_RUN
        if each.activity_state is not None
    ]
    charges = [
        {
            "organization_id": MINE,
            "quarter": each.start.timestamp() // 900,
            **each.model_dump(include={"campaign_id", "messages", "segments"}),
            "outcome": each.outcome.value,
        }
        for each in CHARGED
    ]
    errors = [
        {
            "run_id": RUN.run_id,
            "organization_id": MINE,
            "status": each.status.value,
            "error_code": each.error_code or 0,
            "reason": each.reason or "",
            "messages": each.messages,
            "segments": each.segments,
        }
        for each in ERRORS
    ]
    hours = [
        {
            "run_id": RUN.run_id,
            "organization_id": MINE,
            "hour": each.hour.timestamp() // 3600,
            "status": each.status.value,
            "messages": each.messages,
            "segments": each.segments,
        }
        for each in HOURS
    ]
    mine = {"organization_id": MINE, "sequence": 1}
    consents = [{**mine, **each.model_dump(), "consent": "opted_out"} for each in OPT_OUTS]
    back_in = {**consents[0], "consent_id": uuid4(), "consent": "opted_in"}
    named = {**mine, "campaign_id": RUN.campaign_id, "name": "Renewal", "kind": "one_time"}
    skipped = {**mine, "campaign_id": RUN.campaign_id, **SKIPPED_ONCE[0].model_dump()}
    return {
        RUNS.name: [run],
        RUN_COUNTS.name: counts,
        MESSAGES.name: messages,
        ACTIVITIES.name: activities,
        CHARGES.name: charges,
        RUN_ERRORS.name: errors,
        RUN_HOURS.name: hours,
        CONSENTS.name: [*consents, back_in],
        REVIEWS.name: [{**mine, **each.model_dump()} for each in REVIEWS_OF_MINE],
        ACTIVITIES_HELD.name: [{**mine, **HELD.model_dump()}],
        CAMPAIGNS.name: [named | {"status": "deleted"}],
        SKIPPED.name: [skipped],
        MARKERS.name: [{"organization_id": MINE, "changes": 7}],
    }


@pytest.fixture(params=["memory", "tables"])
async def filled(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Filled]:
    if request.param == "memory":
        yield InMemory()
        return
    stored = Stored(tmp_path)
    yield stored
    await stored.models.close()


async def test_a_run_has_its_figures(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.run(MINE, RUN.run_id) == RUN
    assert await models.runs_of(MINE, RUN.campaign_id) == [RUN]
    progress = await models.progress(MINE, RUN.run_id)
    assert progress is not None
    assert (progress.state, progress.by_status, progress.total) == ("sending", RUN.by_status, 3)


async def test_messages_come_by_row_page_and_status(filled: Filled) -> None:
    models = await filled.fill()

    async def page(
        status: RowStatus | None = None, after_row: int | None = None, limit: int = 10
    ) -> list[Message]:
        return await models.messages(
            MINE, RUN.run_id, status=status, after_row=after_row, limit=limit
        )

    assert await page() == MESSAGES_OF_RUN
    assert await page(limit=2) == MESSAGES_OF_RUN[:2]
    assert await page(after_row=2) == MESSAGES_OF_RUN[2:]
    assert await page(status=RowStatus.FAILED) == MESSAGES_OF_RUN[1:2]
    for each in MESSAGES_OF_RUN:
        assert await models.message(MINE, each.message_id) == each


async def test_usage_is_by_day_and_month(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.usage(MINE, **DAY) == USED


async def test_tm12_a_run_has_its_errors_hours_and_activities(filled: Filled) -> None:
    models = await filled.fill()
    found = await models.run_errors(MINE, RUN.run_id)
    assert sorted(found, key=lambda each: each.status) == sorted(
        ERRORS, key=lambda each: each.status
    )
    assert await models.run_hours(MINE, RUN.run_id) == HOURS

    async def activities(state: ActivityState | None, after_row: int | None) -> list[ActivityView]:
        return await models.activities(MINE, RUN.run_id, state=state, after_row=after_row, limit=10)

    assert await activities(None, None) == await activities(ActivityState.WRITTEN, 0) == [ACTIVITY]
    assert await activities(ActivityState.REFUSED, None) == await activities(None, 1) == []


async def test_tm22_charges_come_by_time_and_campaigns_by_name(filled: Filled) -> None:
    models = await filled.fill()
    assert (
        await models.charges(MINE, NOON - timedelta(days=1), NOON + timedelta(days=1))
        == (CHARGED[2:])
    )
    assert await models.charges(MINE, NOON - timedelta(days=50), NOON) == CHARGED[:3]
    wanted = [RUN.campaign_id, uuid4()]
    assert await models.campaign_names(MINE, wanted) == {RUN.campaign_id: "Renewal"}
    assert await models.campaign_names(MINE, []) == {}


async def test_tm20_opt_outs_and_reviews_come_in_pages(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.opt_outs(MINE, after=None, limit=2) == OPT_OUTS[:2]
    assert await models.opt_outs(MINE, after=OPT_OUTS[1].consent_id, limit=2) == OPT_OUTS[2:]
    first = OPT_OUTS[0]
    assert await models.opt_out(MINE, first.number, first.from_number) == first
    assert await models.opt_out(MINE, first.number, "+15005550006") is None
    assert await models.opt_out(MINE, OPT_OUTS[2].number, "+15005550006") == OPT_OUTS[2]
    assert await models.opt_out(MINE, "+14155550000", first.from_number) is None

    async def reviews(status: ReviewStatus | None, after: UUID | None) -> list[ReviewView]:
        return await models.reviews(MINE, status=status, after=after, limit=2)

    assert await reviews(None, None) == REVIEWS_OF_MINE[:2]
    assert await reviews(None, REVIEWS_OF_MINE[1].review_id) == REVIEWS_OF_MINE[2:]
    assert await reviews(ReviewStatus.OPEN, None) == REVIEWS_OF_MINE[::2]
    for each in REVIEWS_OF_MINE:
        assert await models.review(MINE, each.review_id) == each


async def test_tm3_what_stands_still_and_what_changed_is_known(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.activities_held(MINE) == HELD
    assert await models.skipped(MINE, RUN.campaign_id) == SKIPPED_ONCE
    assert await models.change_marker(MINE) == 7
    nothing = QueuedView(messages=0, segments=0)
    assert await models.queued(MINE, "+15005550006") == nothing


async def test_another_organisation_sees_nothing(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.run(THEIRS, RUN.run_id) is None
    assert await models.runs_of(THEIRS, RUN.campaign_id) == []
    assert await models.progress(THEIRS, RUN.run_id) is None
    assert await models.messages(THEIRS, RUN.run_id, status=None, after_row=None, limit=10) == []
    assert await models.message(THEIRS, MESSAGES_OF_RUN[0].message_id) is None
    assert await models.usage(THEIRS, **DAY) == NOTHING_USED
    assert await models.run_errors(THEIRS, RUN.run_id) == []
    assert await models.run_hours(THEIRS, RUN.run_id) == []
    assert await models.activities(THEIRS, RUN.run_id, state=None, after_row=None, limit=9) == []
    assert await models.charges(THEIRS, NOON - timedelta(days=50), NOON) == []
    assert await models.campaign_names(THEIRS, [RUN.campaign_id]) == {}
    assert await models.opt_outs(THEIRS, after=None, limit=9) == []
    assert await models.opt_out(THEIRS, OPT_OUTS[0].number, OPT_OUTS[0].from_number) is None
    assert await models.reviews(THEIRS, status=None, after=None, limit=9) == []
    assert await models.review(THEIRS, REVIEWS_OF_MINE[0].review_id) is None
    assert await models.activities_held(THEIRS) is None
    assert await models.skipped(THEIRS, RUN.campaign_id) == []
    assert await models.change_marker(THEIRS) == 0


async def test_what_nobody_has_projected_yet_is_empty(tmp_path: Path) -> None:
    stored = Stored(tmp_path / "nowhere")
    unknown: UUID = uuid4()
    assert await stored.models.run(MINE, unknown) is None
    assert await stored.models.usage(MINE, **DAY) == NOTHING_USED
    assert await stored.models.change_marker(MINE) == 0
    await stored.models.close()


LATER_RUN = uuid4()


def _row_of(run_id: UUID, row: int, organization: UUID = MINE, **changes: Any) -> dict[str, Any]:
    whole = {
        "organization_id": organization,
        "run_id": run_id,
        "campaign_id": RUN.campaign_id,
        "message_id": uuid4(),
        "recipient_id": uuid4(),
        "row": row,
        "imis_id": str(row),
        "to": "+12025550143",
        "segments": 1,
        "status": "failed",
        "status_at": NOON,
        "status_sequence": 1,
        "left_out": None,
        "reason": None,
        "error_code": None,
        "sid": None,
        "doubt": None,
        "supersedes": None,
    }
    return whole | changes


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[Stored]:
    made = Stored(tmp_path)
    yield made
    await made.models.close()


async def fill(stored: Stored, rows: list[dict[str, Any]], *, later: bool = False) -> None:
    store = Store(stored.settings, name=STORE_NAME, metadata=METADATA)
    await store.start()
    run = _rows()[RUNS.name][0]
    runs = [run | {"earlier_run_id": None}]
    if later:
        runs.append(run | {"run_id": LATER_RUN, "earlier_run_id": RUN.run_id})
    counts = [
        {
            "run_id": RUN.run_id,
            "status": status,
            "organization_id": MINE,
            "messages": 1,
            "segments": 1,
        }
        for status in ("failed", "excluded")
    ]
    async with store.transaction() as transaction:
        await transaction.execute(insert(RUNS), runs)
        await transaction.execute(insert(RUN_COUNTS), counts)
        await transaction.execute(insert(MESSAGES), rows)
    await store.stop()


MISSED: list[dict[str, Any]] = [
    {},
    {"error_code": 30001},
    {"status": "excluded", "left_out": "excluded", "reason": "over_run_limit"},
    {"status": "excluded", "left_out": "excluded", "reason": "over_day_limit"},
    {"status": "excluded", "left_out": "excluded", "reason": "given_up"},
]
NOT_MISSED: list[dict[str, Any]] = [
    {"sid": "SM1"},
    {"error_code": 21610},
    {"status": "error", "error_code": 21211},
    {"status": "error", "left_out": "rejected", "reason": "invalid_number"},
    {"status": "excluded", "left_out": "excluded", "reason": "opted_out"},
    *({"status": each} for each in ("sent", "delivered", "undelivered", "unknown", "simulated")),
    {"status": "preparing"},
]


async def test_missed_is_what_nobody_accepted_though_the_number_is_good(stored: Stored) -> None:
    rows = [_row_of(RUN.run_id, row, **each) for row, each in enumerate([*MISSED, *NOT_MISSED])]
    await fill(stored, [*rows, _row_of(RUN.run_id, 99, THEIRS), _row_of(uuid4(), 1)])
    shown = await stored.models.run(MINE, RUN.run_id)
    assert shown is not None
    assert shown.missed == len(MISSED)


async def test_what_a_later_run_stands_in_for_is_not_missed_any_more(stored: Stored) -> None:
    one, two = _row_of(RUN.run_id, 1), _row_of(RUN.run_id, 2)
    again = _row_of(LATER_RUN, 1, supersedes=one["message_id"], status="sent", sid="SM2")
    await fill(stored, [one, two, again], later=True)
    earlier, later = [await stored.models.run(MINE, each) for each in (RUN.run_id, LATER_RUN)]
    assert earlier is not None
    assert later is not None
    assert (earlier.missed, earlier.later_runs, earlier.earlier_run) == (1, (LATER_RUN,), None)
    assert (later.missed, later.later_runs, later.earlier_run) == (0, (), RUN.run_id)


async def test_unknown_messages_are_found_by_operators_alone(stored: Stored) -> None:
    doubt: dict[str, Any] = {
        "status": "unknown",
        "doubt": "the list can't tell",
        "status_sequence": 3,
    }
    mine, known = _row_of(RUN.run_id, 1, **doubt), _row_of(RUN.run_id, 2)
    theirs = _row_of(uuid4(), 1, THEIRS, **doubt)
    await fill(stored, [mine, known, theirs])
    models = stored.models
    every = await models.unknown(None, limit=10)
    assert {each.message_id for each in every} == {mine["message_id"], theirs["message_id"]}
    [found] = await models.unknown(MINE, limit=10)
    assert (found.number, found.reason, found.to) == (3, "the list can't tell", "+12025550143")
    assert await models.unknown_message(MINE, mine["message_id"]) == found
    assert await models.unknown_message(THEIRS, mine["message_id"]) is None
    assert await models.unknown_message(MINE, known["message_id"]) is None
    assert await models.whose(theirs["message_id"]) == THEIRS
    assert await models.whose(uuid4()) is None
    assert len(await models.unknown(None, limit=1)) == 1
