"""X-8, X-13, TM-20: a single text leaves before all others; a confirmation despite a STOP."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select
from tests.sender.books import (
    LANE,
    LEASE,
    NOW,
    ORGANIZATION,
    all_claims,
    ask,
    books_agree,
    claims,
    consent,
    enter,
    hear,
    ledger,
    numbers,
    page_of,
    rows,
    set_limits,
    states,
    take,
    told,
)
from tests.sender.singles import reply, requested

from chassis.instants import now
from chassis.store import Store
from contracts.envelope import seal
from contracts.events.audience import Reason
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageSubmitted,
    RecipientExcluded,
    ReplyPurpose,
    Simulated,
)
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import HeldBy, RunHeld
from sender.adapters.sweeps import SqlSweeps
from sender.adapters.tables import SETTINGS
from sender.domain.messages import Lane, State
from sender.ports import Result
from timing import quiet

ONE = numbers(1, start=900)[0]


async def test_x8_urgent_texts_leave_before_all_others_in_their_order(store: Store) -> None:
    await take(store, numbers(500))
    asked = [requested(number, number) for number in numbers(3, start=900)]
    for each in asked:
        await ask(store, each)
    first = await claims(ledger(store), budget=4)
    assert [claim.message_id for claim in first][:3] == [each.message_id for each in asked]
    assert len(first) == 4
    queued = [each for each in await told(store) if isinstance(each, MessageQueued)]
    assert [each.urgent for each in queued].count(True) == 3


async def test_x8_an_urgent_text_leaves_while_campaigns_have_no_connection(store: Store) -> None:
    await take(store, numbers(5))
    await ask(store, requested(ONE))
    picked = await ledger(store).claim(LANE, at=NOW, until=NOW + LEASE, budget=9, limit=0)
    assert [claim.to_number for claim in picked.claims] == [ONE]
    assert picked.more_urgent


async def test_x8_a_request_that_comes_again_is_sent_once(store: Store) -> None:
    asked = requested(ONE, write_to=WriteTo.COMMUNICATION_LOG, log_subject="Storm", imis_id="7")
    await ask(store, asked, asked)
    await ask(store, asked)
    book = ledger(store)
    [claim] = await claims(book)
    await book.settle([Result(claim, Accepted(sid="SM1"))], at=NOW)
    await ask(store, asked)
    assert await claims(book) == []
    [queued] = [each for each in await told(store) if isinstance(each, MessageQueued)]
    assert (queued.write_to, queued.log_subject, queued.imis_id, queued.row) == (
        WriteTo.COMMUNICATION_LOG,
        "Storm",
        "7",
        1,
    )
    await books_agree(store)


async def test_x3_who_has_opted_out_gets_no_urgent_text_either(store: Store) -> None:
    await ask(store, requested(ONE, "before"))
    await hear(store, consent(ONE, 1, out=True))
    await ask(store, requested(ONE, "after"))
    excluded = [each for each in await told(store) if isinstance(each, RecipientExcluded)]
    assert [(each.reason, each.to, each.from_number) for each in excluded] == [
        (Reason.OPTED_OUT, ONE, LANE.from_number)
    ] * 2
    assert await claims(ledger(store)) == []


async def test_tm20_only_the_confirmation_of_a_stop_reaches_who_has_opted_out_and_once(
    store: Store,
) -> None:
    confirmation = reply(ONE, ReplyPurpose.OPTED_OUT)
    await ask(store, confirmation)
    # The opt-out's own sweep leaves it alone, whichever of the two comes first.
    await hear(store, consent(ONE, 1, out=True))
    await ask(store, confirmation, reply(ONE, ReplyPurpose.HELP, "SM2"))
    book = ledger(store)
    [claim] = await claims(book)
    assert claim.message_id == confirmation.message_id
    await book.settle([Result(claim, Accepted(sid="SM9"))], at=NOW)
    await ask(store, confirmation)
    assert await claims(book) == []
    assert sorted(await states(store)) == [State.ACCEPTED, State.EXCLUDED]


async def test_tm15_urgent_texts_count_for_the_day_and_for_no_run(store: Store) -> None:
    await set_limits(store, sequence=2, limits={"segments_per_day": 3, "segments_per_run": 1})
    long = requested(ONE).model_copy(update={"segments": 2})
    await ask(store, long)
    await take(store, numbers(3))
    assert sum(claim.segments for claim in await all_claims(ledger(store))) == 3
    await books_agree(store)
    await ask(store, requested(numbers(1, start=901)[0], "2"))
    assert await all_claims(ledger(store)) == []
    held = [each for each in await told(store) if isinstance(each, RunHeld)]
    assert HeldBy.DAY_LIMIT in {each.held_by for each in held}
    assert len(await claims(ledger(store), at=NOW + timedelta(days=1))) == 1


async def test_x8_a_number_that_is_no_sending_number_of_ours_never_sends(store: Store) -> None:
    """It waits: settings may be heard of later than the request."""
    elsewhere = requested(ONE).model_copy(update={"from_number": "+18885550199"})
    await ask(store, elsewhere)
    assert await claims(ledger(store)) == []
    lanes = await ledger(store).lanes()
    assert lanes == [Lane(ORGANIZATION, "+18885550199")]


async def test_x13_a_single_text_of_a_test_is_simulated(store: Store) -> None:
    await ask(store, requested(ONE, mode=Mode.TEST))
    [submitted] = [each for each in await told(store) if isinstance(each, MessageSubmitted)]
    assert isinstance(submitted.outcome, Simulated)
    assert await claims(ledger(store)) == []


async def test_tm8_what_a_page_says_of_the_log_goes_along_and_is_kept_for_a_resend(
    store: Store,
) -> None:
    page = page_of(numbers(1)).model_copy(update={"log_subject": "Dues"})
    await enter(store, page)
    [queued] = [each for each in await told(store) if isinstance(each, MessageQueued)]
    assert (queued.log_subject, queued.urgent) == ("Dues", False)
    [row] = await rows(store)
    assert row.log_subject == "Dues"


async def test_x8_two_organisations_never_wait_for_each_other(store: Store) -> None:
    """One's day is full, or its lane is long: the other's claims don't see it."""
    other = await another_organization(store)
    await set_limits(store, sequence=2, limits={"segments_per_day": 1})
    await take(store, numbers(50, start=50))
    book = ledger(store)
    assert len(await claims(book)) == 1
    picked = await book.claim(other, at=NOW, until=NOW + LEASE, budget=9, limit=9)
    assert (len(picked.claims), picked.held) == (2, False)


