"""TM-21: by a setting a member is marked at the STOP, and not again at the next text."""

from tests.imis_writer.desk import Desk, take
from tests.imis_writer.facts import MEMBER, after, excluded, queued, start, status, stop

from contracts.events.activity import ActivityWritten


async def texted(desk: Desk, *members: str) -> None:
    await desk.save(write_unsubscribed_at="stop")
    for number, imis_id in enumerate(members):
        message = queued(imis_id=imis_id)
        sent = status(message.event.message_id, attempted_at=after(number))
        await take(desk.kept, message, sent)
    await desk.work_on()


async def test_tm21_each_member_with_the_number_is_marked_once(desk: Desk) -> None:
    await texted(desk, "101", "102", "101")
    stopped = [stop(1, after(50)), stop(1, after(50), from_number="")]
    await take(desk.kept, *stopped, *stopped)
    await take(desk.kept, excluded(occurred_at=after(60)), excluded(occurred_at=after(70)))
    await desk.work_on()
    marked = [each for each in desk.imis.held if each.kind == "TEXTUNSUB"]
    assert sorted(each.imis_id for each in marked) == ["101", "102"]
    assert {each.number for each in marked} == {MEMBER}
    assert {each.transaction_date for each in marked} == {after(50).replace(microsecond=0)}


async def test_tm21_the_attempt_and_the_stop_in_whatever_order(desk: Desk) -> None:
    await texted(desk, "101")
    await take(desk.kept, excluded(occurred_at=after(60)), stop(1, after(50)))
    await desk.work_on()
    assert [each.kind for each in desk.imis.held] == ["TEXTMSG", "TEXTUNSUB"]


async def test_tm21_a_member_whom_we_did_not_know_is_marked_at_the_next_text(desk: Desk) -> None:
    await texted(desk, "101")
    await take(desk.kept, stop(1, after(50), from_number="+18885550199"))
    await desk.work_on()
    assert [each.kind for each in desk.imis.held] == ["TEXTMSG"]
    await take(desk.kept, excluded(imis_id="103", occurred_at=after(60)))
    await desk.work_on()
    assert [each.imis_id for each in desk.imis.held] == ["101", "103"]


async def test_tm21_a_second_stop_after_a_start_marks_again(desk: Desk) -> None:
    await texted(desk, "101")
    for number in range(1, 5, 2):
        await take(desk.kept, stop(number, after(number * 100)))
        await desk.work_on()
        assert [each.kind for each in desk.imis.held][1:] == ["TEXTUNSUB"]
        await take(desk.kept, start(number + 1, after(number * 100 + 50)))
        await desk.work_on()
        assert [each.kind for each in desk.imis.held] == ["TEXTMSG"]
    told = [each for each in await desk.told(ActivityWritten) if each.kind == "TEXTUNSUB"]
    assert [each.sequence for each in told] == [1, 3]
    assert len({each.effect_id for each in told}) == 1


async def test_tm21_nothing_is_marked_at_the_stop_without_the_setting(desk: Desk) -> None:
    await texted(desk, "101")
    await desk.save(sequence=2, write_unsubscribed_at="next_text")
    await take(desk.kept, stop(1, after(50)))
    await desk.work_on()
    assert [each.kind for each in desk.imis.held] == ["TEXTMSG"]
