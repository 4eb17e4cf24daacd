"""The databases or Kafka are away: 503 with a time to try again, and no command half done."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from tests.databases import ABOUT_SQLITE
from tests.gateway.client import Client, Got
from tests.gateway.rig import CAMPAIGN, ORGANIZATION, Rig, rigged
from tests.gateway.test_runs import DEMO, projected, scheduled

from chassis.store import Store
from gateway.adapters.desk import SqlDesk
from gateway.adapters.readmodels import StoredReadModels
from gateway.adapters.tables import METADATA

LOGIN = {"username": "staff", "password": "right", "cloud_id": "DEMO"}
KEY = {"idempotency-key": "once"}


def is_away(got: Got) -> bool:
    assert (got.status, got.headers["content-type"]) == (503, "application/problem+json"), got.body
    return int(got.headers["retry-after"]) > 0


async def state_of(rig: Rig) -> tuple[int, list[Any]]:
    """Return how many events left, and the campaigns' statuses."""
    async with rig.desk.read() as reading:
        campaigns = await reading.campaigns.page(DEMO, status=None, before=None, limit=100)
    return len(await rig.published()), [each.status for each in campaigns]


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Rig]:
    """A gateway that waits for SQLite's writer a moment only, so that the test need not."""

    def hurry(connection: Any, _entry: Any) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    async with rigged(tmp_path) as rig:
        event.listen(rig.store._engine.sync_engine, "connect", hurry)
        # Only connections that are made from now on are in a hurry.
        await rig.store._engine.dispose()
        await rig.organization()
        yield rig


@ABOUT_SQLITE
async def test_while_the_database_is_locked_nothing_is_half_done(
    impatient: Rig, tmp_path: Path
) -> None:
    rig = impatient
    staff = await rig.staff()
    ready = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    run = projected(await scheduled(staff), state="completed", missed=1)
    rig.models.runs[DEMO, run.run_id] = run
    before = await state_of(rig)
    path = f"/v1/campaigns/{ready['campaign_id']}"
    commands = [
        ("POST", "/v1/campaigns", CAMPAIGN),
        ("PATCH", path, {"name": "Other"}),
        ("POST", f"{path}/schedule", {}),
        ("DELETE", path, None),
        ("POST", f"{path}/summary?wait_seconds=0", None),
        ("POST", f"/v1/runs/{run.run_id}/resend", None),
        ("DELETE", "/v1/sessions/current", None),
    ]
    with closing(sqlite3.connect(tmp_path / "gateway.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        for method, address, body in commands:
            assert is_away(await staff.request(method, address, json=body, headers=KEY))
        assert is_away(await rig.anybody.post("/v1/sessions", LOGIN))
        renamed = ORGANIZATION | {"name": "Other"}
        assert is_away(await rig.operator.put("/v1/organizations/DEMO", renamed))
        # Whoever only looks doesn't wait for writers.
        assert (await staff.get("/v1/campaigns")).status == 200
        other.rollback()
    assert await state_of(rig) == before
    # The same key is free: what was refused was not done, and is done now, once.
    first = await staff.post(f"{path}/schedule", {}, headers=KEY)
    again = await staff.post(f"{path}/schedule", {}, headers=KEY)
    assert (first.status, again.headers["idempotent-replayed"]) == (200, "true")


async def test_a_transaction_that_breaks_off_leaves_nothing(
    rig: Rig, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    before = await state_of(rig)

    async def broken(*_args: object) -> int:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        # The very last step before the commit: all rows but the outbox's are written.
        patched.setattr("chassis.store.Transaction.flush", broken)
        path = f"/v1/campaigns/{campaign['campaign_id']}"
        for method, address, body in (
            ("POST", "/v1/campaigns", CAMPAIGN),
            ("POST", f"{path}/schedule", {}),
            ("DELETE", path, None),
        ):
            assert is_away(await staff.request(method, address, json=body, headers=KEY))
    assert await state_of(rig) == before


async def test_a_postgresql_that_is_away_is_an_outage(rig: Rig, staff: Client) -> None:
    away = rig.settings.model_copy(update={"database_url": "postgresql://u:p@127.0.0.1:1/none"})
    store, models = Store(away, name="gateway", metadata=METADATA), StoredReadModels(away)
    object.__setattr__(rig.gateway, "models", models)
    assert is_away(await staff.get("/v1/dashboard"))
    object.__setattr__(rig.gateway, "desk", SqlDesk(store))
    for method, address, body in (
        ("GET", "/v1/campaigns", None),
        ("POST", "/v1/campaigns", CAMPAIGN),
        ("POST", "/v1/sessions", LOGIN),
    ):
        assert is_away(await staff.request(method, address, json=body))
    assert is_away(await rig.operator.get("/v1/operations/unknown"))
    await models.close()
    await store.stop()


async def test_without_kafka_commands_are_taken_and_wait_in_the_outbox(
    rig: Rig, staff: Client
) -> None:
    # Nothing listens where this gateway's Kafka would be.
    assert rig.settings.kafka_url == "localhost:1"
    before = len(await rig.published())
    assert (await staff.post("/v1/campaigns", CAMPAIGN)).status == 201
    assert len(await rig.published()) == before + 1
