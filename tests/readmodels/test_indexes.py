"""No question reads a whole table, however many organisations, runs and messages there are."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.projections import facts as ours
from tests.projections.models import Models
from tests.status import facts

from contracts.events.consent import ReviewStatus
from contracts.events.message import MessageStatus
from readmodels import queries
from readmodels.views import ActivityState, RowStatus

ORGANIZATION, RUN, START = facts.ORGANIZATION, facts.RUN, facts.START
DAY = timedelta(days=1)


async def ask_everything(connection: AsyncConnection) -> None:
    """Ask each question that staff's pages ask."""
    for ask in (
        queries.run,
        queries.run_progress,
        queries.run_errors,
        queries.run_hours,
        queries.runs_of,
        queries.skipped,
        queries.message,
        queries.review,
    ):
        await ask(connection, ORGANIZATION, RUN)
    await queries.left_out_of(connection, ORGANIZATION, [RUN])
    await queries.charges(connection, ORGANIZATION, START, START + DAY)
    await queries.usage(
        connection, ORGANIZATION, day_start=START, day_end=START + DAY, month_start=START, at=START
    )
    await queries.queued(connection, ORGANIZATION, facts.FROM)
    await queries.campaign_names(connection, ORGANIZATION, [facts.CAMPAIGN])
    await queries.change_marker(connection, ORGANIZATION)
    await queries.opt_outs(connection, ORGANIZATION, after=RUN)
    await queries.opt_out(connection, ORGANIZATION, "+12025550143", facts.FROM)
    await queries.reviews(connection, ORGANIZATION, status=ReviewStatus.OPEN, after=RUN)
    await queries.activities_held(connection, ORGANIZATION)
    for status in (*RowStatus, None):
        await queries.messages(connection, ORGANIZATION, RUN, status=status, after_row=3)
    for state in (None, *ActivityState):
        await queries.activities(connection, ORGANIZATION, RUN, state=state, after_row=3)


async def test_every_question_finds_its_rows_by_an_index(
    models: Models,
) -> None:
    await models.take(
        facts.page(range(1, 50)),
        *(ours.status(row, 1, MessageStatus.HELD) for row in range(1, 50)),
        *(ours.held(row) for row in range(1, 50)),
        *(ours.written(row) for row in range(1, 50)),
        ours.due(),
        ours.review(),
    )
    asked: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    async with models.store.read() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            # Such small tables are read whole all the same, unless that is made dear.
            await connection.execute(text("SET enable_seqscan = off"))
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await ask_everything(connection)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        for statement, parameters in asked:
            found = await connection.exec_driver_sql(explain + statement, parameters)
            plan = [str(step[-1]) for step in found]
            whole = [
                step
                for step in plan
                if "Seq Scan" in step or (step.startswith("SCAN") and "anon" not in step)
            ]
            assert not whole, (statement, plan)
            if (
                sqlite
                and "messages.status IN" not in statement
                and "status IN ('held'" in statement
            ):
                # Of a million rows that went well, not one is looked at.
                assert any("messages_amiss (run_id=? AND status=?" in step for step in plan), plan
    assert len(asked) > 25
