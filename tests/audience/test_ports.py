"""One suite for the jobs, the leases and the stored rows: in memory, on SQLite, on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.audience.fakes import LEASE
from tests.audience.orders import (
    DEMO,
    MOBILE,
    NOON,
    OTHER,
    request,
    sealed,
    settings_changed,
)
from tests.audience.rigs import Rig, SqlRig, claimed, rows, sqlite_rig
from tests.harness import eventually

from audience.adapters.desk import Holder
from audience.adapters.tables import JOBS
from audience.domain.reading import Reading
from audience.domain.resolving import Progress, failure
from audience.domain.rows import Row
from audience.domain.verdicts import Seen
from audience.ports import Checkpoint, Claim, LeaseLost
from contracts.envelope import seal
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue

SECOND = timedelta(seconds=1)


async def test_work_is_taken_once_oldest_first_and_whole(rig: Rig) -> None:
    first, second = sealed(), sealed()
    await rig.take(second, at=NOON)
    await rig.take(first, at=NOON - SECOND)
    claim = await claimed(rig)
    assert (claim.order, claim.event_id) == (first.event, first.id)
    assert (claim.step, claim.attempts, claim.progress) == (0, 1, Progress())
    assert (claim.login_refused, claim.settings_sequence) == (False, 1)
    # One run of an organisation at a time, whichever process asks.
    assert await rig.runs("one").claim(at=NOON) is None
    assert await rig.runs("two").claim(at=NOON) is None


async def test_the_same_run_again_changes_nothing_even_when_it_is_done(rig: Rig) -> None:
    run = sealed()
    await rig.take(run, run)
    await rig.take(seal(run.event.model_copy(update={"template": "Other"})))
    claim = await claimed(rig)
    assert claim.order.template == run.event.template
    await rig.ledger().commit(claim, Checkpoint(Progress(failed=True), done=True), at=NOON)
    await rig.take(run)
    assert await rig.runs().claim(at=NOON) is None


async def test_a_campaigns_occurrence_is_one_run(rig: Rig) -> None:
    campaign = uuid4()
    await rig.take(sealed(campaign_id=campaign), sealed(campaign_id=campaign, run_id=uuid4()))
    claim = await claimed(rig)
    await rig.ledger().commit(claim, Checkpoint(Progress(failed=True), done=True), at=NOON)
    assert await rig.runs().claim(at=NOON) is None


async def test_an_organisation_has_its_share_and_no_more(rig: Rig) -> None:
    await rig.change_settings(settings_changed(OTHER))
    await rig.take(*(sealed() for _ in range(5)), at=NOON - SECOND)
    await rig.take(sealed(OTHER), at=NOON)
    found = [await rig.runs(per_organization=2).claim(at=NOON) for _ in range(4)]
    assert [each and each.order.organization_id for each in found] == [DEMO, DEMO, OTHER, None]


async def test_previews_and_runs_dont_wait_for_each_other(rig: Rig) -> None:
    preview = request()
    await rig.take(sealed())
    await rig.take(seal(preview))
    assert await rig.runs().claim(at=NOON) is not None
    claim = await rig.previews().claim(at=NOON)
    assert claim is not None
    assert claim.order == preview


async def test_work_waits_for_its_organisations_settings(rig: Rig) -> None:
    await rig.take(sealed(OTHER))
    assert await rig.runs().claim(at=NOON) is None
    await rig.change_settings(settings_changed(OTHER, sequence=7))
    assert (await claimed(rig)).settings_sequence == 7


async def test_a_lease_that_is_over_lets_another_go_on_and_stops_the_first(rig: Rig) -> None:
    await rig.take(sealed())
    first = await claimed(rig, "one")
    assert await rig.runs("two").claim(at=NOON + LEASE - SECOND) is None
    second = await rig.runs("two").claim(at=NOON + LEASE)
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    checkpoint = Checkpoint(Progress(), rows=rows(1), events=[failure_of(first)])
    with pytest.raises(LeaseLost):
        await rig.ledger("one").commit(first, checkpoint, at=NOON)
    # Nor does the first one's putting it back take it from the second.
    await rig.runs("one").put_back(first, not_before=NOON, failed=True)
    assert await rig.runs("three").claim(at=NOON + LEASE) is None
    assert await rig.ledger().rows(first.id, after=0, limit=9) == []
    assert await rig.published() == []


async def test_a_checkpoint_is_written_upon_the_one_before_only(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    progress = Progress(reading=Reading(offset=2, rows=2))
    checkpoint = Checkpoint(progress, rows=rows(2), pairs={("1", MOBILE): 1})
    await rig.ledger().commit(claim, checkpoint, at=NOON)
    with pytest.raises(LeaseLost):
        await rig.ledger().commit(claim, checkpoint, at=NOON)
    await rig.ledger().commit(claim.at(progress), Checkpoint(progress), at=NOON)
    await rig.runs().put_back(claim, not_before=NOON, failed=False)
    again = await claimed(rig)
    assert (again.progress, again.step) == (progress, 2)


async def test_what_a_checkpoint_says_is_published_with_its_cause(rig: Rig) -> None:
    run = sealed()
    await rig.take(run)
    claim = await claimed(rig)
    event = failure_of(claim)
    await rig.ledger().commit(claim, Checkpoint(Progress(), events=[event]), at=NOON)
    [published] = await rig.published()
    assert (published.event, published.causation_id) == (event, run.id)


async def test_work_that_is_put_back_waits_and_its_failures_count(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    for failures in (1, 2):
        await rig.runs().put_back(claim, not_before=NOON + SECOND, failed=True)
        assert await rig.runs().claim(at=NOON) is None
        found = await rig.runs().claim(at=NOON + SECOND)
        assert found is not None
        assert found.failures == failures
        claim = found
    await rig.ledger().commit(claim, Checkpoint(Progress()), at=NOON)
    await rig.runs().put_back(claim, not_before=NOON, failed=False)
    assert (await claimed(rig)).failures == 0


async def test_rows_come_back_as_they_were_stored(rig: Rig) -> None:
    await rig.take(sealed(), sealed())
    claim = await claimed(rig)
    stored = [*rows(3), Row(4, "9", "", {"Full Name": 'Zoë "🎉"', "Empty": ""})]
    await rig.ledger().commit(claim, Checkpoint(Progress(), rows=stored), at=NOON)
    ledger = rig.ledger()
    assert await ledger.rows(claim.id, after=0, limit=9) == stored
    assert await ledger.rows(claim.id, after=1, limit=2) == stored[1:3]
    assert await ledger.rows(uuid4(), after=0, limit=9) == []


async def test_rows_are_known_by_their_contents_within_the_run(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    first, second, third = rows(3)
    repeat = replace(first, number=3)
    stored = Checkpoint(Progress(), rows=[first, second, repeat])
    await rig.ledger().commit(claim, stored, at=NOON)
    assert await rig.ledger().distinct(claim.id) == 2
    assert await rig.ledger().known(claim.id, [repeat, third]) == {first.contents}
    assert await rig.ledger().known(claim.id, []) == set()
    assert await rig.ledger().known(uuid4(), [first]) == set()
    assert await rig.ledger().distinct(uuid4()) == 0


async def test_numbers_are_known_within_the_run(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    pairs = {("2", MOBILE): 2, ("1", MOBILE): 1, ("1", "+12025550144"): 3}
    await rig.ledger().commit(claim, Checkpoint(Progress(), pairs=pairs), at=NOON)
    found = await rig.ledger().seen(claim.id, {MOBILE, "+12025550199"})
    # The member of the first row comes first, in whatever order the rows were stored.
    assert found == Seen({("1", MOBILE), ("2", MOBILE)}, {MOBILE: "1"})
    assert await rig.ledger().seen(claim.id, set()) == Seen()
    assert await rig.ledger().seen(uuid4(), {MOBILE}) == Seen()


async def test_the_next_incarnation_takes_its_predecessors_work_back_at_once() -> None:
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(sealed())
        first = await claimed(rig, "first")
        await rig.restart("second")
        second = await claimed(rig, "second")
        assert second.id == first.id
        # It leaves its own alone.
        await rig.restart("second")
        assert await rig.runs("third").claim(at=NOON) is None


async def test_a_lease_is_renewed_while_there_is_work() -> None:
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(sealed())
        short = SqlRigWithShortLease(rig.store)
        desk = short.runs("one")
        claim = await desk.claim(at=NOON)
        assert claim is not None
        async with desk.keep(claim):
            await short.renewed()
        await rig.ledger("one").commit(claim, Checkpoint(Progress()), at=NOON)


class SqlRigWithShortLease(SqlRig):
    """Renews its leases all the time."""

    def holder(self, process: str) -> Holder:
        return Holder("slot", process, timedelta(milliseconds=30))

    async def renewed(self) -> None:
        """Wait until the lease reaches beyond the moment of the claim."""

        async def reaches() -> bool:
            async with self.store.read() as connection:
                until = await connection.scalar(select(JOBS.c.lease_until))
            return until is not None and until > NOON + timedelta(days=1)

        await eventually(reaches)


def failure_of(claim: Claim[CampaignDue]) -> Event:
    return failure(claim.order, "No.", claim.progress, at=NOON)