async def another_organization(store: Store) -> Lane:
    """A second organisation, with two texts that wait."""
    lane = Lane(uuid4(), "+18885550177")
    async with store.transaction() as transaction:
        known = (await transaction.execute(select(SETTINGS.table.c.event))).scalar_one()
        event = OrganizationSettingsChanged.model_validate_json(known)
        mine = event.model_copy(update={"organization_id": lane.organization_id})
        await SETTINGS.fold(transaction, [seal(mine)])
    page = page_of(numbers(2)).model_copy(
        update={"organization_id": lane.organization_id, "from_number": lane.from_number}
    )
    await enter(store, page)
    return lane


async def test_x8_a_single_text_whose_number_is_gone_is_left_out_with_its_reason(
    store: Store,
) -> None:
    elsewhere = requested(numbers(1)[0], "gone").model_copy(update={"from_number": "+18885550199"})
    await ask(store, elsewhere, requested(numbers(1)[0], "stays"))
    campaign = page_of(numbers(1, start=5)).model_copy(update={"from_number": "+18885550199"})
    await enter(store, campaign)
    sweeps = SqlSweeps(store, quiet.standard())
    # It may have been asked for by settings that are on their way.
    assert await sweeps.leave_out_stranded(at=now()) == 0
    assert await sweeps.leave_out_stranded(at=now() + timedelta(minutes=2)) == 1
    found = {row.message_id: (row.state, row.reason) for row in await rows(store)}
    assert found.pop(elsewhere.message_id) == (State.EXCLUDED, Reason.NO_SENDER)
    assert set(found.values()) == {(State.QUEUED, None)}
    [said] = [each for each in await told(store) if isinstance(each, RecipientExcluded)]
    assert (said.message_id, said.reason) == (elsewhere.message_id, Reason.NO_SENDER)
