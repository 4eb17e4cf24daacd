"""One suite for what the gateway reads of the projections: on memory, and on their tables."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import insert
from tests.gateway.fakes import NOON, FakeReadModels

from chassis.settings import ServiceSettings
from chassis.store import Store
from gateway.adapters.readmodels import StoredReadModels
from gateway.domain.views import Message, Run, Usage
from gateway.ports import ReadModels
from readmodels.tables import DAYS, MESSAGES, METADATA, RUN_COUNTS, RUNS, STORE_NAME
from readmodels.views import RowStatus

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
USED = Usage(
    texts_today=2, texts_this_month=3, texts_lifetime=7, failed_lifetime=1, segments_today=5
)


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


class Filled(Protocol):
    async def fill(self) -> ReadModels:
        """Return read models that hold the run above, as mine."""


class InMemory:
    async def fill(self) -> ReadModels:
        models = FakeReadModels()
        models.runs[MINE, RUN.run_id] = RUN
        models.found[MINE] = MESSAGES_OF_RUN
        models.usages[MINE] = USED
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
            "activity_seqn": each.activity,
            "activity_state": each.activity_state,
        }
        for each in MESSAGES_OF_RUN
    ]
    days = [
        {
            "organization_id": MINE,
            "day": NOON.date() - timedelta(days=ago),
            "sent_messages": texts,
            "sent_segments": segments,
            "failed_messages": failed,
            "unknown_messages": 0,
            "simulated_messages": 0,
        }
        for ago, texts, segments, failed in ((0, 2, 5, 0), (1, 1, 1, 0), (40, 4, 4, 1))
    ]
    return {
        RUNS.name: [run],
        RUN_COUNTS.name: counts,
        MESSAGES.name: messages,
        DAYS.name: days,
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
    assert await models.usage(MINE, at=NOON) == USED


async def test_another_organisation_sees_nothing(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.run(THEIRS, RUN.run_id) is None
    assert await models.runs_of(THEIRS, RUN.campaign_id) == []
    assert await models.progress(THEIRS, RUN.run_id) is None
    assert await models.messages(THEIRS, RUN.run_id, status=None, after_row=None, limit=10) == []
    assert await models.message(THEIRS, MESSAGES_OF_RUN[0].message_id) is None
    assert await models.usage(THEIRS, at=NOON) == Usage()


async def test_what_nobody_has_projected_yet_is_empty(tmp_path: Path) -> None:
    stored = Stored(tmp_path / "nowhere")
    unknown: UUID = uuid4()
    assert await stored.models.run(MINE, unknown) is None
    assert await stored.models.usage(MINE, at=NOON) == Usage()
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
