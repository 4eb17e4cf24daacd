"""What the dashboard of a run and the list of runs are answered."""

from datetime import timedelta

import pytest
from tests.projections import facts as ours
from tests.projections.models import Models
from tests.status import facts

from contracts import ids
from contracts.events.audience import Reason
from contracts.events.campaign import CampaignStatus
from contracts.events.message import MessageStatus
from contracts.events.run import HeldBy, RunAlarm
from readmodels import queries
from readmodels.views import ErrorCount, HourCount, RowStatus, RunKind, RunView

ORGANIZATION, RUN = facts.ORGANIZATION, facts.RUN


async def shown(models: Models) -> RunView:
    async with models.store.read() as connection:
        run = await queries.run(connection, ORGANIZATION, RUN)
    assert run is not None
    return run


async def test_tm12_what_went_wrong_the_most_frequent_first(models: Models) -> None:
    await models.take(
        facts.page(range(1, 8), facts.totals(7, rejected=2)),
        *(ours.status(row, 1, MessageStatus.SENT, segments=2) for row in (1, 2, 3)),
        *(ours.status(row, 2, MessageStatus.FAILED, code=30001, segments=2) for row in (1, 2, 3)),
        ours.status(4, 1, MessageStatus.UNDELIVERED, code=30003),
        ours.status(5, 1, MessageStatus.UNKNOWN),
        ours.status(6, 1, MessageStatus.DELIVERED),
        facts.excluded(7, Reason.OPTED_OUT),
        facts.rejected(8),
        facts.rejected(9),
    )
    async with models.store.read() as connection:
        errors = await queries.run_errors(connection, ORGANIZATION, RUN)
        left_out = await queries.left_out_of(connection, ORGANIZATION, [RUN])
        assert await queries.run_errors(connection, facts.STRANGER, RUN) == []
        assert await queries.left_out_of(connection, facts.STRANGER, [RUN]) == {}
        assert await queries.left_out_of(connection, ORGANIZATION, []) == {}

    def count(status: RowStatus, code: int | None, reason: str | None, n: int) -> ErrorCount:
        segments = 6 if n == 3 else 0 if reason else 1
        return ErrorCount(
            status=status, error_code=code, reason=reason, messages=n, segments=segments
        )

    assert errors == [
        count(RowStatus.FAILED, 30001, None, 3),
        count(RowStatus.ERROR, None, "invalid_number", 2),
        count(RowStatus.UNDELIVERED, 30003, None, 1),
        count(RowStatus.UNKNOWN, None, None, 1),
    ]
    assert left_out == {RUN: {"invalid_number": 2, "opted_out": 1}}


async def test_tm12_what_the_attempts_of_each_hour_came_to(models: Models) -> None:
    late = facts.START + timedelta(hours=1, minutes=59)
    await models.take(
        facts.page([1, 2, 3]),
        ours.status(1, 1, MessageStatus.SENT),
        ours.status(2, 1, MessageStatus.SENT, attempted_at=late),
        ours.status(2, 2, MessageStatus.DELIVERED, attempted_at=late, segments=3),
        ours.status(3, 1, MessageStatus.PREPARING),
    )
    async with models.store.read() as connection:
        hours = await queries.run_hours(connection, ORGANIZATION, RUN)
        assert await queries.run_hours(connection, facts.STRANGER, RUN) == []
    next_hour = facts.START + timedelta(hours=1)
    assert hours == [
        HourCount(hour=facts.START, status=RowStatus.SENT, messages=1, segments=1),
        HourCount(hour=next_hour, status=RowStatus.DELIVERED, messages=1, segments=3),
    ]


async def test_x20_a_run_waits_for_imis_until_it_starts(models: Models) -> None:
    await models.take(ours.due(), ours.awaited())
    assert (await shown(models)).waiting == "iMIS doesn't take the account: save its password anew."
    await models.take(ours.started())
    assert (await shown(models)).waiting is None


async def test_tm15_what_is_held_shows_until_the_run_is_over_what_is_left_out_stays(
    models: Models,
) -> None:
    await models.take(
        ours.due(),
        ours.run_held(HeldBy.DAY_LIMIT, messages=9),
        ours.run_held(HeldBy.DAY_LIMIT, sequence=3, messages=4),
        ours.run_held(HeldBy.RUN_LIMIT, sequence=2, left_out=True),
    )
    run = await shown(models)
    assert [(each.held_by, each.messages, each.segments) for each in run.held] == [
        (HeldBy.RUN_LIMIT, 5, 10),
        (HeldBy.DAY_LIMIT, 4, 8),
    ]
    assert (run.held[0].left_out, run.held[0].until) == (True, None)
    assert (run.held[1].until, run.held[1].at) == (facts.at(86_400), facts.at(3))
    await models.take(ours.completed())
    assert [each.held_by for each in (await shown(models)).held] == [HeldBy.RUN_LIMIT]


async def test_x7_an_alarm_says_which_error_and_what_to_do(models: Models) -> None:
    spike = ours.alarm(RunAlarm.ERROR_SPIKE, code=30007, advice="Ask the carrier.")
    await models.take(ours.due(), spike)
    run = await shown(models)
    assert (run.alarm_kind, run.alarm_code) == ("error_spike", 30007)
    assert (run.alarm_detail, run.alarm_advice) == ("6 rows, 5 accounted for", "Ask the carrier.")
    await models.take(ours.completed().model_copy(update={"sequence": 9}))
    assert (await shown(models)).alarm_kind == "error_spike"


