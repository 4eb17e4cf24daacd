"""X-7, TM-15, TM-19: what keeps a run back is told once, and what can't go on stops by itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    ORGANIZATION,
    all_claims,
    ask,
    books_agree,
    claims,
    follow,
    ledger,
    numbers,
    set_limits,
    states,
    step,
    take,
    told,
)
from tests.sender.singles import requested

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.campaign import CampaignPaused, CampaignResumed, Mode
from contracts.events.message import Accepted, RecipientExcluded, Refused
from contracts.events.organization import SendingNumber, Verification
from contracts.events.run import HeldBy, RunHeld, RunResendRequested
from sender.adapters.holds import is_permanent
from sender.adapters.ledger import SqlLedger
from sender.adapters.resends import SqlResends
from sender.domain.limits import day_after, rate_of
from sender.domain.messages import Claim, State
from sender.ports import Result

PERMANENT = [20003, 21212, 21408, 21602, 21603, 21606, 21609, 21612, 21617, 21620, 21703, 21704]
LATER = NOW + timedelta(minutes=5)


async def held(store: Store) -> list[RunHeld]:
    return [event for event in await told(store) if isinstance(event, RunHeld)]


async def refuse(book: SqlLedger, claim: Claim, code: int, *, at: datetime = NOW) -> None:
    await book.settle([Result(claim, Refused(code=code))], at=at)


@pytest.mark.parametrize("code", PERMANENT)
def test_x7_what_every_other_text_would_meet_is_permanent(code: int) -> None:
    assert is_permanent(code)


@pytest.mark.parametrize("code", [21211, 21610, 21614, 21635, 20429, 21611, 30007, 30003, 0, 99999])
def test_x7_what_is_about_one_member_or_passes_is_not(code: int) -> None:
    assert not is_permanent(code)


async def test_x7_a_permanent_error_holds_its_campaign_at_once_until_it_is_resumed(
    store: Store,
) -> None:
    page = await take(store, numbers(6))
    other = await take(store, numbers(1, start=50))
    book = ledger(store)
    first = [claim for claim in await claims(book, budget=4) if claim.run_id == page.run_id]
    await refuse(book, first[0], 21606)
    # What was under way is finished; a second refusal of the same kind tells nothing new.
    await refuse(book, first[1], 21606)
    await book.settle([Result(first[2], Accepted(sid="SM1"))], at=NOW)
    assert await claims(book) == []
    [event] = await held(store)
    assert (event.run_id, event.held_by, event.error_code, event.left_out, event.messages) == (
        page.run_id,
        HeldBy.CONFIGURATION,
        21606,
        False,
        3,
    )
    assert other.run_id not in {each.run_id for each in await held(store)}
    await follow(store, step(page, CampaignPaused, 2, occurred_at=LATER))
    await follow(store, step(page, CampaignResumed, 3, occurred_at=LATER))
    assert len(await claims(book, at=LATER)) == 3
    await books_agree(store)


async def test_x7_a_refusal_after_the_resume_holds_it_again_and_a_late_one_from_before_does_not(
    store: Store,
) -> None:
    page = await take(store, numbers(5))
    book = ledger(store)
    early, late, _ = await claims(book, budget=3)
    await refuse(book, early, 21606)
    await follow(store, step(page, CampaignResumed, 3, occurred_at=LATER))
    await refuse(book, late, 21606, at=LATER + timedelta(seconds=1))
    [new] = await claims(book, budget=1, at=LATER + timedelta(seconds=2))
    assert len(await held(store)) == 1
    await refuse(book, new, 21606, at=LATER + timedelta(seconds=3))
    assert await claims(book, at=LATER + timedelta(seconds=4)) == []
    assert [each.sequence for each in await held(store)] == [1, 2]


async def test_x7_staff_who_ask_for_the_missed_let_a_finished_campaign_go_on(store: Store) -> None:
    """A campaign that is over can't be resumed."""
    page = await take(store, numbers(2))
    book = ledger(store)
    for claim in await claims(book):
        await refuse(book, claim, 21606)
    command = RunResendRequested(
        organization_id=ORGANIZATION,
        occurred_at=LATER,
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        by="staff",
    )
    async with store.transaction() as transaction:
        await SqlResends(transaction).take(seal(command), at=LATER)
    assert len(await claims(book, at=LATER)) == 2


async def test_x7_an_urgent_text_s_refusal_holds_no_other_urgent_text(store: Store) -> None:
    await ask(store, *(requested(number, number) for number in numbers(2)))
    book = ledger(store)
    [claim] = await claims(book, budget=1)
    await refuse(book, claim, 21408)
    assert len(await claims(book)) == 1
    assert await held(store) == []


@pytest.mark.parametrize("code", [21211, 21610, 30000])
async def test_x7_other_refusals_hold_nothing(store: Store, code: int) -> None:
    await take(store, numbers(3))
    book = ledger(store)
    [claim] = await claims(book, budget=1)
    await refuse(book, claim, code)
    assert len(await claims(book)) == 2


