"""What the gateway is answered."""

from uuid import UUID, uuid4

import pytest
from tests.projections import facts as ours
from tests.projections.models import Models
from tests.status import facts

from contracts import ids
from contracts.events.audience import Reason
from contracts.events.campaign import CampaignStatus, Mode
from contracts.events.message import MessageStatus, Refused, Unresolved
from contracts.events.run import RunAlarm
from contracts.personal import loggable
from readmodels import queries
from readmodels.views import RowStatus, RunState, StatusCount

ORGANIZATION = facts.ORGANIZATION
OTHER_RUN = ids.run_id(facts.CAMPAIGN, "launch:2")


async def a_run(models: Models) -> None:
    """One delivered, one opted out, one in doubt, one preparing, two that got no text."""
    await models.take(
        ours.campaign(),
        ours.campaign(CampaignStatus.DELETED, campaign_id=uuid4()),
        ours.campaign(CampaignStatus.DRAFT, campaign_id=uuid4(), organization=facts.STRANGER),
        ours.due(),
        facts.page([1, 2, 3, 4], facts.totals(4, rejected=2)),
        facts.rejected(5),
        facts.rejected(6, Reason.REPEATED_ROW),
        *(facts.queued(row) for row in (1, 2, 3, 4)),
        facts.submitted(2, Refused(code=21610)),
        facts.submitted(3, Unresolved(reason="timeout")),
        ours.status(1, 1, MessageStatus.DELIVERED, segments=2),
        ours.status(2, 1, MessageStatus.FAILED, code=21610),
        ours.status(3, 1, MessageStatus.UNKNOWN),
        ours.written(1),
        ours.started(),
    )


async def test_tm_13_a_run_and_its_figures(models: Models) -> None:
    await a_run(models)
    async with models.store.read() as connection:
        run = await queries.run(connection, ORGANIZATION, facts.RUN)
        assert run is not None
        assert (run.name, run.occurrence, run.mode) == ("Dues", "launch:1", Mode.LIVE)
        assert (run.state, run.rows, run.recipients) == (RunState.SENDING, 6, 4)
        assert (run.rejected, run.excluded, run.segments) == (2, 0, 5)
        assert (run.started_at, run.completed_at) == (facts.at(1), None)


async def test_a_failed_run_says_why(models: Models) -> None:
    await models.take(ours.due(), ours.failed())
    async with models.store.read() as connection:
        run = await queries.run(connection, ORGANIZATION, facts.RUN)
    assert run is not None
    assert (run.state, run.failure) == (RunState.FAILED, "The IQA has moved.")


async def test_a_campaigns_runs_come_latest_first(models: Models) -> None:
    later = ours.due(run=OTHER_RUN).model_copy(update={"due_at": facts.at(60)})
    await models.take(ours.due(), later)
    async with models.store.read() as connection:
        runs = await queries.runs_of(connection, ORGANIZATION, facts.CAMPAIGN)
    assert [each.run_id for each in runs] == [OTHER_RUN, facts.RUN]


async def test_tm_14_progress_by_status(models: Models) -> None:
    await a_run(models)
    async with models.store.read() as connection:
        progress = await queries.run_progress(connection, ORGANIZATION, facts.RUN)
    assert progress is not None
    assert progress.by_status == {
        RowStatus.PREPARING: StatusCount(messages=1, segments=1),
        RowStatus.DELIVERED: StatusCount(messages=1, segments=2),
        RowStatus.FAILED: StatusCount(messages=1, segments=1),
        RowStatus.UNKNOWN: StatusCount(messages=1, segments=1),
        RowStatus.ERROR: StatusCount(messages=1, segments=0),
        RowStatus.EXCLUDED: StatusCount(messages=1, segments=0),
    }
    assert (progress.total, progress.settled, progress.recipients) == (6, 5, 4)
    assert (progress.segments, progress.settled_segments) == (5, 4)


async def test_x_2_each_row_and_why(models: Models) -> None:
    await a_run(models)
    async with models.store.read() as connection:
        rows = await queries.messages(connection, ORGANIZATION, facts.RUN)
    assert [(each.row, each.status, each.reason, each.error_code) for each in rows] == [
        (1, RowStatus.DELIVERED, None, None),
        (2, RowStatus.FAILED, None, 21610),
        (3, RowStatus.UNKNOWN, "timeout", None),
        (4, RowStatus.PREPARING, None, None),
        (5, RowStatus.ERROR, "invalid_number", None),
        (6, RowStatus.EXCLUDED, "repeated_row", None),
    ]
    first = rows[0]
    assert (first.to, first.text, first.imis_id) == (facts.number(1), "Hello", "101")
    assert (first.activity_state, first.activity_seqn) == ("written", "901")
    assert (first.queued_at, first.attempted_at) == (facts.at(1), facts.at(1))
    shown = loggable(first)
    assert "to" not in shown and "text" not in shown


async def test_pages_of_rows_neither_miss_nor_repeat(models: Models) -> None:
    await models.take(facts.page(range(1, 8)))
    seen: list[int] = []
    async with models.store.read() as connection:
        while page := await queries.messages(
            connection,
            ORGANIZATION,
            facts.RUN,
            status=RowStatus.PREPARING,
            after_row=seen[-1] if seen else None,
            limit=3,
        ):
            seen += [each.row for each in page]
        failed = await queries.messages(
            connection, ORGANIZATION, facts.RUN, status=RowStatus.FAILED
        )
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert failed == []


async def test_a_row_shows_once_it_is_known(models: Models) -> None:
    await models.take(ours.status(1, 1, MessageStatus.SENT), ours.written(2))
    async with models.store.read() as connection:
        assert await queries.messages(connection, ORGANIZATION, facts.RUN) == []
        assert await queries.message(connection, ORGANIZATION, facts.message(1)) is None