async def test_a_run_that_stalled_and_is_over_has_no_alarm_left(models: Models) -> None:
    await models.take(ours.due(), ours.alarm(RunAlarm.STALLED, sequence=1), ours.completed())
    run = await shown(models)
    assert (run.alarm, run.alarm_kind, run.alarm_detail, run.alarm_code) == (None,) * 4


async def test_tm12_segments_that_were_not_attempted_yet(models: Models) -> None:
    await models.take(
        facts.page([1, 2, 3, 4]),
        ours.status(1, 1, MessageStatus.HELD, segments=3),
        ours.status(2, 1, MessageStatus.PREPARING, segments=2),
        ours.status(3, 1, MessageStatus.SENT, segments=7),
    )
    assert (await shown(models)).to_segments_left == 3 + 2 + 1
    async with models.store.read() as connection:
        progress = await queries.run_progress(connection, ORGANIZATION, RUN)
    assert progress is not None and (progress.total, progress.settled) == (4, 1)


@pytest.mark.parametrize("kind", [RunKind.URGENT, RunKind.FIRST_LOOK, RunKind.REPLY])
async def test_x8_a_single_text_is_a_run_of_one_message(models: Models, kind: RunKind) -> None:
    told = ours.reply("1") if kind is RunKind.REPLY else ours.requested(kind.value)
    run_id = ours.single_run(kind.value)
    await models.take(told)
    async with models.store.read() as connection:
        run = await queries.run(connection, ORGANIZATION, run_id)
        [row] = await queries.messages(connection, ORGANIZATION, run_id)
    assert run is not None
    assert (run.kind_of_run, run.rows, run.recipients, run.segments) == (kind, 1, 1, 1)
    assert (run.due_at, run.from_number) == (facts.at(0), facts.FROM)
    assert (row.row, row.text, row.status) == (1, "Come now", RowStatus.PREPARING)
    assert row.message_id == ids.message_id(ids.recipient_id(run_id, 1))


async def test_what_made_a_run(models: Models) -> None:
    await models.take(ours.due(), ours.resent())
    async with models.store.read() as connection:
        runs = await queries.runs_of(connection, ORGANIZATION, facts.CAMPAIGN)
    kinds = {each.run_id: each.kind_of_run for each in runs}
    assert kinds == {RUN: RunKind.CAMPAIGN, ours.LATER_RUN: RunKind.RESEND}


async def test_x5_times_that_passed_unused_the_latest_first(models: Models) -> None:
    earlier = ours.skipped(first=facts.at(-90_000), sequence=1)
    await models.take(ours.skipped(sequence=2), earlier)
    async with models.store.read() as connection:
        found = await queries.skipped(connection, ORGANIZATION, facts.CAMPAIGN)
        assert await queries.skipped(connection, facts.STRANGER, facts.CAMPAIGN) == []
    assert [each.first for each in found] == [facts.at(-7200), facts.at(-90_000)]
    assert (found[0].last, found[0].occurrences) == (facts.at(-3600), 2)


async def test_x4_a_held_text_says_until_when_and_by_which_rule(models: Models) -> None:
    await models.take(facts.queued(1), ours.status(1, 1, MessageStatus.HELD), ours.held(1))
    async with models.store.read() as connection:
        [row] = await queries.messages(connection, ORGANIZATION, RUN, status=RowStatus.HELD)
    assert (row.held_until, row.held_place) == (facts.at(40_000), "US-FL America/New_York")
    await models.take(ours.status(1, 2, MessageStatus.SENT))
    async with models.store.read() as connection:
        sent = await queries.message(connection, ORGANIZATION, facts.message(1))
    assert sent is not None and (sent.held_until, sent.held_place) == (None, None)


async def test_a_second_member_of_one_phone_names_the_first(models: Models) -> None:
    shared = facts.rejected(2, Reason.SHARED_PHONE).model_copy(update={"same_as_imis_id": "101"})
    await models.take(facts.page([1]), shared)
    async with models.store.read() as connection:
        first, second = await queries.messages(connection, ORGANIZATION, RUN)
    assert (second.reason, second.same_as_imis_id) == ("shared_phone", "101")
    assert first.same_as_imis_id is None


async def test_tm12_a_cancelled_text_that_was_held_is_left_out(models: Models) -> None:
    out = facts.excluded(1, Reason.CANCELLED).model_copy(update={"sequence": 5})
    await models.take(facts.queued(1), ours.status(1, 1, MessageStatus.HELD), ours.held(1), out)
    async with models.store.read() as connection:
        [row] = await queries.messages(connection, ORGANIZATION, RUN)
    assert (row.status, row.reason, row.held_until) == (RowStatus.EXCLUDED, "cancelled", None)


async def test_campaigns_keep_their_names_after_they_are_gone(models: Models) -> None:
    await models.take(ours.campaign(), ours.campaign(CampaignStatus.DELETED, sequence=5))
    async with models.store.read() as connection:
        names = await queries.campaign_names(connection, ORGANIZATION, [facts.CAMPAIGN, RUN])
        assert await queries.campaign_names(connection, facts.STRANGER, [facts.CAMPAIGN]) == {}
        assert await queries.campaign_names(connection, ORGANIZATION, []) == {}
    assert names == {facts.CAMPAIGN: "Dues"}
