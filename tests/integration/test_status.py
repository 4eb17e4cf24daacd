"""TM-14: the status service on the real log, from a page of recipients to the end of the run."""

from tests.harness import Log, running
from tests.status import facts

from chassis.settings import ServiceSettings
from contracts.events.message import MessageStatus, MessageStatusChanged, Refused
from contracts.events.run import RunCompleted, RunFailed, RunStarted
from status.app import make
from status.settings import StatusSettings


def statuses(log: Log, row: int) -> list[MessageStatus]:
    """Return a message's statuses, as they were told."""
    told = [each.event for each in log.of(MessageStatusChanged)]
    own = {each.sequence: each for each in told if each.message_id == facts.message(row)}
    return [own[sequence].status for sequence in sorted(own)]


async def test_tm_14_a_run_from_its_first_page_to_its_end(
    service_settings: ServiceSettings, log: Log
) -> None:
    [early] = await log.publish(facts.callback(1, "delivered"))
    async with running(make(service_settings, StatusSettings())):
        pages = await log.publish(facts.page([1, 2, 3], facts.totals(3, rejected=1)))
        await log.wait_for(RunStarted)
        assert log.of(RunStarted)[0].causation_id == pages[0].id
        await log.publish(facts.rejected(4), facts.excluded(3), facts.queued(1), facts.queued(2))
        sent = await log.publish(facts.submitted(1), facts.submitted(2, Refused(code=21610)))
        [completed] = await log.wait_for(RunCompleted)
        assert (completed.rows, completed.messages) == (4, 2)
        assert (completed.rejected, completed.excluded) == (1, 1)

        # Everything again, and a late report; a message that is new shows that all was read.
        await log.publish_sealed(early, *pages, *sent)
        await log.publish(facts.callback(1, "sent"), facts.callback(2, "failed", to="+12025559999"))
        for row in range(10, 40):
            await log.publish(facts.queued(row), facts.submitted(row), facts.callback(row, "sent"))
        await log.wait_for(MessageStatusChanged, count=31)
    assert statuses(log, 1)[-1] is MessageStatus.DELIVERED
    assert statuses(log, 2) == [MessageStatus.FAILED]
    assert len({each.id for each in log.of(RunStarted)}) == 1
    assert len({each.id for each in log.of(RunCompleted)}) == 1
    assert log.dead == []


async def test_a_restart_goes_on_with_what_was_parked(
    service_settings: ServiceSettings, log: Log
) -> None:
    await log.publish(facts.callback(1, "undelivered", "30003", named=False))
    async with running(make(service_settings, StatusSettings())):
        await log.publish(facts.queued(2), facts.submitted(2))
        await log.wait_for(MessageStatusChanged)
    async with running(make(service_settings, StatusSettings())):
        await log.publish(facts.queued(1), facts.submitted(1))
        [last] = await log.wait_for(
            MessageStatusChanged, where=lambda each: each.status is MessageStatus.UNDELIVERED
        )
        assert (last.error_code, last.sid) == (30003, facts.sid(1))


async def test_a_failed_audience_ends_its_run(service_settings: ServiceSettings, log: Log) -> None:
    async with running(make(service_settings, StatusSettings())):
        [failed] = await log.publish(facts.audience_failed())
        [told] = await log.wait_for(RunFailed)
        assert told.reason == "The IQA has moved."
        assert log.of(RunFailed)[0].causation_id == failed.id
