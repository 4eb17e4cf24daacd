"""TM-20: replies, free texts that a person reads, staff's own opt-outs, and imports."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.consent.facts import ACME, DESK, MEMBER, NOON, OFFICE, OTHER, settings, text
from tests.consent.rigs import MemoryRig, Rig, postgres_rig, sqlite_rig

from contracts.envelope import Envelope, seal
from contracts.events.consent import (
    Consent,
    ConsentDecided,
    ImportedOptOut,
    OptOutsImported,
    ReviewChanged,
    ReviewDecided,
    ReviewStatus,
)
from contracts.events.message import ReplyPurpose, ReplyRequested
from contracts.ids import message_id, recipient_id, single_run_id
from texting.segments import count

OUT, IN = "opted_out", "opted_in"
SECOND = "+12025550144"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    match request.param:
        case "memory":
            yield await known(MemoryRig())
        case "sqlite":
            async with sqlite_rig() as sqlite:
                yield await known(sqlite)
        case _:
            async with postgres_rig() as postgres:
                yield await known(postgres)


async def known(rig: Any) -> Any:
    await rig.change_settings(settings(replies="us"))
    return rig


async def replies(rig: Rig) -> list[ReplyRequested]:
    return [each.event for each in await rig.told() if isinstance(each.event, ReplyRequested)]


async def reviews(rig: Rig) -> list[ReviewChanged]:
    return [each.event for each in await rig.told() if isinstance(each.event, ReviewChanged)]


def by_staff(
    consent: Consent, *, number: str = MEMBER, from_number: str = "", seconds: float = 0
) -> Envelope[ConsentDecided]:
    return seal(
        ConsentDecided(
            organization_id=ACME,
            occurred_at=NOON + timedelta(seconds=seconds),
            sequence=1,
            decision_id=uuid4(),
            number=number,
            from_number=from_number,
            consent=consent,
            by="KSMITH",
        )
    )


def decision(review: ReviewChanged, status: ReviewStatus, *, of: UUID = ACME) -> Any:
    return seal(
        ReviewDecided(
            organization_id=of,
            occurred_at=NOON + timedelta(hours=1),
            sequence=1,
            review_id=review.review_id,
            status=status,
            by="KSMITH",
        )
    )


def imported(*entries: ImportedOptOut, import_id: UUID | None = None, part: int = 0) -> Any:
    return seal(
        OptOutsImported(
            organization_id=ACME,
            occurred_at=NOON + timedelta(hours=1),
            sequence=1,
            import_id=import_id or uuid4(),
            part=part,
            entries=entries,
            by="KSMITH",
        )
    )


async def test_tm20_a_stop_is_confirmed_in_the_guides_words_where_nobody_else_does(
    rig: Rig,
) -> None:
    stop = text("stop", sid="SM-stop")
    await rig.texts(stop)
    [reply] = await replies(rig)
    assert reply.text == (
        "You have successfully been unsubscribed. You will not receive any more messages from "
        "this number. Reply START to resubscribe."
    )
    assert (reply.to, reply.from_number, reply.purpose) == (MEMBER, OFFICE, ReplyPurpose.OPTED_OUT)
    assert reply.message_id == message_id(recipient_id(single_run_id(ACME, "reply", "SM-stop"), 1))
    assert count(reply.text).segments == reply.segments
    told = [each for each in await rig.told() if isinstance(each.event, ReplyRequested)]
    assert told[0].causation_id == stop.id


async def test_tm20_a_start_is_answered_too_and_nothing_is_answered_twice(rig: Rig) -> None:
    stop, start = text("STOP"), text("START", seconds=2)
    await rig.texts(stop)
    await rig.texts(stop, text("STOP", seconds=1))
    await rig.texts(start)
    await rig.texts(stop, start, text("UNSTOP", seconds=3))
    found = await replies(rig)
    assert [each.purpose for each in found] == [ReplyPurpose.OPTED_OUT, ReplyPurpose.OPTED_IN]
    assert all(count(each.text).segments == each.segments for each in found)


async def test_tm20_twilios_own_answer_is_not_repeated(rig: Rig) -> None:
    # Advanced Opt-Out says so in the text; else it is a setting of the number.
    await rig.texts(text("STOP", OptOutType="STOP"))
    await rig.change_settings(settings(sequence=2, replies="twilio"))
    await rig.texts(text("START", seconds=1))
    assert len(await rig.published()) == 2
    assert await replies(rig) == []


async def test_tm20_an_opt_out_of_everything_is_answered_once(rig: Rig) -> None:
    await rig.change_settings(settings(sequence=2, replies="us", opt_out_of="organization"))
    await rig.texts(text("STOP"))
    assert len(await rig.published()) == 2
    [reply] = await replies(rig)
    assert reply.from_number == OFFICE


async def test_tm20_free_text_waits_for_a_person_and_counts_from_when_it_was_written(
    rig: Rig,
) -> None:
    await rig.texts(text("please stop texting me", seconds=5), text("Stop by our booth!"))
    [asked] = await reviews(rig)
    assert (asked.status, asked.number, asked.text) == (
        ReviewStatus.OPEN,
        MEMBER,
        "please stop texting me",
    )
    assert await rig.published() == []
    command = decision(asked, ReviewStatus.OPTED_OUT)
    await rig.decide(command)
    await rig.decide(command, decision(asked, ReviewStatus.DISMISSED))
    [_, after] = await reviews(rig)
    assert (after.status, after.by, after.sequence) == (ReviewStatus.OPTED_OUT, "KSMITH", 2)
    [told] = await rig.published()
    assert told.event.occurred_at == NOON + timedelta(seconds=5)
    assert await rig.history() == [(OFFICE, OUT, "staff", "", "KSMITH")]
    # Nobody is answered for what a person read.
    assert await replies(rig) == []


async def test_tm20_a_start_after_the_text_outweighs_what_a_person_reads_later(rig: Rig) -> None:
    await rig.texts(text("please stop texting me", seconds=1), text("START", seconds=9))
    [asked] = await reviews(rig)
    await rig.decide(decision(asked, ReviewStatus.OPTED_OUT))
    assert await rig.standings() == {}
    assert len(await reviews(rig)) == 2


async def test_tm20_a_dismissed_text_changes_nothing_and_another_organisation_decides_nothing(
    rig: Rig,
) -> None:
    await rig.texts(text("please stop texting me"))
    [asked] = await reviews(rig)
    await rig.decide(decision(asked, ReviewStatus.OPTED_OUT, of=OTHER))
    assert len(await reviews(rig)) == 1
    await rig.decide(decision(asked, ReviewStatus.DISMISSED))
    assert [each.status.value for each in await reviews(rig)] == ["open", "dismissed"]
    assert await rig.published() == []


async def test_tm20_staff_opt_out_of_all_numbers_or_of_one(rig: Rig) -> None:
    everything = by_staff(Consent.OPTED_OUT)
    await rig.staff(everything, by_staff(Consent.OPTED_OUT, number=SECOND, from_number=DESK))
    await rig.staff(everything)
    assert await rig.standings() == {("", MEMBER): (OUT, 1), (DESK, SECOND): (OUT, 1)}


async def test_tm20_staff_opt_in_again_lifts_whatever_stands_in_the_way(rig: Rig) -> None:
    await rig.texts(text("STOP"), text("STOP", to=DESK))
    await rig.staff(by_staff(Consent.OPTED_OUT, seconds=1))
    await rig.staff(by_staff(Consent.OPTED_IN, from_number=OFFICE, seconds=2))
    assert await rig.standings() == {
        ("", MEMBER): (IN, 2),
        (OFFICE, MEMBER): (IN, 2),
        (DESK, MEMBER): (OUT, 1),
    }
    await rig.staff(by_staff(Consent.OPTED_IN, seconds=3))
    assert (await rig.standings())[DESK, MEMBER] == (IN, 2)


async def test_tm20_an_imported_opt_out_counts_from_its_date_and_comes_in_once(rig: Rig) -> None:
    import_id = uuid4()
    part = imported(
        ImportedOptOut(number=MEMBER, since=NOON - timedelta(days=400)),
        ImportedOptOut(number=SECOND, from_number=OFFICE),
        import_id=import_id,
    )
    await rig.texts(text("START"))
    await rig.imports(part, part)
    await rig.imports(part)
    # MEMBER subscribed after the date in the list; SECOND's line has none, so it counts from now.
    assert await rig.standings() == {(OFFICE, SECOND): (OUT, 1)}
    [told] = await rig.published()
    assert told.event.by == "KSMITH"
    assert SECOND not in str(told.event.consent_id)


async def test_tm20_a_member_can_undo_an_imported_opt_out(rig: Rig) -> None:
    await rig.imports(imported(ImportedOptOut(number=MEMBER)))
    await rig.texts(text("START", seconds=7200))
    assert await rig.standings() == {("", MEMBER): (IN, 2)}


async def test_tm20_a_long_list_comes_in_by_parts(rig: Rig) -> None:
    import_id = uuid4()
    numbers = [f"+1202555{number:04}" for number in range(600)]
    for part in range(2):
        entries = [ImportedOptOut(number=each) for each in numbers[part * 300 : part * 300 + 300]]
        await rig.imports(imported(*entries, import_id=import_id, part=part))
    assert len(await rig.published()) == 600


async def test_tm20_a_read_wish_is_about_all_numbers_where_a_stop_is(rig: Rig) -> None:
    await rig.change_settings(settings(sequence=2, opt_out_of="organization"))
    await rig.texts(text("please stop texting me"))
    [asked] = await reviews(rig)
    await rig.decide(decision(asked, ReviewStatus.OPTED_OUT))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1), ("", MEMBER): (OUT, 1)}
