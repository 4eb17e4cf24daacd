"""X-20: what waits for an iMIS account, and what the runs of a campaign come to, on each port."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.audience.fakes import LEASE
from tests.audience.orders import AUDIENCE, NOON, OTHER, due, request, sealed, settings_changed
from tests.audience.rigs import Rig, claimed, events_of, rows

from audience.domain.reading import Reading
from audience.domain.resolving import Progress, Resolving
from audience.ports import Checkpoint, Claim, LeaseLost
from contracts.envelope import seal
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import CampaignDue


async def test_x20_a_refused_login_is_told_of_each_run_once_and_then_holds_it(rig: Rig) -> None:
    await rig.take(sealed(), sealed())
    await rig.take(seal(request()))
    first = await claimed(rig)
    await rig.runs().refuse_login(first)
    await rig.runs().await_login(first, awaited(first))
    # The second one is given out to be told of, though nobody may log in for it.
    second = await claimed(rig)
    assert second.id != first.id
    assert second.login_refused
    await rig.runs().await_login(second, awaited(second))
    assert await rig.runs().claim(at=NOON + timedelta(days=30)) is None
    told: list[AudienceAwaited] = events_of(await rig.published(), AudienceAwaited)
    assert [each.run_id for each in told] == [first.id, second.id]
    assert {each.settings_sequence for each in told} == {1}
    preview = await rig.previews().claim(at=NOON)
    assert preview is not None
    assert preview.login_refused


async def test_x20_newer_settings_let_the_runs_go_on_and_are_refused_anew(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    await rig.runs().refuse_login(claim)
    await rig.runs().await_login(claim, awaited(claim))
    await rig.change_settings(settings_changed(sequence=2))
    again = await claimed(rig)
    assert (again.login_refused, again.settings_sequence) == (False, 2)
    await rig.runs().refuse_login(again)
    # What is said late of older settings opens nothing.
    await rig.runs().refuse_login(claim)
    await rig.runs().await_login(again, awaited(again))
    assert await rig.runs().claim(at=NOON) is None
    told: list[AudienceAwaited] = events_of(await rig.published(), AudienceAwaited)
    assert [(each.sequence, each.settings_sequence) for each in told] == [(1, 1), (2, 2)]


async def test_x20_what_needs_no_imis_any_more_doesnt_wait_for_a_login(rig: Rig) -> None:
    await rig.take(sealed())
    claim = await claimed(rig)
    read = Progress(reading=Reading(done=True, rows=2, total=2))
    await rig.ledger().commit(claim, Checkpoint(read, rows=rows(2)), at=NOON)
    await rig.runs().refuse_login(claim)
    await rig.runs().put_back(claim, not_before=NOON, failed=False)
    assert (await claimed(rig)).login_refused is False
    uploaded = AUDIENCE.model_copy(update={"upload_id": uuid4()})
    await rig.take(sealed(OTHER, audience=uploaded))
    await rig.change_settings(settings_changed(OTHER))
    found = await rig.runs(per_organization=1).claim(at=NOON)
    assert found is not None
    await rig.runs().refuse_login(found)
    await rig.runs().put_back(found, not_before=NOON, failed=False)
    again = await rig.runs().claim(at=NOON)
    assert again is not None
    assert (again.id, again.login_refused) == (found.id, False)


async def test_a_lost_lease_tells_nobody_that_its_run_waits(rig: Rig) -> None:
    await rig.take(sealed())
    first = await claimed(rig, "one")
    assert await rig.runs("two").claim(at=NOON + LEASE) is not None
    with pytest.raises(LeaseLost):
        await rig.runs("one").await_login(first, awaited(first))
    assert await rig.published() == []


async def test_x20_rows_last_time_are_those_of_the_last_run_that_was_resolved(rig: Rig) -> None:
    campaign, another = uuid4(), sealed()
    assert await rig.ledger().rows_last_time(another.event) is None
    for place, progress in enumerate([resolved(7), resolved(9), Progress(failed=True)]):
        run = sealed(campaign_id=campaign, occurrence=f"o{place}", run_id=uuid4())
        before = {0: None, 1: 7, 2: 9}[place]
        assert await rig.ledger().rows_last_time(run.event) == before
        await rig.take(run)
        claim = await claimed(rig)
        done = Checkpoint(progress, done=True)
        await rig.ledger().commit(claim, done, at=NOON + timedelta(hours=place))
        # Its own rows are none of last time's.
        assert await rig.ledger().rows_last_time(run.event) == before
    stranger = due(organization_id=OTHER, campaign_id=campaign, run_id=uuid4())
    assert await rig.ledger().rows_last_time(stranger) is None
    following = due(campaign_id=campaign, run_id=uuid4(), occurrence="o9")
    assert await rig.ledger().rows_last_time(following) == 9


def resolved(count: int) -> Progress:
    return Progress(reading=Reading(done=True), resolving=Resolving(rows=count, done=True))


def awaited(claim: Claim[CampaignDue]) -> AudienceAwaited:
    return AudienceAwaited(
        organization_id=claim.order.organization_id,
        occurred_at=NOON,
        sequence=claim.settings_sequence,
        run_id=claim.id,
        campaign_id=claim.order.campaign_id,
        settings_sequence=claim.settings_sequence,
        reason="Save the password anew.",
    )