async def test_tm15_what_is_over_the_day_s_limit_is_told_once_a_run_and_day(store: Store) -> None:
    limits = {"segments_per_day": 10, "time_zone": "America/New_York"}
    await set_limits(store, sequence=2, limits=limits)
    page = await take(store, numbers(4), segments=[4, 4, 4, 4])
    book = ledger(store)
    for _ in range(3):
        await claims(book)
    midnight = datetime(2026, 3, 3, 5, tzinfo=UTC)
    [event] = await held(store)
    assert (event.run_id, event.held_by, event.messages, event.segments) == (
        page.run_id,
        HeldBy.DAY_LIMIT,
        2,
        8,
    )
    assert (event.until, event.left_out) == (midnight, False)
    late = await take(store, numbers(1, start=20), segments=3)
    await claims(book)
    assert [each.run_id for each in await held(store)] == [page.run_id, late.run_id]
    assert len(await claims(book, at=midnight)) == 2
    assert len(await claims(book, at=midnight)) == 0
    assert len(await held(store)) == 3


def test_tm15_a_day_ends_at_the_organisation_s_midnight_summer_time_or_not() -> None:
    zone = ZoneInfo("America/New_York")
    spring = datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert day_after(spring, zone) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert day_after(spring - timedelta(days=1), zone) == datetime(2026, 3, 8, 5, tzinfo=UTC)


async def test_tm15_what_is_left_out_over_the_day_s_limit_is_told_with_its_figures(
    store: Store,
) -> None:
    limits = {"segments_per_day": 2, "over_day_limit": "leave_out"}
    await set_limits(store, sequence=2, limits=limits)
    await take(store, numbers(5))
    await all_claims(ledger(store))
    [event] = await held(store)
    assert (event.held_by, event.messages, event.left_out, event.until) == (
        HeldBy.DAY_LIMIT,
        3,
        True,
        None,
    )


async def test_tm15_what_is_left_out_over_the_run_s_limit_is_told_with_its_figures(
    store: Store,
) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_run": 10})
    page = await take(store, numbers(6), segments=[4, 4, 3, 1, 1, 1])
    await all_claims(ledger(store))
    [event] = await held(store)
    assert (event.run_id, event.held_by, event.messages, event.segments, event.left_out) == (
        page.run_id,
        HeldBy.RUN_LIMIT,
        4,
        6,
        True,
    )


async def test_tm15_40_000_segments_leave_on_14_days_as_estimated(store: Store) -> None:
    """3,000 on each of 13 days and 1,000 on the fourteenth, with a run's limit of 50,000."""
    limits = {"segments_per_run": 50_000, "segments_per_day": 3_000}
    await set_limits(store, sequence=2, limits=limits)
    await take(store, numbers(2_000), segments=20)
    book = ledger(store)
    days = []
    for day in range(15):
        at = NOW + timedelta(days=day)
        used = 0
        while (
            picked := await book.claim(LANE, at=at, until=at + LEASE, budget=5_000, limit=200)
        ).claims:
            used += picked.segments
            sids = [Result(c, Accepted(sid=f"SM{c.message_id.hex}")) for c in picked.claims]
            await book.settle(sids, at=at)
        days.append(used)
    assert days == [3_000] * 13 + [1_000, 0]
    events = await held(store)
    assert [each.segments for each in events] == [40_000 - 3_000 * n for n in range(1, 14)]
    assert [event for event in await told(store) if isinstance(event, RecipientExcluded)] == []
    await books_agree(store)


async def test_tm6_a_test_needs_no_room_and_uses_none(store: Store) -> None:
    """100 with the day's limit used up."""
    await set_limits(store, sequence=2, limits={"segments_per_day": 1, "segments_per_run": 1})
    await take(store, numbers(1))
    book = ledger(store)
    assert len(await claims(book)) == 1
    await take(store, numbers(100, start=10), mode=Mode.TEST)
    assert (await states(store)).count(State.SIMULATED) == 100
    assert await held(store) == []
    await books_agree(store)


async def test_tm19_a_number_s_own_limit_a_day_counts_beside_the_organisation_s(
    store: Store,
) -> None:
    await set_limits(store, sequence=2, number={"segments_per_day": 5})
    await take(store, numbers(4), segments=2)
    book = ledger(store)
    assert len(await claims(book)) == 2
    [event] = await held(store)
    assert (event.held_by, event.messages) == (HeldBy.DAY_LIMIT, 2)
    assert len(await claims(book, at=NOW + timedelta(days=1))) == 2
    await books_agree(store)


@pytest.mark.parametrize(
    ("verification", "own", "rate"),
    [
        (Verification.VERIFIED, None, 3.0),
        (Verification.VERIFIED, 100, 3.0),
        (Verification.VERIFIED, 0, 0.0),
        (Verification.PENDING, None, 0.0),
        (Verification.RESTRICTED, None, 0.0),
        (Verification.RESTRICTED, 200, 3.0),
        (Verification.PENDING, 0, 0.0),
    ],
)
def test_tm19_what_is_not_verified_sends_only_what_its_own_limit_says(
    verification: Verification, own: int | None, rate: float
) -> None:
    number = SendingNumber(
        number=LANE.from_number,
        segments_per_second=3,
        verification=verification,
        segments_per_day=own,
    )
    assert rate_of(number) == rate
