"""TM-8: a text as an entry of the Communication Log, on the member's record once."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.imis_writer.desk import Desk
from tests.imis_writer.facts import effect, retry

from contracts.events.activity import ActivityUnknown, ActivityWritten
from contracts.events.campaign import WriteTo
from contracts.ids import effect_id
from imis_writer.adapters.entries import effect_in, html_of
from imis_writer.domain.doubts import Surroundings, judge, question_of
from imis_writer.domain.effects import Kind, State
from imis_writer.domain.outcomes import (
    Absent,
    Ambiguous,
    Doubtful,
    LoginRefused,
    NoAnswer,
    Opened,
    Outcome,
    Postponed,
    Refused,
    Written,
)

LOG = WriteTo.COMMUNICATION_LOG
ENTRY, RECORD = effect(kind=Kind.LOG), effect(kind=Kind.LOG, log_id="5")


@pytest.mark.parametrize(
    ("log_subject", "subject"), [("Spring fair", "Spring fair"), ("", "Text message")]
)
async def test_tm8_a_text_is_one_entry_on_its_member_s_record(
    desk: Desk, log_subject: str, subject: str
) -> None:
    ids = await desk.texts(3, write_to=LOG, log_subject=log_subject)
    await desk.work()
    assert await desk.states(ids) == [State.WRITTEN] * 3
    assert sorted(imis_id for _, imis_id in desk.imis.on_record) == ["0", "1", "2"]
    assert {told for told, _ in desk.imis.entries.values()} == {subject}
    written = await desk.told(ActivityWritten)
    assert {(each.kind, each.effect_id) for each in written} == {
        ("LOG", effect_id(each, "LOG")) for each in ids
    }
    assert {each.seqn for each in written} == set(desk.imis.entries)


@pytest.mark.parametrize(
    "plan",
    [
        ["lost"],
        [Doubtful()],
        ["well", "lost"],
        ["well", Doubtful()],
        [Postponed(), "well", Postponed()],
        ["well", Refused("once")],
    ],
    ids=str,
)
async def test_x10_whichever_of_the_two_requests_is_lost_there_is_one_entry(
    desk: Desk, plan: list[Outcome | str]
) -> None:
    ids = await desk.texts(write_to=LOG)
    desk.imis.plan = list(plan)
    await desk.work_on()
    assert await desk.states(ids) == [State.WRITTEN]
    assert (len(desk.imis.entries), len(desk.imis.on_record)) == (1, 1)


async def test_tm8_an_entry_that_was_refused_half_way_is_finished_by_hand(desk: Desk) -> None:
    ids = await desk.texts(write_to=LOG)
    desk.imis.plan = ["well", *[Refused("The party does not exist.")] * 3]
    await desk.work_on()
    assert await desk.states(ids) == [State.REFUSED]
    await desk.kept.retry([retry(desk.clock(), ids[0])])
    await desk.work_on()
    assert (len(desk.imis.entries), len(desk.imis.on_record)) == (1, 1)


async def test_x10_where_imis_lets_nobody_look_it_is_unknown_and_not_written_again(
    desk: Desk,
) -> None:
    ids = await desk.texts(write_to=LOG)
    desk.imis.plan, desk.imis.instead = ["lost"], Ambiguous("iMIS doesn't let us look.")
    await desk.work_on()
    desk.imis.instead = None
    await desk.kept.retry([retry(desk.clock())])
    await desk.work_on()
    assert (await desk.states(ids), desk.imis.requests) == ([State.UNKNOWN], 1)
    [told] = await desk.told(ActivityUnknown)
    assert (told.kind, told.reason) == ("LOG", "iMIS doesn't let us look.")


@pytest.mark.parametrize(
    ("doubt", "answer", "look"),
    [
        (ENTRY, {}, Absent()),
        (ENTRY, {ENTRY.effect_id: "9", uuid4(): "8"}, Opened("9")),
        (RECORD, True, Written("5")),
        (RECORD, False, Absent()),
        (RECORD, NoAnswer(3), NoAnswer(3)),
        (ENTRY, Ambiguous("no"), Ambiguous("no")),
        (ENTRY, LoginRefused(), NoAnswer()),
    ],
)
def test_what_imis_says_of_an_entry(doubt: object, answer: object, look: object) -> None:
    assert judge(doubt, answer, Surroundings()) == look  # type: ignore[arg-type]
    assert question_of(ENTRY) != question_of(RECORD)


@given(st.text())
def test_an_entry_shows_the_text_and_names_its_effect(text: str) -> None:
    named = uuid4()
    html = html_of(text, named)
    assert effect_in(html) == named
    assert "<script" not in html


def test_a_text_can_t_name_another_effect() -> None:
    other, named = uuid4(), uuid4()
    assert effect_in(html_of(f"<!-- text-manager {other} -->", named)) == named
    assert effect_in("<p>An entry of the staff's own.</p>") is None