@pytest.mark.parametrize("stranger", [facts.STRANGER, UUID(int=0)])
async def test_no_question_sees_another_organisation(models: Models, stranger: UUID) -> None:
    await a_run(models)
    async with models.store.read() as connection:
        assert await queries.run(connection, stranger, facts.RUN) is None
        assert await queries.runs_of(connection, stranger, facts.CAMPAIGN) == []
        assert await queries.messages(connection, stranger, facts.RUN) == []
        assert await queries.message(connection, stranger, facts.message(1)) is None
        assert await queries.run_progress(connection, stranger, facts.RUN) is None
        own = await queries.message(connection, ORGANIZATION, facts.message(1))
        assert own is not None and own.run_id == facts.RUN


async def test_x_10_unknown_messages_are_listed_with_why_nobody_can_tell(models: Models) -> None:
    await a_run(models)
    another = (
        facts.queued(1, run=OTHER_RUN),
        facts.submitted(1, Unresolved(reason="no clear answer"), run=OTHER_RUN),
        ours.status(1, 2, MessageStatus.UNKNOWN, run=OTHER_RUN),
    )
    strange = {"organization_id": facts.STRANGER}
    await models.take(*(each.model_copy(update=strange) for each in another))
    async with models.store.read() as connection:
        [known] = await queries.unknown_messages(connection, ORGANIZATION)
        everyone = await queries.unknown_messages(connection)
        assert await queries.unknown_messages(connection, UUID(int=0)) == []
        assert len(await queries.unknown_messages(connection, limit=1)) == 1
    assert known.message_id == facts.message(3)
    assert (known.run_id, known.row, known.reason) == (facts.RUN, 3, "timeout")
    assert (known.attempted_at, known.status_sequence) == (facts.at(1), 1)
    assert "to" not in loggable(known)
    assert [each.reason for each in everyone] == ["timeout", "no clear answer"]


async def test_x_10_what_an_operator_gave_up_is_unknown_no_more(models: Models) -> None:
    await a_run(models)
    given_up = facts.excluded(3, Reason.GIVEN_UP).model_copy(update={"sequence": 4})
    await models.take(given_up)
    async with models.store.read() as connection:
        assert await queries.unknown_messages(connection) == []
        row = await queries.message(connection, ORGANIZATION, facts.message(3))
        errors = await queries.run_errors(connection, ORGANIZATION, facts.RUN)
    assert RowStatus.UNKNOWN not in {each.status for each in errors}
    assert row is not None and (row.status, row.reason) == (RowStatus.EXCLUDED, "given_up")


async def test_x_2_each_row_of_a_run_is_a_text_or_left_out_for_one_reason(models: Models) -> None:
    await a_run(models)
    await models.take(facts.excluded(4, Reason.OPTED_OUT))
    async with models.store.read() as connection:
        ledger = await queries.ledger_of(connection, ORGANIZATION, facts.RUN)
        assert await queries.ledger_of(connection, facts.STRANGER, facts.RUN) is None
    assert ledger is not None
    assert (ledger.rows, ledger.messages, ledger.left_out) == (6, 3, 3)
    assert ledger.by_reason == {"invalid_number": 1, "repeated_row": 1, "opted_out": 1}
    assert ledger.by_status == {
        RowStatus.DELIVERED: 1,
        RowStatus.FAILED: 1,
        RowStatus.UNKNOWN: 1,
        RowStatus.ERROR: 1,
        RowStatus.EXCLUDED: 2,
    }
    assert ledger.unaccounted == 0


async def test_x_2_a_row_of_which_nobody_heard_is_unaccounted_for(models: Models) -> None:
    await models.take(facts.page([1, 2], facts.totals(2, rejected=2)), facts.rejected(3))
    async with models.store.read() as connection:
        ledger = await queries.ledger_of(connection, ORGANIZATION, facts.RUN)
    assert ledger is not None and ledger.unaccounted == 1
    await models.take(ours.due(run=OTHER_RUN))
    async with models.store.read() as connection:
        early = await queries.ledger_of(connection, ORGANIZATION, OTHER_RUN)
    assert early is not None and early.unaccounted is None


async def test_x_2_a_run_names_the_runs_that_stand_in_for_it(models: Models) -> None:
    second = ids.resend_run_id(facts.RUN, 2)
    await models.take(ours.due(), ours.resent(), ours.queued_again(2))
    await models.take(ours.resent(run=second, recipients=2))
    async with models.store.read() as connection:
        runs = await queries.runs_of(connection, ORGANIZATION, facts.CAMPAIGN)
        later = await queries.run(connection, ORGANIZATION, ours.LATER_RUN)
        [row] = await queries.messages(connection, ORGANIZATION, ours.LATER_RUN)
    named = {each.run_id: set(each.later_run_ids) for each in runs}
    assert named == {facts.RUN: {ours.LATER_RUN, second}, ours.LATER_RUN: set(), second: set()}
    assert later is not None and (later.earlier_run_id, later.rows) == (facts.RUN, 1)
    assert row.supersedes == facts.message(2)


async def test_a_run_says_why_someone_has_to_look_at_it(models: Models) -> None:
    await models.take(ours.due(), ours.alarm(RunAlarm.STALLED, sequence=1))

    async def told() -> str | None:
        async with models.store.read() as connection:
            run = await queries.run(connection, ORGANIZATION, facts.RUN)
        assert run is not None
        return run.alarm

    assert await told() == "stalled: 6 rows, 5 accounted for"
    await models.take(ours.completed())
    assert await told() is None
    await models.take(ours.alarm(sequence=3))
    assert await told() == "does_not_add_up: 6 rows, 5 accounted for"
