"""One suite for the port, on its fake and on its SQL adapter."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from tests.projections import facts
from tests.projections.fakes import FakeReadModels
from tests.projections.models import Models, opened, url
from tests.projections.test_domain import addressed
from tests.status.facts import CAMPAIGN, ORGANIZATION, RUN, at, message

from contracts.events.campaign import CampaignStatus, Mode
from contracts.events.message import MessageStatus
from projections.adapters.tables import SqlReadModels
from projections.domain import DAY_FIGURES, Figures, Row, RowFact, fold
from projections.ports import Activity, CampaignFact, Doubt, ReadModels, RunFact
from readmodels.tables import CAMPAIGNS, DAYS, MESSAGES, RUN_COUNTS, RUNS
from readmodels.views import ActivityState, RunState


@dataclass
class Port:
    """The port, each time in a transaction, and what it has kept, in one form for all."""

    models: Callable[[], AbstractAsyncContextManager[ReadModels]]
    kept: Callable[[type[Any], UUID], Awaitable[dict[str, Any]]]
    """The columns of the one kind of fact about the one thing."""
    figures: Callable[[], Awaitable[dict[Any, int]]]


def on_fake() -> Port:
    fake = FakeReadModels()

    @asynccontextmanager
    async def models() -> AsyncIterator[ReadModels]:
        yield fake

    async def kept(kind: type[Any], key: UUID) -> dict[str, Any]:
        places: dict[type[Any], Any] = {
            CampaignFact: fake.campaigns,
            RunFact: fake.runs,
            Doubt: fake.doubts,
            Activity: fake.activities,
        }
        return {each.name: getattr(places[kind][key], each.name) for each in fields(kind)}

    async def figures() -> dict[Any, int]:
        added = fake.figures
        found: dict[Any, int] = {}
        found |= {(*key, "messages"): value for key, value in added.messages.items()}
        found |= {(*key, "segments"): value for key, value in added.segments.items()}
        found |= added.days | added.runs
        return {key: value for key, value in found.items() if value}

    return Port(models, kept, figures)


def on_sql(store: Models) -> Port:
    @asynccontextmanager
    async def models() -> AsyncIterator[ReadModels]:
        async with store.store.transaction() as transaction:
            yield SqlReadModels(transaction)

    async def kept(kind: type[Any], key: UUID) -> dict[str, Any]:
        places: dict[type[Any], Any] = {CampaignFact: CAMPAIGNS, RunFact: RUNS}
        table = places.get(kind, MESSAGES)
        [own] = table.primary_key.columns
        async with store.store.read() as connection:
            row = (await connection.execute(select(table).where(own == key))).mappings().one()
        return {each.name: row[each.name] for each in fields(kind)}

    async def figures() -> dict[Any, int]:
        found: dict[Any, int] = {}
        async with store.store.read() as connection:
            for row in (await connection.execute(select(RUN_COUNTS))).mappings():
                for name in ("messages", "segments"):
                    found[row["run_id"], row["status"], name] = row[name]
            for row in (await connection.execute(select(DAYS))).mappings():
                for name in DAY_FIGURES:
                    found[row["organization_id"], row["day"], name] = row[name]
            for row in (await connection.execute(select(RUNS))).mappings():
                for name in ("recipients", "rejected", "excluded", "segments"):
                    found[row["run_id"], name] = row[name]
        return {key: value for key, value in found.items() if value}

    return Port(models, kept, figures)


@pytest.fixture(
    params=[
        "fake",
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(
                "TEXTMANAGER_TEST_POSTGRES_URL" not in os.environ, reason="no PostgreSQL is named"
            ),
        ),
    ]
)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Port]:
    if request.param == "fake":
        yield on_fake()
        return
    async with opened(url(request.param, tmp_path)) as store:
        yield on_sql(store)


async def test_rows_come_back_as_they_were_kept(port: Port) -> None:
    one, two = addressed(1, queued=True), addressed(2)
    told = facts.status(1, 1, MessageStatus.SENT, segments=2)
    first, second = fold(None, one), fold(None, two)
    async with port.models() as models:
        assert {
            key: row for key, row in (await models.hold([one, two])).items() if row.status
        } == {}
        await models.keep([(one, first), (two, second)])
    after = fold(first, told)
    async with port.models() as models:
        about: list[RowFact] = [one, told, two, addressed(3)]
        held = await models.hold(about)
        assert (held[message(1)], held[message(2)]) == (first, second)
        await models.keep([(told, after)])
        await models.keep([])
        assert await models.hold([]) == {}
    async with port.models() as models:
        held = await models.hold([one, two])
        assert held == {message(1): after, message(2): second}


async def test_figures_add_up(port: Port) -> None:
    row: Row | None = None
    for fact in (
        addressed(1),
        facts.status(1, 1, MessageStatus.SENT, segments=2),
        facts.status(1, 2, MessageStatus.FAILED, segments=2),
    ):
        figures = Figures()
        after = fold(row, fact)
        figures.move(row, after)
        async with port.models() as models:
            await models.add(figures)
        row = after
    assert await port.figures() == {
        (RUN, "failed", "messages"): 1,
        (RUN, "failed", "segments"): 2,
        (RUN, "recipients"): 1,
        (RUN, "segments"): 2,
        (ORGANIZATION, at(1).date(), "failed_messages"): 1,
    }


@pytest.mark.parametrize("order", [1, -1])
async def test_the_newest_of_a_campaign_stays(port: Port, order: int) -> None:
    old = CampaignFact(CAMPAIGN, ORGANIZATION, "Dues", CampaignStatus.DRAFT, 1)
    new = CampaignFact(CAMPAIGN, ORGANIZATION, "Dues 2026", CampaignStatus.SCHEDULED, 2)
    for fact in [old, new, old][::order]:
        async with port.models() as models:
            await models.keep_campaigns([fact])
    kept = await port.kept(CampaignFact, CAMPAIGN)
    assert (kept["name"], kept["status"], kept["sequence"]) == ("Dues 2026", "scheduled", 2)


@pytest.mark.parametrize("order", [1, -1])
async def test_what_is_known_of_a_run_grows(port: Port, order: int) -> None:
    run = uuid4()
    about: dict[str, Any] = {
        "run_id": run,
        "organization_id": ORGANIZATION,
        "campaign_id": CAMPAIGN,
    }
    steps = [
        RunFact(**about, name="Dues", mode=Mode.LIVE, due_at=at(0)),
        RunFact(**about, rows=0),
        RunFact(**about, state=RunState.SENDING, state_sequence=1, started_at=at(1)),
        RunFact(**about, state=RunState.COMPLETED, state_sequence=2, completed_at=at(2)),
    ]
    for step in steps[::order]:
        async with port.models() as models:
            await models.keep_runs([step])
    kept = await port.kept(RunFact, run)
    assert (kept["name"], kept["mode"], kept["rows"]) == ("Dues", "LIVE", 0)
    assert (kept["state"], kept["state_sequence"]) == ("completed", 2)
    assert (kept["due_at"], kept["started_at"], kept["completed_at"]) == (at(0), at(1), at(2))


@pytest.mark.parametrize("order", [1, -1])
async def test_the_newest_doubt_and_activity_stay(port: Port, order: int) -> None:
    about = (message(1), ORGANIZATION, RUN, CAMPAIGN)
    doubts = [Doubt(*about, "timeout", 2), Doubt(*about, "no clear answer", 3)]
    activities = [
        Activity(*about, ActivityState.REFUSED, None, 1),
        Activity(*about, ActivityState.WRITTEN, "77", 2),
    ]
    async with port.models() as models:
        await models.keep_doubts(doubts[::order])
        await models.keep_activities(activities[::order])
        await models.keep_doubts([])
        await models.keep_activities([])
    kept = await port.kept(Doubt, message(1)) | await port.kept(Activity, message(1))
    assert (kept["doubt"], kept["doubt_sequence"]) == ("no clear answer", 3)
    assert (kept["activity_state"], kept["activity_seqn"]) == ("written", "77")
