"""TM-6, TM-8: one organisation's activities, and what its iMIS can do to them."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from tests.imis_writer.doubles import (
    ORGANIZATION,
    Clock,
    FakeImis,
    FakeLedger,
    FakeOrganizations,
    Kept,
    candidate,
    organization,
    queued,
    status,
)

from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.effects import (
    Doubtful,
    Effect,
    LoginRefused,
    Outcome,
    Postponed,
    Refused,
    State,
)
from imis_writer.ports import NoAccess
from imis_writer.settings import ImisWriterSettings
from imis_writer.writing import OrganizationWriter

OWN = ImisWriterSettings()


@dataclass
class Desk:
    """An organisation's writer with everything around it."""

    kept: Kept
    imis: FakeImis = field(default_factory=FakeImis)
    organizations: FakeOrganizations = field(default_factory=FakeOrganizations)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.organizations.known[ORGANIZATION] = organization()
        self.clock.passes(1)
        self.writer = OrganizationWriter(
            ORGANIZATION,
            ledger=self.kept,
            sites=self.imis,
            organizations=self.organizations,
            settings=OWN,
            clock=self.clock,
        )

    async def texts(self, count: int = 1, mode: Mode = Mode.LIVE) -> list[UUID]:
        await self.kept.know(organization())
        messages = [queued(mode=mode, imis_id=str(number)) for number in range(count)]
        success = MessageStatus.SENT if mode is Mode.LIVE else MessageStatus.SIMULATED
        ids = [each.event.message_id for each in messages]
        await self.kept.queued(messages)
        await self.kept.succeeded([status(each, success, mode=mode) for each in ids])
        return ids

    async def work(self) -> None:
        while await self.writer.step():
            pass

    async def states(self, ids: list[UUID]) -> list[str]:
        return [await self.kept.state(each) for each in ids]


@pytest.fixture
def desk(kept: Kept) -> Desk:
    return Desk(kept)


async def test_each_text_becomes_one_activity(desk: Desk) -> None:
    ids = await desk.texts(150)
    await desk.work()
    assert set(await desk.states(ids)) == {State.WRITTEN}
    assert len(desk.imis.held) == 150
    told = await desk.kept.published()
    assert {each.message_id for each in told} == set(ids)
    seqns = {each.seqn for each in told if isinstance(each, ActivityWritten)}
    assert len(seqns) == len(told) == 150


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


async def test_a_refusal_is_told_with_its_reason(desk: Desk) -> None:
    ids = await desk.texts()
    desk.imis.plan = [Refused("There is no such type.")]
    await desk.work()
    assert await desk.states(ids) == [State.REFUSED]
    [told] = await desk.kept.published()
    assert isinstance(told, ActivityRefused)
    assert told.reason == "There is no such type."


@pytest.mark.parametrize("first", ["lost", Postponed(), LoginRefused()])
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
    desk.imis.plan, desk.imis.findable = ["lost"], False
    for _ in range(5):
        await desk.work()
        desk.clock.passes(400)
    assert (await desk.states(ids), len(desk.imis.held)) == ([State.IN_DOUBT], 1)
    desk.imis.findable = True
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


async def test_a_refused_login_is_not_tried_until_it_may_work(desk: Desk) -> None:
    await desk.texts(3)
    desk.imis.plan = [LoginRefused()] * 3
    await desk.work()
    assert desk.imis.opened == 1
    desk.clock.passes(10)
    await desk.work()
    assert desk.imis.held == []
    desk.organizations.known[ORGANIZATION] = organization(sequence=2)
    await desk.work()
    assert len(desk.imis.held) == 3


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
    await desk.work()
    assert await desk.states(ids) == [State.READY]
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
