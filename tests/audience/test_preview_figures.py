"""TM-10: each figure of a preview is what it says."""

import pytest
from tests.audience.fakes import FakeImis, FakeOptOuts
from tests.audience.orders import AUDIENCE, MOBILE, member, members, mobile, request
from tests.audience.test_previews import Desk

from contracts.events.audience import Reason


async def test_tm10_thirty_seven_names_that_are_null_are_counted_by_their_field() -> None:
    rows = [member(str(n), mobile(n), "" if n < 37 else "Ann") for n in range(100)]
    desk = Desk(FakeImis(rows))
    await desk.ask(request(template="Hello ${Full Name},"))
    await desk.ask(request(template="Hello ${Full Name|Member},"))
    bare, mended = await desk.answers()
    assert (bare.lacking_values, bare.lacking_by_field) == (37, {"Full Name": 37})
    assert [each.text for each in bare.samples] == ["Hello ,"] * 5
    assert (mended.lacking_values, mended.lacking_by_field) == (0, {})
    assert [each.text for each in mended.samples] == ["Hello Member,"] * 5


@pytest.mark.parametrize(
    ("text", "sender", "segments"),
    [
        ("a" * 160, "+12025550100", 1),
        ("a" * 159 + "{", "+12025550100", 2),
        ("a" * 306, "+12025550100", 2),
        ("a" * 306, "+18885550100", 3),
    ],
)
async def test_tm10_a_text_costs_as_many_segments_as_the_sending_number_makes_of_it(
    text: str, sender: str, segments: int
) -> None:
    desk = Desk(FakeImis([member("1", name=text)]))
    await desk.ask(request(template="${Full Name}", from_number=sender))
    [answer] = await desk.answers()
    assert (answer.segments, answer.messages_by_segments) == (segments, {segments: 1})


async def test_tm10_the_characters_that_force_ucs2_are_named_the_most_frequent_first() -> None:
    rows = [member("1", mobile(1), "Олена"), member("2", mobile(2), "Ола"), member("3", mobile(3))]
    desk = Desk(FakeImis(rows))
    await desk.ask(request(template="${Full Name}"))
    [answer] = await desk.answers()
    assert answer.ucs2_messages == 2
    assert list(answer.ucs2_characters.items())[:3] == [("О", 2), ("л", 2), ("а", 2)]
    many = "".join(chr(0x4E00 + n) for n in range(60))
    desk.imis.default = [member("1", name=many)]
    await desk.ask(request(template="${Full Name}"))
    assert len((await desk.answers())[-1].ucs2_characters) == 20


async def test_tm10_samples_are_the_first_five_rows_that_get_a_text() -> None:
    rows = [member("0", "12345"), *members(8)]
    desk = Desk(FakeImis(rows))
    desk.opt_outs = FakeOptOuts(("+12025550100", "+1" + digits(mobile(0))))
    await desk.ask(request(), page_rows=3)
    [answer] = await desk.answers()
    assert [(each.row, each.imis_id) for each in answer.samples] == [
        (3, "101"),
        (4, "102"),
        (5, "103"),
        (6, "104"),
        (7, "105"),
    ]
    assert answer.samples[0].text == "Hello Member 1,"


async def test_x3_whoever_has_opted_out_is_left_out_of_the_figures() -> None:
    rows = [member(str(n), f"+1202555{1000 + n}") for n in range(6)]
    desk = Desk(FakeImis(rows))
    desk.opt_outs = FakeOptOuts(
        ("+12025550100", "+12025551000"), ("", "+12025551001"), ("+18885550100", "+12025551002")
    )
    await desk.ask(request())
    [answer] = await desk.answers()
    assert (answer.contacts_returned, answer.recipients, answer.segments) == (6, 4, 4)
    assert answer.excluded == {Reason.OPTED_OUT: 2}


async def test_x3_who_opted_out_before_the_preview_began_is_heard_of_first() -> None:
    desk = Desk(FakeImis([member("1", "+12025551000"), member("2", "+12025551001")]))
    desk.unheard = [("+12025550100", "+12025551000")]
    await desk.ask(request())
    [answer] = await desk.answers()
    assert (answer.recipients, answer.excluded) == (1, {Reason.OPTED_OUT: 1})


async def test_x4_texts_and_segments_are_told_by_place_the_members_own_zone_first() -> None:
    rows = [
        member("1", "+12025551000", name="x" * 200, Zone="America/Denver"),
        member("2", "+12025551001", Zone="Mars/Olympus"),
        member("3", "+442072343456", Zone=""),
        member("4", "12345", Zone="America/Denver"),
    ]
    asked = request(audience=AUDIENCE.model_copy(update={"zone_column": "zone"}))
    desk = Desk(FakeImis(rows))
    await desk.ask(asked)
    [answer] = await desk.answers()
    assert answer.messages_by_place == {"America/Denver": 1, "+1202": 1, "+4420": 1}
    assert answer.segments_by_place == {"America/Denver": 2, "+1202": 1, "+4420": 1}


async def test_tm18_fixed_lines_are_counted_apart_where_they_are_left_out() -> None:
    rows = [member("1", "+442072343456"), member("2", "+447400123456"), member("3", MOBILE)]
    desk = Desk(FakeImis(rows))
    await desk.ask(request())
    await desk.ask(request(leave_out_landlines=True))
    everybody, mobiles = await desk.answers()
    assert (everybody.recipients, everybody.excluded) == (3, {})
    assert (mobiles.recipients, mobiles.excluded) == (2, {Reason.LANDLINE: 1})


def digits(phone: str) -> str:
    return "".join(each for each in phone if each.isdigit())
