"""TM-6, TM-8, X-20: one organisation's activities, and what its iMIS can do to them."""

from datetime import timedelta

import pytest
from tests.imis_writer.desk import OWN, Desk
from tests.imis_writer.doubles import FakeImis, candidate
from tests.imis_writer.facts import ORGANIZATION, after, organization, status
from tests.imis_writer.kept import FakeLedger, Kept

from contracts.events.activity import ActivitiesHeld, ActivityWritten
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.effects import Effect, State
from imis_writer.domain.outcomes import (
    Doubtful,
    LoginRefused,
    NoAnswer,
    Outcome,
    Patience,
    Postponed,
    Refused,
    TooEarly,
    resolve,
)
from imis_writer.ports import NoAccess

PATIENCE = Patience(timedelta(seconds=5), timedelta(seconds=60))


async def test_each_text_becomes_one_activity(desk: Desk) -> None:
    ids = await desk.texts(150)
    await desk.work()
    assert set(await desk.states(ids)) == {State.WRITTEN}
    assert len(desk.imis.held) == 150
    told = await desk.told(ActivityWritten)
    assert {each.message_id for each in told} == set(ids)
    seqns = {each.seqn for each in told}
    assert len(seqns) == len(await desk.kept.published()) == 150


async def test_without_settings_everything_waits(desk: Desk) -> None:
    ids = await desk.texts()
    desk.organizations.known.clear()
    assert not await desk.writer.step()
    assert await desk.states(ids) == [State.READY]


@pytest.mark.parametrize(("wanted", "state"), [(True, State.WRITTEN), (False, State.UNNEEDED)])
async def test_tm_6_a_test_s_texts_are_written_only_by_a_setting(
    desk: Desk, wanted: bool, state: State
) -> None:
    desk.organizations.known[ORGANIZATION] = organization(test_runs=wanted)
    ids = await desk.texts(2, Mode.TEST)
    await desk.work()
    assert await desk.states(ids) == [state] * 2
    assert len(desk.imis.held) == (2 if wanted else 0)
    assert len(await desk.kept.published()) == len(desk.imis.held)


@pytest.mark.parametrize("known_in_time", [True, False])
async def test_tm8_by_a_setting_a_text_is_written_when_it_is_delivered(
    desk: Desk, known_in_time: bool
) -> None:
    """Whatever comes first: the settings, or the text that was sent."""
    desk.organizations.known[ORGANIZATION] = organization(settings={"write_when": "delivered"})
    if known_in_time:
        [sent, arrived] = await desk.texts(2)
    else:
        settings = desk.organizations.known.pop(ORGANIZATION)
        [sent, arrived] = await desk.texts(2)
        desk.organizations.known[ORGANIZATION] = settings
        await desk.kept.know(settings)
    await desk.work_on()
    assert desk.imis.held == []
    delivered = status(arrived, MessageStatus.DELIVERED, sequence=3)
    await desk.kept.succeeded([delivered, delivered])
    await desk.work_on()
    assert await desk.states([sent, arrived]) == [State.WAITING, State.WRITTEN]
    [told] = await desk.told(ActivityWritten)
    assert (told.message_id, told.transaction_date) == (arrived, delivered.event.attempted_at)


async def test_tm8_a_text_that_arrives_while_it_is_held_too_early_is_written(desk: Desk) -> None:
    ids = await desk.texts()
    wanted = organization(sequence=2, settings={"write_when": "delivered"})
    desk.organizations.known[ORGANIZATION] = wanted
    [effect] = await desk.kept.claim(ORGANIZATION, at=desk.clock(), lease_until=after(100), limit=9)
    await desk.kept.succeeded([status(ids[0], MessageStatus.DELIVERED, sequence=3)])
    change = resolve(effect, TooEarly(), at=desk.clock(), patience=PATIENCE)
    await desk.kept.record([change])
    await desk.work()
    assert await desk.states(ids) == [State.WRITTEN]


@pytest.mark.parametrize("first", ["lost", Postponed(), Refused("once")])
async def test_every_failure_ends_in_one_activity(desk: Desk, first: Outcome | str) -> None:
    ids = await desk.texts(3)
    desk.imis.plan = [first]
    for _ in range(5):
        await desk.work()
        desk.clock.passes(400)
    assert set(await desk.states(ids)) == {State.WRITTEN}
    assert len({each.imis_id for each in desk.imis.held}) == len(desk.imis.held) == 3


async def test_a_lost_request_is_written_again_only_after_two_looks_apart(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = [Doubtful()]
    await desk.work()
    desk.clock.passes(OWN.first_look)
    await desk.work()
    assert (await desk.states(ids), desk.imis.held) == ([State.IN_DOUBT], [])
    desk.clock.passes(OWN.second_look - 1)
    await desk.work()
    assert desk.imis.held == []
    desk.clock.passes(1)
    await desk.work()
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.WRITTEN], 1)


