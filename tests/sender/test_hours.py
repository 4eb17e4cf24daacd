"""X-4: promotional texts leave at hours that are fit where the member is; the others at any."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.sender.books import (
    LANE,
    LEASE,
    ask,
    books_agree,
    claims,
    consent,
    enter,
    hear,
    ledger,
    page_of,
    rows,
    set_limits,
    states,
    sweep,
    told,
)
from tests.sender.singles import requested

from chassis.store import Store
from contracts.envelope import seal
from contracts.events.audience import Totals
from contracts.events.campaign import Mode, Purpose
from contracts.events.message import (
    Accepted,
    MessageHeld,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
)
from contracts.events.run import HeldBy, RunHeld, RunResendRequested
from sender.adapters.resends import SqlResends
from sender.domain.messages import State
from sender.ports import Result

NEW_YORK, LOS_ANGELES, MIAMI = "+12125552671", "+13105552671", "+13055552671"
EASTERN = ZoneInfo("America/New_York")
MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=EASTERN)
NIGHT = MORNING - timedelta(hours=1)


def promotional(*to: str, zone: str = "", last: bool = True, mode: Mode = Mode.LIVE):  # type: ignore[no-untyped-def]
    page = page_of(list(to), mode=mode)
    recipients = tuple(each.model_copy(update={"zone": zone}) for each in page.recipients)
    count = len(recipients)
    totals = Totals(rows=count, recipients=count, rejected=0, segments=count) if last else None
    changes = {"purpose": Purpose.PROMOTIONAL, "recipients": recipients, "totals": totals}
    return page.model_copy(update=changes)


async def held(store: Store) -> list[MessageHeld]:
    return [event for event in await told(store) if isinstance(event, MessageHeld)]


async def sent_at(store: Store, at: datetime) -> list[str]:
    """Let the workers do their part, then claim and have accepted what may leave."""
    await sweep(store, at=at)
    book = ledger(store)
    found = await claims(book, at=at)
    sids = [Result(each, Accepted(sid=f"SM{each.message_id.hex}")) for each in found]
    if sids:
        await book.settle(sids, at=at)
    return sorted(each.to_number for each in found)


async def test_x4_texts_wait_for_the_morning_of_each_member_and_are_told_once(
    store: Store,
) -> None:
    page = promotional(NEW_YORK, LOS_ANGELES)
    await enter(store, page, at=NIGHT)
    assert await states(store) == [State.HELD] * 2
    events = await held(store)
    assert [(each.until, each.place, each.sequence) for each in events] == [
        (MORNING, "US America/New_York", 2),
        (MORNING + timedelta(hours=3), "US America/Los_Angeles", 2),
    ]
    [run] = [event for event in await told(store) if isinstance(event, RunHeld)]
    assert (run.held_by, run.messages, run.segments, run.until, run.left_out) == (
        HeldBy.QUIET_HOURS,
        2,
        2,
        MORNING,
        False,
    )
    assert await sent_at(store, MORNING - timedelta(minutes=1)) == []
    assert await sent_at(store, MORNING) == [NEW_YORK]
    assert await sent_at(store, MORNING + timedelta(hours=3)) == [LOS_ANGELES]
    assert len(await held(store)) == 2
    submitted = [event for event in await told(store) if isinstance(event, MessageSubmitted)]
    assert {each.sequence for each in submitted} == {3}
    await books_agree(store)


async def test_x4_what_does_not_leave_before_the_window_closes_waits_for_the_next(
    store: Store,
) -> None:
    """Miami closes an hour before New York."""
    await enter(store, promotional(MIAMI, NEW_YORK), at=MORNING)
    evening = MORNING.replace(hour=20)
    assert await states(store) == [State.QUEUED] * 2
    book = ledger(store)
    # Not even before a worker has looked.
    assert [c.to_number for c in await claims(book, at=evening)] == [NEW_YORK]
    await sweep(store, at=evening)
    assert (await states(store))[0] == State.HELD
    [event] = await held(store)
    assert (event.until, event.sequence) == (MORNING + timedelta(days=1), 2)
    assert await sent_at(store, MORNING + timedelta(days=1)) == [MIAMI]


async def test_x4_nothing_is_lost_when_nobody_worked_for_days(store: Store) -> None:
    await enter(store, promotional(NEW_YORK), at=NIGHT)
    late = MORNING + timedelta(days=3, hours=14)
    assert await sent_at(store, late) == []
    assert [each.until for each in await held(store)] == [MORNING, MORNING + timedelta(days=4)]
    assert await sent_at(store, MORNING + timedelta(days=4)) == [NEW_YORK]


async def test_x4_the_member_s_zone_wins_then_the_organisation_s_then_the_number_s(
    store: Store,
) -> None:
    await enter(store, promotional(NEW_YORK), at=NIGHT)
    await set_limits(store, sequence=2, limits={"recipients_zone": "Europe/Berlin"})
    await enter(store, promotional(NEW_YORK), at=NIGHT)
    await enter(store, promotional(NEW_YORK, zone="Pacific/Honolulu"), at=NIGHT)
    places = {row.place for row in await rows(store)}
    assert places == {"US America/New_York", "US Europe/Berlin", "US Pacific/Honolulu"}
    assert sorted(await states(store)) == [State.HELD, State.HELD, State.QUEUED]


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.TEST])
async def test_x4_informational_texts_and_tests_keep_no_hours(store: Store, mode: Mode) -> None:
    await enter(store, page_of([NEW_YORK]), at=NIGHT)
    await enter(store, promotional(LOS_ANGELES, mode=Mode.TEST), at=NIGHT)
    await ask(store, requested(MIAMI, mode=mode), at=NIGHT)
    assert await held(store) == []
    expected = [NEW_YORK] if mode is Mode.TEST else sorted([NEW_YORK, MIAMI])
    assert await sent_at(store, NIGHT) == expected


async def test_x4_a_promotional_single_text_waits_as_well(store: Store) -> None:
    await ask(store, requested(NEW_YORK, purpose=Purpose.PROMOTIONAL), at=NIGHT)
    assert await sent_at(store, NIGHT) == []
    assert await sent_at(store, MORNING) == [NEW_YORK]


async def test_x3_x4_who_opts_out_in_the_night_is_left_out_at_once(store: Store) -> None:
    await enter(store, promotional(NEW_YORK), at=NIGHT)
    await hear(store, consent(NEW_YORK, 1, out=True))
    [excluded] = [event for event in await told(store) if isinstance(event, RecipientExcluded)]
    assert excluded.sequence == 3
    assert await sent_at(store, MORNING) == []


async def test_x4_what_twilio_was_too_busy_for_until_the_evening_waits_for_the_morning(
    store: Store,
) -> None:
    await enter(store, promotional(NEW_YORK), at=MORNING)
    book = ledger(store)
    closing = MORNING.replace(hour=21)
    picked = await book.claim(
        LANE, at=closing - timedelta(seconds=5), until=closing + LEASE, budget=9, limit=9
    )
    again = closing + timedelta(seconds=5)
    await book.settle([Result(picked.claims[0], None, again_at=again)], at=closing)
    assert await sent_at(store, again) == []
    assert await sent_at(store, MORNING + timedelta(days=1)) == [NEW_YORK]
    await books_agree(store)


async def test_x2_x4_a_resend_by_night_waits_too(store: Store) -> None:
    page = promotional(NEW_YORK)
    await enter(store, page, at=MORNING)
    book = ledger(store)
    [claim] = await claims(book, at=MORNING)
    await book.settle([Result(claim, Refused(code=30000))], at=MORNING)
    midnight = MORNING.replace(hour=23)
    command = RunResendRequested(
        organization_id=page.organization_id,
        occurred_at=midnight.astimezone(UTC),
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        by="staff",
    )
    async with store.transaction() as transaction:
        for envelope in await SqlResends(transaction).take(seal(command), at=midnight):
            transaction.publish_sealed(envelope)
    assert [each.until for each in await held(store)] == [MORNING + timedelta(days=1)]
    assert await sent_at(store, midnight) == []
    assert await sent_at(store, MORNING + timedelta(days=1)) == [NEW_YORK]
    [run] = [event for event in await told(store) if isinstance(event, RunHeld)]
    assert run.run_id != page.run_id


async def test_x4_a_page_that_comes_again_holds_nothing_twice(store: Store) -> None:
    page = promotional(NEW_YORK)
    await enter(store, page, at=NIGHT)
    await enter(store, page, at=MORNING)
    assert len(await held(store)) == 1
    assert len([event for event in await told(store) if isinstance(event, RunHeld)]) == 1
