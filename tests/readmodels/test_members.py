"""What staff are answered about opt-outs, texts to be read, and activities in iMIS."""

from tests.projections import facts as ours
from tests.projections.models import Models
from tests.status import facts

from contracts.events.consent import Consent, ReviewStatus
from contracts.events.message import MessageStatus
from contracts.personal import loggable
from readmodels import queries
from readmodels.views import ActivityState

ORGANIZATION, RUN = facts.ORGANIZATION, facts.RUN
NUMBERS = [f"+1202555{number:04d}" for number in range(7)]


async def test_tm20_opt_outs_page_by_page_without_those_who_came_back(models: Models) -> None:
    await models.take(
        *(ours.consent(number=each) for each in NUMBERS),
        ours.consent(Consent.OPTED_IN, number=NUMBERS[3], sequence=2),
        ours.consent(number="+12025550999", organization=facts.STRANGER),
    )
    seen: list[str] = []
    last = None
    async with models.store.read() as connection:
        while page := await queries.opt_outs(connection, ORGANIZATION, after=last, limit=4):
            seen += [each.number for each in page]
            last = page[-1].consent_id
    assert sorted(seen) == [each for each in NUMBERS if each != NUMBERS[3]]


async def test_tm20_one_pair_of_numbers(models: Models) -> None:
    await models.take(
        ours.consent(number=NUMBERS[0]),
        ours.consent(number=NUMBERS[1], from_number=""),
        ours.consent(Consent.OPTED_IN, number=NUMBERS[2], sequence=2),
    )
    async with models.store.read() as connection:
        found = await queries.opt_out(connection, ORGANIZATION, NUMBERS[0], facts.FROM)
        of_all = await queries.opt_out(connection, ORGANIZATION, NUMBERS[1])
        assert await queries.opt_out(connection, ORGANIZATION, NUMBERS[0]) is None
        assert await queries.opt_out(connection, ORGANIZATION, NUMBERS[2], facts.FROM) is None
        assert await queries.opt_out(connection, facts.STRANGER, NUMBERS[0], facts.FROM) is None
    assert found is not None and of_all is not None
    assert (found.word, found.by, found.changed_at) == ("STOP", "SM1", facts.at(1))
    assert "number" not in loggable(found)


async def test_tm20_texts_to_be_read_the_latest_first(models: Models) -> None:
    same_time = facts.at(100)
    await models.take(
        *(ours.review(number, received_at=same_time) for number in (3, 4, 5)),
        *(ours.review(number) for number in (1, 2)),
        ours.review(2, ReviewStatus.DISMISSED, sequence=2),
    )
    seen: list[str] = []
    last = None
    async with models.store.read() as connection:
        while page := await queries.reviews(
            connection, ORGANIZATION, status=ReviewStatus.OPEN, after=last, limit=2
        ):
            seen += [str(each.review_id) for each in page]
            last = page[-1].review_id
        everything = await queries.reviews(connection, ORGANIZATION)
        assert await queries.reviews(connection, facts.STRANGER) == []
        done = await queries.review(connection, ORGANIZATION, ours.review(2).review_id)
        assert await queries.review(connection, facts.STRANGER, ours.review(2).review_id) is None
    assert len(seen) == len(set(seen)) == 4
    assert seen[-1] == str(ours.review(1).review_id)
    assert [each.received_at for each in everything] == [same_time] * 3 + [facts.at(2), facts.at(1)]
    assert done is not None
    assert (done.status, done.by, done.text) == ("dismissed", "staff", "please stop texting me")
    assert not {"number", "text"} & loggable(done).keys()


async def test_tm8_activities_by_row_and_by_what_became_of_them(models: Models) -> None:
    await models.take(
        facts.page(range(1, 6)),
        ours.written(1),
        ours.written(2),
        ours.refused(3),
        ours.activity_unknown(4),
        ours.written(5, kind="TEXTUNSUB"),
        ours.deleted(5),
        ours.written(5),
    )
    async with models.store.read() as connection:

        async def rows(state: ActivityState | None = None, **page: int) -> list[tuple[int, str]]:
            found = await queries.activities(connection, ORGANIZATION, RUN, state=state, **page)
            return [(each.row, each.kind) for each in found]

        assert await rows(ActivityState.WRITTEN) == [
            (1, "TEXTMSG"),
            (2, "TEXTMSG"),
            (5, "TEXTMSG"),
        ]
        assert await rows(ActivityState.REFUSED) == [(3, "TEXTMSG")]
        assert await rows(ActivityState.UNKNOWN) == [(4, "LOG")]
        assert await rows(ActivityState.DELETED) == [(5, "TEXTUNSUB")]
        assert await rows(limit=2) == [(1, "TEXTMSG"), (2, "TEXTMSG")]
        # A row's effects come together, whatever the limit.
        assert await rows(after_row=4, limit=1) == [(5, "TEXTMSG"), (5, "TEXTUNSUB")]
        [refused] = await queries.activities(
            connection, ORGANIZATION, RUN, state=ActivityState.REFUSED
        )
        assert await queries.activities(connection, facts.STRANGER, RUN) == []
    assert (refused.reason, refused.seqn, refused.imis_id) == ("no such activity type", None, "103")
    assert refused.message_id == facts.message(3)


async def test_tm8_a_refused_activity_that_was_tried_again_is_written(models: Models) -> None:
    await models.take(facts.page([1]), ours.refused(1), ours.written(1))
    async with models.store.read() as connection:
        [found] = await queries.activities(connection, ORGANIZATION, RUN)
        row = await queries.message(connection, ORGANIZATION, facts.message(1))
    assert (found.state, found.seqn, found.reason) == ("written", "901", None)
    assert row is not None and (row.activity_state, row.activity_seqn) == ("written", "901")


async def test_tm21_a_message_shows_the_activity_of_its_text_not_of_the_opt_out(
    models: Models,
) -> None:
    await models.take(
        facts.page([1, 2]),
        ours.status(1, 1, MessageStatus.FAILED, code=21610),
        ours.written(1, kind="TEXTUNSUB"),
        ours.activity_unknown(2),
    )
    async with models.store.read() as connection:
        opted_out, logged = await queries.messages(connection, ORGANIZATION, RUN)
    assert (opted_out.activity_state, opted_out.activity_seqn) == (None, None)
    assert logged.activity_state is ActivityState.UNKNOWN


async def test_x20_which_settings_imis_doesn_t_take(models: Models) -> None:
    await models.take(ours.activities_held(), ours.activities_held(sequence=2, settings=9))
    async with models.store.read() as connection:
        held = await queries.activities_held(connection, ORGANIZATION)
        assert await queries.activities_held(connection, facts.STRANGER) is None
    assert held is not None
    assert (held.settings_sequence, held.since) == (9, facts.at(2))
    assert held.reason == "The password has expired."
