"""TM-20: a text whose webhook never came is found at Twilio, once, and by one process at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.ingress.doubles import KEY, NOON, PUBLIC, organization
from tests.ingress.readings import (
    INTERVAL,
    LEASE,
    PAUSE,
    Desk,
    FakeList,
    MemoryDesk,
    postgres_desk,
    sqlite_desk,
)
from tests.ingress.twilio_list import TwilioLists, twilio_lists

from chassis.secrets import SecretBox
from contracts.envelope import Envelope, seal
from contracts.events.provider import TwilioMessageReceived
from contracts.ids import inbound_id
from ingress.adapters.accounts import CachedAccounts
from ingress.adapters.text_list import TwilioTextList
from ingress.catch_up import CatchUp
from ingress.domain import Lane, ListedText, text_listed
from ingress.handlers import KeptIn
from ingress.ports import ListAway, ListRefused
from ingress.settings import IngressSettings

ACME, OTHER = UUID(int=1), UUID(int=2)
OFFICE, DESK = Lane(ACME, "+12025550100"), Lane(ACME, "+12025550101")
SECOND = timedelta(seconds=1)


def listed(sid: str, *, seconds: float = 0, body: str = "STOP") -> ListedText:
    return ListedText(
        account_sid="AC-acme",
        message_sid=sid,
        from_number="+12025550143",
        to_number=OFFICE.number,
        body=body,
        segments=1,
        created_at=NOON + timedelta(seconds=seconds),
    )


def told(sid: str, organization_id: UUID = ACME) -> Envelope[TwilioMessageReceived]:
    return seal(text_listed(listed(sid), organization_id=organization_id))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    match request.param:
        case "memory":
            yield MemoryDesk()
        case "sqlite":
            async with sqlite_desk() as sqlite:
                yield sqlite
        case _:
            async with postgres_desk() as postgres:
                yield postgres


async def test_a_number_is_read_at_once_and_then_now_and_then(desk: Desk) -> None:
    one, two = desk.process(), desk.process()
    await one.plan([DESK, OFFICE], at=NOON)
    await two.plan([OFFICE], at=NOON + SECOND)
    [reading] = await one.claim(at=NOON, limit=1)
    assert reading.covered_until is None
    [other] = await two.claim(at=NOON, limit=9)
    assert {reading.lane, other.lane} == {OFFICE, DESK}
    assert await two.claim(at=NOON, limit=9) == []
    await one.settle(reading, [], covered_until=NOON, at=NOON)
    assert await two.claim(at=NOON + INTERVAL - SECOND, limit=1) == [other]
    [again] = await one.claim(at=NOON + INTERVAL, limit=9)
    assert (again.lane, again.covered_until) == (reading.lane, NOON)


async def test_who_lost_its_lease_leaves_the_other_s_reading_alone(desk: Desk) -> None:
    slow, other = desk.process(), desk.process()
    await slow.plan([OFFICE], at=NOON)
    [mine] = await slow.claim(at=NOON, limit=1)
    assert await other.claim(at=NOON + LEASE - SECOND, limit=1) == []
    [theirs] = await other.claim(at=NOON + LEASE, limit=1)
    await slow.settle(mine, [told("SM1")], covered_until=NOON + SECOND, at=NOON + LEASE)
    await slow.give_back(mine, again_at=NOON)
    assert await slow.claim(at=NOON + LEASE, limit=1) == []
    await other.settle(theirs, [told("SM1")], covered_until=NOON, at=NOON + LEASE)
    [again] = await slow.claim(at=NOON + LEASE + INTERVAL, limit=1)
    assert again.covered_until == NOON
    assert len(await desk.left()) == 1


async def test_after_a_gap_a_number_is_read_once_its_pause_is_over(desk: Desk) -> None:
    one, two = desk.process(), desk.process()
    await one.plan([OFFICE], at=NOON)
    [reading] = await one.claim(at=NOON, limit=1)
    await one.settle(reading, [], covered_until=NOON, at=NOON)
    await asyncio.gather(one.hurry(), two.hurry(), two.hurry())
    assert await two.claim(at=NOON + PAUSE - SECOND, limit=1) == []
    assert len(await two.claim(at=NOON + PAUSE, limit=1)) == 1
    assert await one.claim(at=NOON + PAUSE, limit=1) == []


async def test_what_could_not_be_read_is_left_alone_for_as_long_as_was_asked(desk: Desk) -> None:
    process = desk.process()
    await process.plan([OFFICE], at=NOON)
    [reading] = await process.claim(at=NOON, limit=1)
    await process.settle(reading, [], covered_until=NOON, at=NOON)
    [reading] = await process.claim(at=NOON + INTERVAL, limit=1)
    again_at = NOON + INTERVAL + 60 * SECOND
    await process.give_back(reading, again_at=again_at)
    await process.hurry()
    assert await process.claim(at=again_at - SECOND, limit=1) == []
    assert await process.claim(at=again_at, limit=1) == [reading]


async def test_a_text_leaves_once_unless_its_webhook_was_taken(desk: Desk) -> None:
    process = desk.process()
    await process.plan([OFFICE], at=NOON)
    await process.note({(ACME, "SM-hook"), (OTHER, "SM1")}, at=NOON)
    await process.note({(ACME, "SM-hook")}, at=NOON + SECOND)
    [reading] = await process.claim(at=NOON, limit=1)
    texts = [told("SM-hook"), told("SM1"), told("SM2"), told("SM2")]
    for _ in range(2):
        await process.settle(reading, texts, covered_until=NOON, at=NOON)
    left = await desk.left()
    assert [each.event.message_sid for each in left] == ["SM1", "SM2"]
    assert {each.id for each in left} == {inbound_id("SM1"), inbound_id("SM2")}
    await process.forget(before=NOON)
    assert await desk.known() == {"SM-hook", "SM1", "SM2"}
    await process.forget(before=NOON + SECOND)
    assert await desk.known() == set()


def catch_up(desk: Desk, found: FakeList, **own: float) -> tuple[CatchUp, list[datetime]]:
    """A catch-up and its clock, which stands until it is set."""
    time = [NOON]
    settings = IngressSettings(public_url=PUBLIC, twilio_url="http://127.0.0.1:1", **own)  # type: ignore[arg-type]
    made = CatchUp(
        readings=desk.process(), text_list=found, settings=settings, clock=lambda: time[0]
    )
    return made, time


async def test_a_reading_goes_back_behind_the_one_before() -> None:
    found = FakeList({OFFICE: [listed("SM-old", seconds=-3601), listed("SM-new", seconds=-3600)]})
    desk = MemoryDesk()
    process, time = catch_up(desk, found, catch_up_first_seconds=3600, catch_up_overlap_seconds=60)
    await process.step()
    await process.step()
    time[0] = NOON + INTERVAL
    await process.step()
    assert found.asked == [(OFFICE, NOON - 3600 * SECOND), (OFFICE, NOON - 60 * SECOND)]
    [left] = await desk.left()
    event = left.event
    assert (event.message_sid, event.occurred_at) == ("SM-new", NOON - 3600 * SECOND)
    assert (event.form["Body"], event.form["From"]) == ("STOP", "+12025550143")
    assert event.form["DateCreated"] == "2026-03-01T11:00:00+00:00"
    assert (event.organization_id, event.account_sid) == (ACME, "AC-acme")


async def test_one_number_s_trouble_is_no_other_s() -> None:
    found = FakeList({OFFICE: ListAway(90.0), DESK: [listed("SM1")]})
    third = Lane(OTHER, "+12025550102")
    found.found[third] = ListRefused()
    desk = MemoryDesk()
    process, time = catch_up(desk, found)
    await process.step()
    assert len(await desk.left()) == 1
    waits = {lane: row.due_at - NOON for lane, row in desk.memory.rows.items()}
    assert waits == {OFFICE: 90 * SECOND, DESK: INTERVAL, third: INTERVAL}
    assert desk.memory.rows[OFFICE].covered_until is None
    # What was said meanwhile is found once the list can be read again.
    found.found[OFFICE] = [listed("SM2", seconds=-80_000)]
    time[0] = NOON + 90 * SECOND
    await process.step()
    assert [each.event.message_sid for each in await desk.left()] == ["SM1", "SM2"]


@pytest.mark.parametrize("how", ["spool", "nowhere"])
async def test_a_gap_has_the_lists_read_soon(how: str) -> None:
    found = FakeList({OFFICE: []})
    process, time = catch_up(MemoryDesk(), found)
    await process.step()
    time[0] = NOON + PAUSE
    await process.step()
    assert len(found.asked) == 1
    event = text_listed(listed("SM1"), organization_id=ACME)
    process.took(event, KeptIn.LOG)
    await process.step()
    assert len(found.asked) == 1
    process.took(event, KeptIn.SPOOL) if how == "spool" else process.missed()
    await process.step()
    assert len(found.asked) == 2


async def test_a_new_number_is_read_as_soon_as_it_is_known() -> None:
    found = FakeList()
    desk = MemoryDesk()
    process, _ = catch_up(desk, found)
    await process.step()
    found.found[OFFICE] = [listed("SM1")]
    await process.step()
    assert len(await desk.left()) == 1


async def test_what_a_webhook_told_doesn_t_leave_again() -> None:
    found = FakeList({OFFICE: [listed("SM1"), listed("SM2")]})
    desk = MemoryDesk()
    process, _ = catch_up(desk, found)
    process.took(text_listed(listed("SM1"), organization_id=ACME), KeptIn.LOG)
    await process.step()
    assert [each.event.message_sid for each in await desk.left()] == ["SM2"]


@pytest.fixture
async def lists() -> AsyncIterator[TwilioLists]:
    async with twilio_lists(acme="token-acme", other="token-other") as serving:
        yield serving


@pytest.fixture
async def text_list(lists: TwilioLists) -> AsyncIterator[TwilioTextList]:
    accounts = CachedAccounts(SecretBox(KEY))
    accounts.refresh(
        [
            organization("acme"),
            organization("other", number="+12025550101"),
            organization("stale", number="+12025550102"),
        ]
    )
    made = TwilioTextList(accounts, base_url=lists.url)
    yield made
    await made.stop()


def lane(text_list: TwilioTextList, number: str) -> Lane:
    return next(each for each in text_list.lanes() if each.number == number)


async def test_the_list_is_read_to_its_end_by_the_account_s_own_token(
    lists: TwilioLists, text_list: TwilioTextList
) -> None:
    sids = [f"SM{number:032x}" for number in range(7)]
    for number, sid in enumerate(sids):
        lists.say(sid, "STOP 🌞", at=NOON + number * SECOND)
    lists.say("SM" + "a" * 32, "sent", at=NOON + 9 * SECOND, direction="outbound-api")
    lists.say("SM" + "b" * 32, "else", at=NOON, account="AC-other")
    lists.say("SM" + "c" * 32, "mine", at=NOON, account="AC-other", to="+12025550101")
    found = await text_list.texts(lane(text_list, "+12025550100"), since=NOON + SECOND)
    assert [each.message_sid for each in found] == sids[:0:-1]
    assert {each.body for each in found} == {"STOP 🌞"}
    assert found[-1].created_at == NOON + SECOND
    assert found[0].created_at.tzinfo is not None
    [other] = await text_list.texts(lane(text_list, "+12025550101"), since=NOON)
    assert (other.body, other.account_sid) == ("mine", "AC-other")


async def test_what_the_list_answers_is_told_apart(
    lists: TwilioLists, text_list: TwilioTextList
) -> None:
    office = lane(text_list, "+12025550100")
    lists.refuse += [(429, {"retry-after": "7"}), (500, {})]
    with pytest.raises(ListAway) as busy:
        await text_list.texts(office, since=NOON)
    assert busy.value.again_seconds == 7
    with pytest.raises(ListAway) as broken:
        await text_list.texts(office, since=NOON)
    assert broken.value.again_seconds is None
    with pytest.raises(ListRefused):
        await text_list.texts(lane(text_list, "+12025550102"), since=NOON)
    with pytest.raises(ListRefused):
        await text_list.texts(Lane(ACME, "+12025550199"), since=datetime.now(UTC))


async def test_a_page_that_fails_gives_no_part_of_the_list(
    lists: TwilioLists, text_list: TwilioTextList
) -> None:
    for number in range(3):
        lists.say(f"SM{number:032x}", "STOP", at=NOON)
    office = lane(text_list, "+12025550100")
    lists.refuse = [None, (500, {})]
    with pytest.raises(ListAway):
        await text_list.texts(office, since=NOON)
    assert len(await text_list.texts(office, since=NOON)) == 3
    assert [query.get("Page") for query in lists.asked] == [None, ["1"], None, ["1"]]
