"""What people decide: about unknown messages (X-10), and to resend what a run missed (X-2)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.sender.books import (
    LANE,
    NOW,
    ORGANIZATION,
    all_claims,
    books_agree,
    claims,
    consent,
    hear,
    ledger,
    numbers,
    rows,
    set_limits,
    states,
    take,
    told,
)

from chassis.store import Store
from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason, RecipientsResolved
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageResolutionDecided,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
    Resolution,
)
from contracts.events.run import RunResendRequested, RunResent
from sender.adapters.decisions import SqlDecisions
from sender.adapters.ledger import SqlLedger
from sender.adapters.proofs import SqlProofs
from sender.adapters.resends import SqlResends
from sender.domain.doubts import Ambiguous
from sender.domain.messages import Claim, State
from sender.ports import Conclusion, Result, Witness

LATER = NOW + timedelta(minutes=10)


async def decide(
    store: Store,
    claim: Claim,
    resolution: Resolution,
    *,
    sid: str | None = None,
    organization: UUID = ORGANIZATION,
) -> Envelope[MessageResolutionDecided]:
    row = next(row for row in await rows(store) if row.message_id == claim.message_id)
    event = MessageResolutionDecided(
        organization_id=organization,
        occurred_at=LATER,
        sequence=1,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        message_id=row.message_id,
        resolution=resolution,
        sid=sid,
        by="operator",
    )
    sealed = seal(event)
    await follow(store, sealed)
    return sealed


async def follow(store: Store, *decisions: Envelope[MessageResolutionDecided]) -> None:
    async with store.transaction() as transaction:
        for envelope in await SqlDecisions(transaction).take(decisions, at=LATER):
            transaction.publish_sealed(envelope)


async def unknown(store: Store, book: SqlLedger, *found: Claim) -> None:
    await book.settle([Result(claim, None) for claim in found], at=NOW)
    doubts = await book.doubts(at=LATER, until=LATER, limit=10)
    await book.conclude([Conclusion(doubt, Ambiguous()) for doubt in doubts])


async def outcomes(store: Store) -> list[object]:
    return [event.outcome for event in await told(store) if isinstance(event, MessageSubmitted)]


async def test_an_operator_s_word_settles_an_unknown_message(store: Store) -> None:
    await take(store, numbers(3))
    book = ledger(store)
    sent, again, given_up = await claims(book)
    await unknown(store, book, sent, again, given_up)
    await decide(store, sent, Resolution.SENT, sid="SM1")
    await decide(store, again, Resolution.SEND_AGAIN)
    await decide(store, given_up, Resolution.GIVEN_UP)
    assert await states(store) == [State.ACCEPTED, State.QUEUED, State.EXCLUDED]
    assert (await outcomes(store))[3:] == [Accepted(sid="SM1")]
    [excluded] = [e for e in await told(store) if isinstance(e, RecipientExcluded)]
    assert (excluded.reason, excluded.sequence) == (Reason.GIVEN_UP, 3)
    await books_agree(store)
    [anew] = await claims(book, at=LATER)
    assert anew.message_id == again.message_id


async def test_an_operator_may_know_better_while_a_message_is_in_doubt(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await book.settle([Result(claim, None)], at=NOW)
    await decide(store, claim, Resolution.SENT, sid="SM1")
    assert await states(store) == [State.ACCEPTED]
    assert await book.doubts(at=LATER, until=LATER, limit=9) == []


@pytest.mark.parametrize("resolution", list(Resolution))
async def test_a_decision_about_what_is_not_unknown_changes_nothing(
    store: Store, resolution: Resolution
) -> None:
    await take(store, numbers(3))
    book = ledger(store)
    accepted, refused, claimed = await claims(book)
    await book.settle([Result(accepted, Accepted(sid="SM1"))], at=NOW)
    await book.settle([Result(refused, Refused(code=30000))], at=NOW)
    before = await rows(store)
    for claim in (accepted, refused, claimed):
        await decide(store, claim, resolution, sid="SM9")
    assert await rows(store) == before


async def test_a_sid_that_is_another_message_s_is_refused(store: Store) -> None:
    await take(store, numbers(2))
    book = ledger(store)
    known, doubtful = await claims(book)
    await book.settle([Result(known, Accepted(sid="SM1"))], at=NOW)
    await unknown(store, book, doubtful)
    await decide(store, doubtful, Resolution.SENT, sid="SM1")
    await decide(store, doubtful, Resolution.SENT)
    assert await states(store) == [State.ACCEPTED, State.UNKNOWN]


async def test_nobody_decides_about_another_organization_s_messages(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await unknown(store, book, claim)
    await decide(store, claim, Resolution.SEND_AGAIN, organization=uuid4())
    assert await states(store) == [State.UNKNOWN]


async def test_a_decision_that_comes_again_says_nothing_about_a_later_claim(store: Store) -> None:
    await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await unknown(store, book, claim)
    decision = await decide(store, claim, Resolution.SEND_AGAIN)
    later = LATER + timedelta(minutes=1)
    [anew] = await claims(book, at=later)
    await book.settle([Result(anew, None)], at=later)
    await follow(store, decision)
    assert await states(store) == [State.IN_DOUBT]


async def test_a_message_that_was_given_up_and_proves_sent_is_not_resent(store: Store) -> None:
    page = await take(store, numbers(1))
    book = ledger(store)
    [claim] = await claims(book)
    await unknown(store, book, claim)
    await decide(store, claim, Resolution.GIVEN_UP)
    proof = Witness(claim.message_id, ORGANIZATION, "SM1", LANE.from_number, claim.to_number)
    async with store.transaction() as transaction:
        await SqlProofs(transaction).take([proof], at=NOW)
    assert await press(store, page) is None
    assert await states(store) == [State.ACCEPTED]
    await books_agree(store)


async def press(
    store: Store,
    page: RecipientsResolved,
    *,
    run: UUID | None = None,
    asked: Envelope[RunResendRequested] | None = None,
    organization: UUID = ORGANIZATION,
) -> RunResent | None:
    """Ask for a resend; returns what was told of the new run, if there is one."""
    before = len(await told(store))
    asked = asked or seal(
        RunResendRequested(
            organization_id=organization,
            occurred_at=LATER,
            sequence=1,
            run_id=run or page.run_id,
            campaign_id=page.campaign_id,
            by="staff",
        )
    )
    async with store.transaction() as transaction:
        for envelope in await SqlResends(transaction).take(asked, at=LATER):
            transaction.publish_sealed(envelope)
    new = (await told(store))[before:]
    queued = [event for event in new if isinstance(event, MessageQueued)]
    resent = [event for event in new if isinstance(event, RunResent)]
    assert len(resent) == bool(queued)
    for event in resent:
        assert (event.recipients, event.segments) == (
            len(queued),
            sum(each.segments for each in queued),
        )
    return resent[0] if resent else None


async def missed_some(store: Store) -> tuple[RecipientsResolved, SqlLedger, Claim]:
    """Conduct a run of 8: each row has another end, and the last two are over the limit."""
    await set_limits(store, sequence=2, limits={"segments_per_run": 6})
    page = await take(store, numbers(8))
    book = ledger(store)
    accepted, refused, invalid, opted_out, doubtful, _ = await all_claims(book)
    await book.settle(
        [
            Result(accepted, Accepted(sid="SM1")),
            Result(refused, Refused(code=30007)),
            Result(invalid, Refused(code=21211, invalid_number=True)),
            Result(opted_out, Refused(code=21610)),
            Result(doubtful, None),
        ],
        at=NOW,
    )
    return page, book, doubtful


async def test_a_resend_takes_what_was_never_accepted_and_can_be_sent(store: Store) -> None:
    page, _, _ = await missed_some(store)
    resent = await press(store, page)
    assert resent is not None
    assert resent.run_id == ids.resend_run_id(page.run_id, 1)
    assert (resent.earlier_run_id, resent.by) == (page.run_id, "staff")
    new = [row for row in await rows(store) if row.run_id == resent.run_id]
    assert [row.row for row in new] == [2, 7, 8]
    old = {row.message_id: row for row in await rows(store) if row.run_id == page.run_id}
    queued = [e for e in await told(store) if isinstance(e, MessageQueued) and e.supersedes]
    for event in queued:
        earlier = old[event.supersedes] if event.supersedes else None
        assert earlier is not None and earlier.superseded_by == event.message_id
        assert (event.imis_id, event.to, event.text, event.write_to) == (
            earlier.imis_id,
            earlier.to_number,
            earlier.text,
            page.write_to,
        )
        assert event.message_id == ids.message_id(ids.recipient_id(resent.run_id, event.row))
    # The new run has a limit of its own.
    assert len(await all_claims(ledger(store))) == 3


async def test_pressed_twice_while_one_is_in_doubt_it_takes_only_what_was_missed_since(
    store: Store,
) -> None:
    page, book, doubtful = await missed_some(store)
    first = await press(store, page)
    assert first is not None and first.recipients == 3
    assert await press(store, page) is None
    await unknown(store, book)
    assert await press(store, page) is None
    await decide(store, doubtful, Resolution.GIVEN_UP)
    second = await press(store, page)
    assert second is not None and second.recipients == 1
    assert second.run_id == ids.resend_run_id(page.run_id, 2)
    assert await press(store, page) is None


async def test_a_command_that_comes_again_changes_nothing(store: Store) -> None:
    page, book, doubtful = await missed_some(store)
    asked = seal(
        RunResendRequested(
            organization_id=ORGANIZATION,
            occurred_at=LATER,
            sequence=1,
            run_id=page.run_id,
            campaign_id=page.campaign_id,
            by="staff",
        )
    )
    assert await press(store, page, asked=asked) is not None
    await unknown(store, book)
    await decide(store, doubtful, Resolution.GIVEN_UP)
    assert await press(store, page, asked=asked) is None


async def test_what_the_new_run_missed_is_resent_by_its_own_name(store: Store) -> None:
    page, _, _ = await missed_some(store)
    first = await press(store, page)
    assert first is not None
    book = ledger(store)
    found = await all_claims(book)
    await book.settle([Result(claim, Refused(code=30007)) for claim in found], at=NOW)
    assert await press(store, page) is None
    again = await press(store, page, run=first.run_id)
    assert again is not None and again.recipients == 3
    assert again.earlier_run_id == first.run_id


async def test_who_opted_out_since_is_not_texted_by_a_resend(store: Store) -> None:
    page, _, _ = await missed_some(store)
    await hear(store, consent(numbers(8)[6], 1, out=True))
    resent = await press(store, page)
    assert resent is not None and resent.recipients == 2
    await hear(store, consent(numbers(8)[6], 2, out=False))
    resent = await press(store, page)
    assert resent is not None and resent.recipients == 1


async def test_nobody_resends_another_organization_s_run(store: Store) -> None:
    page, _, _ = await missed_some(store)
    assert await press(store, page, organization=uuid4()) is None
