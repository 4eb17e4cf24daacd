"""TM-20, X-3: who may be texted, by what members, Twilio and the settings say."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.consent.facts import ACME, DESK, MEMBER, NOON, OFFICE, OTHER, refusal, settings, text
from tests.consent.rigs import (
    NAMES,
    MemoryRig,
    Rig,
    postgres_rig,
    sqlite_rig,
)

from consent.domain.texts import Unplaced
from contracts.envelope import Envelope
from contracts.events.consent import Consent, ConsentCause
from contracts.ids import consent_id

OUT, IN = "opted_out", "opted_in"


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
    await rig.change_settings(settings())
    return rig


async def test_a_stop_opts_the_member_out_of_the_number(rig: Rig) -> None:
    stop = text("Stop.", sid="SM-stop")
    await rig.texts(stop)
    [told] = await rig.published()
    event = told.event
    assert event.consent_id == consent_id(ACME, NAMES.of(ACME, OFFICE, MEMBER))
    assert (event.number, event.from_number, event.sequence) == (MEMBER, OFFICE, 1)
    assert (event.consent, event.cause) == (Consent.OPTED_OUT, ConsentCause.KEYWORD)
    assert (event.word, event.by, event.occurred_at) == ("STOP", "SM-stop", NOON)
    assert told.causation_id == stop.id
    assert await rig.history() == [(OFFICE, OUT, "keyword", "STOP", "SM-stop")]


async def test_no_number_stands_in_an_id(rig: Rig) -> None:
    await rig.texts(text("STOP"))
    [told] = await rig.published()
    assert MEMBER.strip("+") not in str(told.event.subject)
    assert told.event.subject != consent_id(ACME, f"{OFFICE}{MEMBER}")


async def test_a_start_opts_in_again_and_each_change_has_the_next_sequence(rig: Rig) -> None:
    for second, word in enumerate(["STOP", "START", "quit", "UNSTOP"]):
        await rig.texts(text(word, seconds=second))
    events = [each.event for each in await rig.published()]
    assert [each.sequence for each in events] == [1, 2, 3, 4]
    assert [each.consent.value for each in events] == [OUT, IN, OUT, IN]


async def test_what_changes_nothing_makes_no_event(rig: Rig) -> None:
    stop = text("STOP", seconds=1)
    await rig.texts(text("START"))
    await rig.texts(stop)
    await rig.texts(stop, stop)
    await rig.texts(text("STOPALL", seconds=2))
    await rig.refusals(refusal(seconds=3))
    assert len(await rig.published()) == 1
    assert len([each for each in await rig.history() if each[0] == OFFICE]) == 4


async def test_an_old_start_after_a_stop_changes_nothing(rig: Rig) -> None:
    start, stop = text("START", seconds=1), text("STOP", seconds=2)
    await rig.texts(text("STOP"), start)
    await rig.texts(stop)
    await rig.texts(start)
    await rig.texts(text("START", seconds=1.5))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1)}


async def test_a_stop_wins_a_tie(rig: Rig) -> None:
    await rig.texts(text("STOP", seconds=5))
    await rig.texts(text("START", seconds=5))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1)}


async def test_a_stop_from_the_list_counts_to_the_end_of_its_second(rig: Rig) -> None:
    await rig.texts(text("START", seconds=5.6))
    await rig.texts(text("STOP", seconds=5, DateCreated="2026-03-01T12:00:05+00:00"))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1)}
    await rig.texts(text("START", seconds=6.1))
    assert (await rig.standings())[OFFICE, MEMBER] == (IN, 2)


async def test_a_text_told_at_two_times_was_said_at_the_earlier_one(rig: Rig) -> None:
    await rig.texts(text("STOP", seconds=2))
    await rig.texts(text("START", sid="SM-a", seconds=9))
    assert (await rig.standings())[OFFICE, MEMBER] == (IN, 2)
    # The list says that it was said before the STOP.
    await rig.texts(text("START", sid="SM-a", seconds=1, DateCreated="x"))
    await rig.texts(text("START", sid="SM-a", seconds=9))
    assert (await rig.standings())[OFFICE, MEMBER] == (OUT, 3)


async def test_a_refusal_opts_out_as_of_the_attempt(rig: Rig) -> None:
    refused = refusal(seconds=5, told_later=60)
    await rig.refusals(refused)
    # Told again by callback, with another sequence: the same message's refusal.
    await rig.refusals(refusal(seconds=5, told_later=90, sequence=3))
    [told] = await rig.published()
    assert (told.event.cause, told.event.occurred_at) == (
        ConsentCause.PROVIDER,
        refused.event.attempted_at,
    )
    assert told.event.by == str(refused.event.message_id)
    assert told.causation_id == refused.id
    await rig.texts(text("START", seconds=6))
    assert await rig.standings() == {(OFFICE, MEMBER): (IN, 2)}


async def test_a_refusal_that_is_heard_after_the_start_that_undid_it_is_told_with_it(
    rig: Rig,
) -> None:
    start, refused = text("START", seconds=6), refusal(seconds=5, told_later=60)
    await rig.texts(text("STOP"), start)
    assert await rig.published() == []
    for _ in range(2):
        await rig.refusals(refused)
    out, back = await rig.published()
    # The sender stopped by itself when it was refused; it must hear that it may go on.
    assert (out.event.consent.value, back.event.consent.value) == (OUT, IN)
    assert (out.event.sequence, back.event.sequence) == (1, 2)
    assert out.event.occurred_at == refused.event.attempted_at
    assert back.event.occurred_at == start.event.occurred_at
    assert (out.causation_id, back.causation_id) == (refused.id, refused.id)
    assert await rig.standings() == {(OFFICE, MEMBER): (IN, 2)}


async def test_a_stop_that_is_heard_after_a_later_start_makes_no_event(rig: Rig) -> None:
    await rig.texts(text("START", seconds=6))
    await rig.texts(text("STOP", seconds=5))
    assert await rig.published() == []


@pytest.mark.parametrize(("code", "to"), [(30006, MEMBER), (None, MEMBER), (21610, None)])
async def test_other_statuses_say_nothing_of_consent(code: int | None, to: str | None) -> None:
    rig: Rig = await known(MemoryRig())
    await rig.refusals(refusal(code=code, to=to))
    assert (await rig.published(), await rig.set_aside()) == ([], 0)


async def test_where_a_stop_is_about_the_organisation_it_is_about_all_numbers(rig: Rig) -> None:
    await rig.change_settings(settings(sequence=2, opt_out_of="organization"))
    await rig.texts(text("STOP", to=OFFICE))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1), ("", MEMBER): (OUT, 1)}
    # Twilio itself still blocks the number that was told; the others may text again.
    await rig.texts(text("START", to=DESK, seconds=1))
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1), ("", MEMBER): (IN, 2)}


async def test_a_changed_setting_gives_an_old_stop_no_new_meaning(rig: Rig) -> None:
    stop = text("STOP", to=OFFICE)
    await rig.texts(stop)
    await rig.change_settings(settings(sequence=2, opt_out_of="organization"))
    await rig.texts(stop)
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1)}


async def test_nobody_stays_out_by_a_setting_that_was_changed_since(rig: Rig) -> None:
    await rig.change_settings(settings(sequence=2, opt_out_of="organization"))
    await rig.texts(text("STOP"))
    await rig.change_settings(settings(sequence=3, opt_out_of="number"))
    await rig.texts(text("START", seconds=1))
    assert {consent for consent, _ in (await rig.standings()).values()} == {IN}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (text("STOP", to="+12025550199"), Unplaced.NOT_ITS_NUMBER),
        (text("STOP", account="AC-2"), Unplaced.NOT_ITS_ACCOUNT),
        (text("STOP", organization=OTHER), Unplaced.NO_SETTINGS),
    ],
)
async def test_a_text_that_isn_t_the_organisation_s_is_not_believed(
    rig: Rig, told: Envelope[Any], reason: Unplaced
) -> None:
    await rig.texts(told, told)
    await rig.texts(told)
    assert set(rig.watch.reasons) == {reason}
    assert (await rig.published(), await rig.set_aside()) == ([], 1)
    assert not await rig.again()
    assert await rig.set_aside() == 1


async def test_what_settings_didn_t_account_for_counts_once_they_do(rig: Rig) -> None:
    await rig.texts(text("STOP", to="+12025550199"), text("STOP", organization=OTHER))
    await rig.refusals(refusal(organization=OTHER, seconds=-1))
    assert await rig.published() == []
    await rig.change_settings(settings(sequence=2, numbers=(OFFICE, "+12025550199")))
    await rig.change_settings(settings(OTHER))
    assert await rig.again()
    assert not await rig.again()
    told = sorted(
        (each.event.organization_id, each.event.from_number) for each in await rig.published()
    )
    assert told == [(ACME, "+12025550199"), (OTHER, OFFICE)]
    assert await rig.set_aside() == 0


async def test_one_organisation_s_text_never_stands_for_another_s(rig: Rig) -> None:
    await rig.change_settings(settings(OTHER, numbers=(OFFICE,)))
    await rig.texts(text("STOP", sid="SM-a", organization=OTHER, sender="+12025550177"))
    # In one batch with something of the other's, whose history is looked up along.
    again = text("STOP", sid="SM-b", organization=OTHER, sender="+12025550177", seconds=1)
    await rig.texts(text("STOP", sid="SM-a"), again)
    told = {(each.event.organization_id, each.event.number) for each in await rig.published()}
    assert told == {(OTHER, "+12025550177"), (ACME, MEMBER)}


async def test_two_organisations_name_one_pair_unlike(rig: Rig) -> None:
    await rig.change_settings(settings(OTHER, numbers=(OFFICE,)))
    await rig.texts(text("STOP"), text("STOP", organization=OTHER))
    ids = {each.event.consent_id for each in await rig.published()}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "sender", ["", "\x00", "nobody", "+1202555014300000", "+1 202", "+１２０２"]
)
async def test_a_text_without_a_sender_is_ignored(rig: Rig, sender: str) -> None:
    await rig.texts(text("STOP", sender=sender))
    assert (await rig.published(), rig.watch.malformed_texts) == ([], 1)


async def test_a_wish_in_other_words_waits_for_a_person(rig: Rig) -> None:
    wish = text("please\x00 stop texting me 🙏")
    await rig.texts(wish)
    await rig.texts(wish, text("Stop by our booth", seconds=1))
    assert await rig.to_read() == ["please stop texting me 🙏"]
    assert await rig.published() == []


async def test_what_twilio_understood_needs_no_person(rig: Rig) -> None:
    await rig.texts(text("stop this please", sid="SM-a", OptOutType="STOP"))
    # The list doesn't say what Twilio made of it.
    await rig.texts(text("stop this please", sid="SM-a", DateCreated="x"))
    assert await rig.to_read() == []
    assert await rig.standings() == {(OFFICE, MEMBER): (OUT, 1)}


async def test_two_processes_that_hear_one_member_agree(rig: Rig) -> None:
    told = [text("STOP" if n % 2 else "START", seconds=n) for n in range(30)]
    await asyncio.gather(*(rig.texts(each) for each in told), *(rig.texts(each) for each in told))
    events = [each.event for each in await rig.published()]
    assert sorted(each.sequence for each in events) == list(range(1, len(events) + 1))
    assert (await rig.standings())[OFFICE, MEMBER] == (OUT, len(events))
