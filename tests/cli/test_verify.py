"""`audit verify` (X-9): a whole log is whole in any order; every harm to it is found."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.cli.logbook import LogBook

from contracts import ids
from contracts.envelope import Envelope
from contracts.events.activity import ActivityDeleted, ActivityWritten
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue, Mode, WriteTo
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageRequested,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
)
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunCompleted
from textmanager.eventlog import Logged
from textmanager.verify import checks
from textmanager.verify.book import Book
from textmanager.verify.stores import Row, Stores, against

Records = list[Logged]


def book_of(records: Records) -> Book:
    book = Book()
    for each in records:
        book.take(each)
    book.close()
    return book


def found(records: Records) -> set[str]:
    return {each.check for each in checks.all_of(book_of(records))}


def first(records: Records, kind: type[Event], number: int = 0) -> int:
    return [i for i, each in enumerate(records) if isinstance(each.event, kind)][number]


def changed(records: Records, at: int, *, new_id: bool = False, **fields: Any) -> Logged:
    old = records[at].envelope
    event = old.event.model_copy(update=fields)
    return replace(
        records[at], envelope=Envelope(event, uuid4() if new_id else old.id, old.causation_id)
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_log_is_whole_in_any_order_and_with_repeats(seed: int) -> None:
    records = LogBook().records
    again = [*records, *records[::2]]
    random.Random(seed).shuffle(again)
    book = book_of(again)
    assert list(checks.all_of(book)) == []
    assert book.repeats == len(records[::2])
    assert checks.under_way(book) == 0


def test_the_same_report_told_again_later_is_no_other_content() -> None:
    records = LogBook().records
    at = first(records, TwilioCallbackReceived)
    later: dict[str, Any] = {"occurred_at": records[at].event.occurred_at + timedelta(seconds=4)}
    again = changed(records, at, form={"RawDlrDoneDate": "3001311200"}, **later)
    assert found([*records, again]) == set()
    assert found([*records, changed(records, at, message_status="failed")]) == {"events"}


def gone(kind: type[Event]) -> Callable[[Records], Records]:
    def harm(records: Records) -> Records:
        at = first(records, kind)
        return records[:at] + records[at + 1 :]

    return harm


def altered(kind: type[Event], **fields: Any) -> Callable[[Records], Records]:
    def harm(records: Records) -> Records:
        at = first(records, kind)
        return [*records[:at], changed(records, at, **fields), *records[at + 1 :]]

    return harm


def added(kind: type[Event], **fields: Any) -> Callable[[Records], Records]:
    def harm(records: Records) -> Records:
        return [*records, changed(records, first(records, kind), new_id=True, **fields)]

    return harm


def two_contents(records: Records) -> Records:
    return [*records, changed(records, first(records, MessageQueued), imis_id="other")]


def one_sid_for_two(records: Records) -> Records:
    stolen = records[first(records, MessageSubmitted)].event
    assert isinstance(stolen, MessageSubmitted)
    at = first(records, MessageSubmitted, 1)
    return [*records[:at], changed(records, at, outcome=stolen.outcome), *records[at + 1 :]]


HARMS: list[tuple[str, str, Callable[[Records], Records]]] = [
    ("an event gone that caused others", "causes", gone(MessageSubmitted)),
    ("an event with two contents", "events", two_contents),
    ("a message resolved and never queued", "causes", gone(MessageQueued)),
    ("a message without an outcome", "accounted for", gone(MessageSubmitted)),
    ("a page gone", "totals", gone(RecipientsResolved)),
    ("a page gone, so nobody resolved", "chains", gone(RecipientsResolved)),
    ("a rejection gone", "totals", gone(RecipientRejected)),
    ("a row rejected twice", "totals", added(RecipientRejected)),
    ("a run that began twice", "runs", added(CampaignDue)),
    ("a run that ended twice", "runs", added(RunCompleted)),
    ("a run of another occurrence", "derived ids", altered(CampaignDue, occurrence="launch:2")),
    ("a recipient of another row", "derived ids", altered(MessageQueued, row=77)),
    ("another text than was resolved", "chains", altered(MessageQueued, text="Bye")),
    ("another number than was resolved", "chains", altered(MessageQueued, to="+12025550999")),
    (
        "a text that Twilio took twice",
        "sent once",
        added(MessageSubmitted, sequence=3, outcome=Accepted(sid="SM" + "f" * 32)),
    ),
    ("one SID for two messages", "sent once", one_sid_for_two),
    ("a status missing in between", "statuses", gone(MessageStatusChanged)),
    (
        "a status that Twilio never told",
        "statuses",
        added(MessageStatusChanged, sequence=3, status=MessageStatus.UNDELIVERED),
    ),
    ("an activity written twice", "activities", added(ActivityWritten, seqn="77")),
    (
        "an activity with an id of its own",
        "activities",
        altered(ActivityWritten, effect_id=uuid4()),
    ),
]


@pytest.mark.parametrize(("_name", "check", "harm"), HARMS, ids=[each[0] for each in HARMS])
def test_each_harm_is_found(_name: str, check: str, harm: Callable[[Records], Records]) -> None:
    records = LogBook().records
    assert found(records) == set()
    assert check in found(harm(records))


def stores_of(book: Book) -> Stores:
    ledger = {}
    effects: dict[tuple[UUID, str], tuple[str, str | None]] = {}
    for message_id, chain in book.chains.items():
        assert chain.run_id is not None
        ledger[message_id] = Row(chain.run_id, "accepted", next(iter(chain.sids)))
        effects[message_id, "text"] = ("written", next(iter(chain.seqns["TEXTMSG"])))
    shown: dict[UUID, tuple[int, str | None, str | None]] = {}
    for message_id, chain in book.chains.items():
        assert chain.status is not None
        shown[message_id] = (len(chain.statuses), chain.status.status, chain.status.sid)
    return Stores(ledger, effects, shown=shown)


def test_stores_that_say_the_same_are_whole_and_each_difference_is_found() -> None:
    book = book_of(LogBook().records)
    one = next(iter(book.chains))
    assert list(against(book, stores_of(book))) == []

    def harmed(harm: Callable[[Stores], None]) -> list[str]:
        stores = stores_of(book)
        harm(stores)
        return [each.check for each in against(book, stores)]

    def lost(stores: Stores) -> None:
        del stores.ledger[one]

    def stranger(stores: Stores) -> None:
        stores.ledger[uuid4()] = stores.ledger[one]

    def behind(stores: Stores) -> None:
        stores.ledger[one] = Row(uuid4(), "queued", None)

    def other_sid(stores: Stores) -> None:
        stores.ledger[one] = Row(uuid4(), "accepted", "SM1")

    def unlogged(stores: Stores) -> None:
        stores.effects[one, "text"] = ("written", "4711")

    def unpublished(stores: Stores) -> None:
        stores.unpublished["sender"] = 3

    def stale(stores: Stores) -> None:
        stores.shown[one] = (1, "sent", stores.shown[one][2])

    def unshown(stores: Stores) -> None:
        del stores.shown[one]

    def gap(stores: Stores) -> None:
        stores.gaps = 1

    for harm in (stale, unshown, gap):
        assert harmed(harm) == ["read models"], harm.__name__
    for harm in (lost, stranger, behind, other_sid):
        assert harmed(harm) == ["ledger"], harm.__name__
    assert harmed(unlogged) == ["activities"]
    assert harmed(unpublished) == ["outboxes"]


def single(*, text: str = "The hall is closed.", queued: str = "The hall is closed.") -> Records:
    """One text outside all campaigns, as it is asked for and taken into the ledger."""
    book = LogBook()
    run = ids.single_run_id(book.organization, "urgent", "key")
    recipient = ids.recipient_id(run, 1)
    about: dict[str, Any] = {
        "run_id": run,
        "campaign_id": ids.single_texts_id(book.organization, "urgent"),
        "recipient_id": recipient,
        "message_id": ids.message_id(recipient),
        "to": "+12025550143",
        "from_number": "+18885550100",
        "segments": 1,
        "imis_id": "",
        "mode": Mode.LIVE,
        "write_to": WriteTo.NOTHING,
    }
    asked = book.write(MessageRequested, text=text, **about)
    book.write(MessageQueued, because=asked, row=1, text=queued, **about)
    return book.records


def test_x8_a_single_text_is_whole_without_a_campaign() -> None:
    assert found(single()) == set()
    assert found(single(queued="Another text.")) == {"chains"}


def test_tm21_an_activity_that_was_deleted_is_none_any_more() -> None:
    records = LogBook().records
    written = records[first(records, ActivityWritten)]
    event = written.event
    assert isinstance(event, ActivityWritten)
    again = changed(records, first(records, ActivityWritten), new_id=True, seqn="4712")
    assert found([*records, again]) == {"activities"}
    deleted = ActivityDeleted(**event.model_dump(exclude={"type", "transaction_date"}))
    gone_again = replace(written, envelope=Envelope(deleted, uuid4(), written.envelope.id))
    assert found([*records, again, gone_again]) == set()