async def test_while_imis_can_t_say_a_doubt_stays_one(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan, desk.imis.instead = ["lost"], NoAnswer()
    for _ in range(5):
        await desk.work()
        desk.clock.passes(400)
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.IN_DOUBT], 1)
    desk.imis.instead = None
    await desk.work()
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.WRITTEN], 1)


async def test_x_10_what_nobody_can_tell_is_never_written_again(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = ["lost"]
    await desk.work()
    desk.imis.held.append(candidate("99", imis_id="0"))
    for _ in range(5):
        desk.clock.passes(400)
        await desk.work()
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.UNKNOWN], 2)


async def test_x20_a_refused_login_is_not_tried_until_the_settings_change(desk: Desk) -> None:
    await desk.texts(3)
    desk.imis.plan = [LoginRefused("The password has expired.")] * 3
    await desk.work_on(50)
    assert (desk.imis.opened, desk.imis.requests, desk.imis.held) == (1, 3, [])
    [held] = await desk.told(ActivitiesHeld)
    assert (held.settings_sequence, held.reason) == (1, "The password has expired.")
    assert await desk.kept.organizations(at=desk.clock()) == []

    # Nor by another process, which knows nothing of it but what is kept.
    desk.kept = desk.kept.reopened()
    desk.__post_init__()
    await desk.work()
    assert desk.imis.requests == 3

    await desk.save(sequence=2)
    assert await desk.kept.organizations(at=desk.clock()) == [ORGANIZATION]
    await desk.work()
    assert len(desk.imis.held) == 3
    assert len(await desk.told(ActivitiesHeld)) == 1


async def test_a_site_that_is_away_is_left_alone_for_a_while(desk: Desk) -> None:
    await desk.texts(OWN.claim * 2)
    desk.imis.plan = [Postponed(30)] * OWN.claim
    await desk.work()
    desk.clock.passes(29)
    await desk.work()
    assert desk.imis.held == []
    desk.clock.passes(1)
    await desk.work()
    assert len(desk.imis.held) == OWN.claim * 2


async def test_settings_that_lead_nowhere_wait_for_better_ones(desk: Desk) -> None:
    class Nowhere(FakeImis):
        async def site(self, organization: OrganizationSettingsChanged) -> FakeImis:
            if organization.sequence == 1:
                raise NoAccess
            return self

    desk.imis = Nowhere()
    desk.__post_init__()
    ids = await desk.texts()
    await desk.work_on()
    assert await desk.states(ids) == [State.READY]
    [held] = await desk.told(ActivitiesHeld)
    assert "Save them anew" in held.reason
    desk.organizations.known[ORGANIZATION] = organization(sequence=2)
    await desk.work()
    assert await desk.states(ids) == [State.WRITTEN]


async def test_a_claim_that_is_nearly_over_is_given_back(desk: Desk) -> None:
    class Slow(FakeLedger):
        async def claim(self, *args: object, **more: object) -> list:  # type: ignore[type-arg]
            claimed = await super().claim(*args, **more)  # type: ignore[arg-type]
            if claimed and claimed[0].attempts == 1:
                clock.passes(OWN.lease - OWN.request_timeout + 1)
            return claimed

    slow = Desk(Slow())
    clock = slow.clock
    ids = await slow.texts()
    await slow.writer.step()
    assert (await slow.states(ids), slow.imis.held) == ([State.READY], [])
    await slow.work()
    assert len(slow.imis.held) == 1


async def test_who_is_told_to_stop_sends_nothing_new_and_keeps_no_claim(kept: Kept) -> None:
    class Stopping(FakeImis):
        async def write(self, wanted: Effect) -> Outcome:
            stopped.writer.stop()
            return await super().write(wanted)

    stopped = Desk(kept, Stopping())
    ids = await stopped.texts(30)
    await stopped.writer.step()
    states = await stopped.states(ids)
    assert (states.count(State.WRITTEN), states.count(State.READY)) == (1, 29)
    assert len(stopped.imis.held) == 1


async def test_what_no_adapter_foresaw_is_a_doubt(desk: Desk) -> None:
    class Broken(FakeImis):
        async def write(self, wanted: Effect) -> Outcome:
            await super().write(wanted)
            raise ValueError("after the request had left")

    desk.imis = Broken()
    desk.__post_init__()
    ids = await desk.texts()
    await desk.work()
    assert await desk.states(ids) == [State.IN_DOUBT]
    desk.clock.passes(timedelta(minutes=1).total_seconds())
    await desk.work()
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.WRITTEN], 1)
