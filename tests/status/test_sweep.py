"""X-1: a report that is lost for ever changes nothing in the end; Twilio is asked in measure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tests.status import facts
from tests.status.fakes import (
    FakeAccount,
    FakeAccounts,
    FakeLookouts,
    FakeMessages,
    FakeOutbox,
    FakeWatch,
)

from contracts.events.provider import TwilioStatusPolled
from status.domain.folding import fold
from status.domain.looking import Answer
from status.domain.message import UNKNOWN, Message, view
from status.handlers.sweep import Manners, Sweep
from status.ports import AccountAway, AccountRefused

MANNERS = Manners(
    lease=timedelta(minutes=1),
    back_off=timedelta(seconds=30),
    refused_wait=timedelta(minutes=5),
    list_from=10,
    ask_at_once=50,
    together=5,
)
DUE = facts.at(1.9) + facts.PATIENCE.first


def sent(row: int) -> Message:
    return fold(fold(UNKNOWN, facts.queued(row)), facts.submitted(row))


@dataclass
class World:
    messages: FakeMessages = field(default_factory=FakeMessages)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    account: FakeAccount = field(default_factory=FakeAccount)
    watch: FakeWatch = field(default_factory=FakeWatch)
    now: datetime = DUE

    def __post_init__(self) -> None:
        self.lookouts = FakeLookouts(self.messages, self.outbox)
        self.accounts = FakeAccounts(self.account)
        self.sweep = self.process(self.lookouts)

    def process(self, lookouts: FakeLookouts) -> Sweep:
        return Sweep(
            lookouts=lookouts,
            accounts=self.accounts,
            watch=self.watch,
            manners=MANNERS,
            clock=lambda: self.now,
        )

    async def send(self, *rows: int, status: str = "delivered", code: str = "") -> None:
        await self.messages.keep({facts.message(row): sent(row) for row in rows})
        for row in rows:
            self.account.texts[facts.sid(row)] = Answer(facts.sid(row), status, code)

    @property
    def told(self) -> list[TwilioStatusPolled]:
        return [each for each in self.outbox.events if isinstance(each, TwilioStatusPolled)]

    async def hear(self) -> None:
        """Take what was published, as the log brings it back."""
        for event in self.told:
            known = self.messages.kept[event.message_id]
            if (after := fold(known, event)) is not known:
                await self.messages.keep({event.message_id: after})


async def test_a_message_whose_report_is_lost_gets_its_status() -> None:
    world = World()
    await world.send(1, status="undelivered", code="30003")
    world.now = DUE - timedelta(seconds=1)
    assert not await world.sweep.step()
    assert world.account.asked == []
    world.now = DUE
    await world.sweep.step()
    [told] = world.told
    assert (told.message_status, told.error_code) == ("undelivered", "30003")
    await world.hear()
    seen = view(world.messages.kept[facts.message(1)])
    assert seen is not None
    assert (seen.status, seen.error_code) == ("undelivered", 30003)
    world.now += timedelta(days=1)
    await world.sweep.step()
    assert world.account.asked == [facts.sid(1)]


async def test_a_text_that_stays_under_way_is_asked_for_ever_less_often_and_told_once() -> None:
    world = World()
    await world.send(1, status="sent")
    await world.send(2, status="lost in space")
    for _ in range(72 * 12 + 24):
        await world.sweep.step()
        await world.hear()
        world.now += timedelta(minutes=5)
    assert [each.message_status for each in world.told] == ["lost in space"]
    assert 15 < world.account.asked.count(facts.sid(1)) < 25
    assert world.messages.looks == {}


async def test_many_of_one_number_are_listed_and_the_rest_is_asked_for() -> None:
    world = World()
    await world.send(*range(1, 101))
    # Three are not in the list: too new for it, or gone.
    for row in (3, 4, 5):
        del world.account.texts[facts.sid(row)]
    world.account.page_size = 40
    await world.sweep.step()
    assert world.account.pages == [facts.FROM] * 3
    assert sorted(world.account.asked) == [facts.sid(row) for row in (3, 4, 5)]
    assert len(world.told) == 100
    assert {each.message_status for each in world.told} == {"delivered", "not_found"}


async def test_few_are_asked_for_one_by_one() -> None:
    world = World()
    await world.send(*range(1, 10))
    await world.sweep.step()
    assert world.account.pages == []
    assert len(world.account.asked) == 9


async def test_a_listing_that_does_not_pay_ends() -> None:
    world = World()
    await world.send(*range(1, 31))
    # Traffic that is settled already lies before what is asked for.
    for row in range(1000, 2000):
        world.account.texts[facts.sid(row)] = Answer(facts.sid(row), "delivered")
    world.account.page_size = 10
    await world.sweep.step()
    assert len(world.account.pages) == 3
    assert len(world.account.asked) == 30


async def test_a_portion_is_bounded_and_the_next_goes_on() -> None:
    world = World()
    await world.send(*range(1, 131))
    # The list shows none of them yet, so each is asked for.
    texts, world.account.texts = world.account.texts, {}
    assert await world.sweep.step()
    assert len(world.account.asked) == MANNERS.ask_at_once
    world.account.texts = texts
    assert not await world.sweep.step()
    assert len(world.account.asked) == MANNERS.ask_at_once
    assert len({each.message_id for each in world.told}) == 130


async def test_a_list_that_fails_is_asked_for_again_later() -> None:
    world = World()
    await world.send(*range(1, 81))
    world.account.failing["list"] = AccountAway("no answer")
    await world.sweep.step()
    assert world.told == []
    del world.account.failing["list"]
    await world.sweep.step()
    assert world.told == []
    world.now += MANNERS.back_off
    await world.sweep.step()
    assert len(world.told) == 80


async def test_one_process_at_a_time_asks_for_an_account() -> None:
    world = World()
    await world.send(1)
    other = world.lookouts.beside()
    assert await other.lease(facts.ORGANIZATION, at=world.now, until=world.now + MANNERS.lease)
    await world.sweep.step()
    assert world.account.asked == []
    world.now += MANNERS.lease
    await world.sweep.step()
    assert world.account.asked == [facts.sid(1)]


class Overtaken(FakeLookouts):
    """Another process takes the account just after this one saw that it was free."""

    async def due_organizations(self, *, at: datetime) -> list[UUID]:
        found = await super().due_organizations(at=at)
        await self.beside().lease(facts.ORGANIZATION, at=at, until=at + MANNERS.lease)
        return found


async def test_whoever_is_overtaken_asks_nothing() -> None:
    world = World()
    await world.send(1)
    late = Overtaken(world.messages, world.outbox, world.lookouts.leases)
    assert not await world.process(late).step()
    assert world.account.asked == []


async def test_an_account_that_is_too_busy_is_left_alone_for_as_long_as_it_says() -> None:
    world = World()
    await world.send(1)
    world.account.failing[""] = AccountAway("no answer", seconds=90)
    await world.sweep.step()
    del world.account.failing[""]
    world.now += timedelta(seconds=89)
    await world.sweep.step()
    assert len(world.account.asked) == 1
    world.now += timedelta(seconds=1)
    await world.sweep.step()
    assert len(world.told) == 1


async def test_texts_without_an_answer_keep_no_other_from_its_own() -> None:
    world = World()
    await world.send(*range(1, 10))
    for row in range(1, MANNERS.together + 1):
        world.account.failing[facts.sid(row)] = AccountAway("no answer")
    for _ in range(4):
        await world.sweep.step()
        await world.hear()
        world.now += MANNERS.back_off
    answered = {facts.message(row) for row in range(MANNERS.together + 1, 10)}
    assert {each.message_id for each in world.told} == answered


async def test_refused_credentials_are_said_once_and_waited_out() -> None:
    world = World()
    await world.send(1)
    world.account.failing[""] = AccountRefused("the credentials are refused")
    for _ in range(5):
        await world.sweep.step()
        world.now += MANNERS.refused_wait
    assert len(world.account.asked) == 5
    assert world.watch.refused_accounts == [facts.ORGANIZATION]
    del world.account.failing[""]
    await world.sweep.step()
    assert len(world.told) == 1


async def test_an_organisation_without_settings_is_waited_for() -> None:
    world = World()
    await world.send(1)
    world.accounts.missing = True
    await world.sweep.step()
    assert world.told == []
    world.accounts.missing = False
    world.now += MANNERS.refused_wait
    await world.sweep.step()
    assert len(world.told) == 1
