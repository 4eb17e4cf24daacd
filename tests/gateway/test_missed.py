"""What a run missed, and what nobody knows of, in the projections' tables."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from tests.gateway.fakes import NOON
from tests.gateway.stored import Stored, rows_of_all
from tests.gateway.told import (
    MINE,
    RUN,
    THEIRS,
)

from chassis.store import Store
from readmodels.tables import (
    MESSAGES,
    METADATA,
    RUN_COUNTS,
    RUNS,
    STORE_NAME,
)

LATER_RUN = uuid4()


def row_of(run_id: UUID, row: int, organization: UUID = MINE, **changes: Any) -> dict[str, Any]:
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
    run = rows_of_all()[RUNS.name][0]
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
    # It was given up, and then the carrier said after all that it had arrived.
    {"status": "delivered", "left_out": "excluded", "reason": "given_up"},
]


async def test_missed_is_what_nobody_accepted_though_the_number_is_good(stored: Stored) -> None:
    rows = [row_of(RUN.run_id, row, **each) for row, each in enumerate([*MISSED, *NOT_MISSED])]
    await fill(stored, [*rows, row_of(RUN.run_id, 99, THEIRS), row_of(uuid4(), 1)])
    shown = await stored.models.run(MINE, RUN.run_id)
    assert shown is not None
    assert shown.missed == len(MISSED)


async def test_what_a_later_run_stands_in_for_is_not_missed_any_more(stored: Stored) -> None:
    one, two = row_of(RUN.run_id, 1), row_of(RUN.run_id, 2)
    again = row_of(LATER_RUN, 1, supersedes=one["message_id"], status="sent", sid="SM2")
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
    mine, known = row_of(RUN.run_id, 1, **doubt), row_of(RUN.run_id, 2)
    theirs = row_of(uuid4(), 1, THEIRS, **doubt)
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
