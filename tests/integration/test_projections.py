"""The projections on the real log, read as the gateway reads them."""

from datetime import timedelta

from tests.harness import Log, eventually, running
from tests.projections import facts as ours
from tests.status import facts

from chassis.settings import ServiceSettings
from contracts.events.message import MessageStatus
from contracts.events.run import HeldBy
from projections.app import make
from projections.settings import ProjectionsSettings
from readmodels import queries
from readmodels.reader import Reader
from readmodels.views import ChargeOutcome, RowStatus, RunKind, RunProgress, RunState


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
        used = await queries.usage(
            connection,
            facts.ORGANIZATION,
            day_start=facts.START - timedelta(hours=12),
            day_end=facts.START + timedelta(hours=12),
            month_start=facts.START - timedelta(hours=12),
            at=facts.START,
        )
    assert [each.status for each in rows] == [
        RowStatus.DELIVERED,
        RowStatus.FAILED,
        RowStatus.EXCLUDED,
        RowStatus.ERROR,
        RowStatus.ERROR,
    ]
    assert (used.texts_today, used.failed_lifetime) == (1, 1)
    assert log.dead == []
    await reader.close()


async def test_tm22_x8_tm20_single_texts_charges_and_opt_outs_from_the_log(
    service_settings: ServiceSettings, log: Log
) -> None:
    """Whatever topic it comes on: one picture of the run, the text, the charge and the opt-out."""
    reader = Reader(service_settings)
    urgent, start = ours.requested(), facts.START
    about = {"message_id": urgent.message_id, "run_id": urgent.run_id}
    about |= {"campaign_id": urgent.campaign_id}

    async def seen() -> bool:
        async with reader.read() as connection:
            run = await queries.run(connection, facts.ORGANIZATION, urgent.run_id)
            sent = await queries.message(connection, facts.ORGANIZATION, urgent.message_id)
            charged = await queries.charges(
                connection, facts.ORGANIZATION, start, start + timedelta(minutes=15)
            )
            opted_out = await queries.opt_outs(connection, facts.ORGANIZATION)
            open_texts = await queries.reviews(connection, facts.ORGANIZATION)
            held = await queries.activities_held(connection, facts.ORGANIZATION)
        if run is None or sent is None or held is None or len(charged) < 1:
            return False
        return (
            (run.kind_of_run, [each.held_by for each in run.held], sent.status)
            == (RunKind.URGENT, [HeldBy.DAY_LIMIT], RowStatus.SENT)
            and [(each.outcome, each.purpose, each.segments) for each in charged]
            == [(ChargeOutcome.CHARGED, RunKind.URGENT, 1)]
            and len(opted_out) == len(open_texts) == 1
        )

    async with running(make(service_settings, ProjectionsSettings())):
        await log.publish(
            ours.status(1, 1, MessageStatus.SENT).model_copy(update=about),
            ours.run_held(run=urgent.run_id),
            ours.consent(),
            ours.review(),
            ours.activities_held(),
            urgent,
        )
        await eventually(seen)
    assert log.dead == []
    await reader.close()
