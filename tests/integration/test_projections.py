"""The projections on the real log, read as the gateway reads them."""

from tests.harness import Log, eventually, running
from tests.projections import facts as ours
from tests.status import facts

from chassis.settings import ServiceSettings
from contracts.events.message import MessageStatus
from projections.app import make
from projections.settings import ProjectionsSettings
from readmodels import queries
from readmodels.reader import Reader
from readmodels.views import RowStatus, RunProgress, RunState


async def test_tm_13_a_run_shows_in_the_read_models_as_it_goes_on(
    service_settings: ServiceSettings, log: Log
) -> None:
    reader = Reader(service_settings)

    async def progress() -> RunProgress | None:
        async with reader.read() as connection:
            return await queries.run_progress(connection, facts.ORGANIZATION, facts.RUN)

    async def settled(count: int) -> bool:
        seen = await progress()
        return seen is not None and (seen.settled, seen.total) == (count, 5)

    async def over() -> bool:
        seen = await progress()
        return seen is not None and seen.state is RunState.COMPLETED

    assert await progress() is None
    early = await log.publish(ours.status(1, 2, MessageStatus.DELIVERED), facts.audience_failed())
    async with running(make(service_settings, ProjectionsSettings())):
        await log.publish(ours.campaign(), ours.due(), facts.page([1, 2, 3], facts.totals(3, 2)))
        await log.publish(facts.rejected(4), facts.rejected(5), ours.started())
        await eventually(lambda: settled(3))
        await log.publish(*(facts.queued(row) for row in (1, 2, 3)), facts.submitted(1))
        await log.publish(ours.status(2, 1, MessageStatus.FAILED, code=21610), facts.excluded(3))
        await log.publish(ours.written(1), ours.refused(2))
        await log.publish_sealed(*early)
        await eventually(lambda: settled(5))
    # A restart goes on where the first left off, and what comes again changes nothing.
    async with running(make(service_settings, ProjectionsSettings())):
        await log.publish_sealed(*early)
        await log.publish(ours.completed())
        await eventually(over)
    async with reader.read() as connection:
        rows = await queries.messages(connection, facts.ORGANIZATION, facts.RUN)
        board = await queries.dashboard(connection, facts.ORGANIZATION, facts.at(0).date())
    assert [each.status for each in rows] == [
        RowStatus.DELIVERED,
        RowStatus.FAILED,
        RowStatus.EXCLUDED,
        RowStatus.ERROR,
        RowStatus.ERROR,
    ]
    assert (board.today.texts, board.lifetime_failed) == (1, 1)
    assert log.dead == []
    await reader.close()
