"""One suite for what the gateway reads of the projections: on memory, and on their tables."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.gateway.fakes import NOON
from tests.gateway.models import NOTHING_USED
from tests.gateway.stored import Filled, InMemory, Stored
from tests.gateway.told import (
    ACTIVITY,
    CHARGED,
    DAY,
    ERRORS,
    HELD,
    HOURS,
    MESSAGES_OF_RUN,
    MINE,
    OPT_OUTS,
    REVIEWS_OF_MINE,
    RUN,
    SKIPPED_ONCE,
    THEIRS,
    USED,
)

from contracts.events.consent import ReviewStatus
from gateway.domain.views import Message
from readmodels.views import (
    ActivityState,
    ActivityView,
    QueuedView,
    ReviewView,
    RowStatus,
)


@pytest.fixture(params=["memory", "tables"])
async def filled(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Filled]:
    if request.param == "memory":
        yield InMemory()
        return
    stored = Stored(tmp_path)
    yield stored
    await stored.models.close()


async def test_a_run_has_its_figures(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.run(MINE, RUN.run_id) == RUN
    assert await models.runs_of(MINE, RUN.campaign_id) == [RUN]
    progress = await models.progress(MINE, RUN.run_id)
    assert progress is not None
    assert (progress.state, progress.by_status, progress.total) == ("sending", RUN.by_status, 3)


async def test_messages_come_by_row_page_and_status(filled: Filled) -> None:
    models = await filled.fill()

    async def page(
        status: RowStatus | None = None, after_row: int | None = None, limit: int = 10
    ) -> list[Message]:
        return await models.messages(
            MINE, RUN.run_id, status=status, after_row=after_row, limit=limit
        )

    assert await page() == MESSAGES_OF_RUN
    assert await page(limit=2) == MESSAGES_OF_RUN[:2]
    assert await page(after_row=2) == MESSAGES_OF_RUN[2:]
    assert await page(status=RowStatus.FAILED) == MESSAGES_OF_RUN[1:2]
    for each in MESSAGES_OF_RUN:
        assert await models.message(MINE, each.message_id) == each


async def test_usage_is_by_day_and_month(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.usage(MINE, **DAY) == USED


async def test_tm12_a_run_has_its_errors_hours_and_activities(filled: Filled) -> None:
    models = await filled.fill()
    found = await models.run_errors(MINE, RUN.run_id)
    assert sorted(found, key=lambda each: each.status) == sorted(
        ERRORS, key=lambda each: each.status
    )
    assert await models.run_hours(MINE, RUN.run_id) == HOURS

    async def activities(state: ActivityState | None, after_row: int | None) -> list[ActivityView]:
        return await models.activities(MINE, RUN.run_id, state=state, after_row=after_row, limit=10)

    assert await activities(None, None) == await activities(ActivityState.WRITTEN, 0) == [ACTIVITY]
    assert await activities(ActivityState.REFUSED, None) == await activities(None, 1) == []


async def test_tm22_charges_come_by_time_and_campaigns_by_name(filled: Filled) -> None:
    models = await filled.fill()
    assert (
        await models.charges(MINE, NOON - timedelta(days=1), NOON + timedelta(days=1))
        == (CHARGED[2:])
    )
    assert await models.charges(MINE, NOON - timedelta(days=50), NOON) == CHARGED[:3]
    wanted = [RUN.campaign_id, uuid4()]
    assert await models.campaign_names(MINE, wanted) == {RUN.campaign_id: "Renewal"}
    assert await models.campaign_names(MINE, []) == {}


async def test_tm20_opt_outs_and_reviews_come_in_pages(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.opt_outs(MINE, after=None, limit=2) == OPT_OUTS[:2]
    assert await models.opt_outs(MINE, after=OPT_OUTS[1].consent_id, limit=2) == OPT_OUTS[2:]
    first = OPT_OUTS[0]
    assert await models.opt_out(MINE, first.number, first.from_number) == first
    assert await models.opt_out(MINE, first.number, "+15005550006") is None
    assert await models.opt_out(MINE, OPT_OUTS[2].number, "+15005550006") == OPT_OUTS[2]
    assert await models.opt_out(MINE, "+14155550000", first.from_number) is None

    async def reviews(status: ReviewStatus | None, after: UUID | None) -> list[ReviewView]:
        return await models.reviews(MINE, status=status, after=after, limit=2)

    assert await reviews(None, None) == REVIEWS_OF_MINE[:2]
    assert await reviews(None, REVIEWS_OF_MINE[1].review_id) == REVIEWS_OF_MINE[2:]
    assert await reviews(ReviewStatus.OPEN, None) == REVIEWS_OF_MINE[::2]
    for each in REVIEWS_OF_MINE:
        assert await models.review(MINE, each.review_id) == each


async def test_tm3_what_stands_still_and_what_changed_is_known(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.activities_held(MINE) == HELD
    assert await models.skipped(MINE, RUN.campaign_id) == SKIPPED_ONCE
    assert await models.change_marker(MINE) == 7
    nothing = QueuedView(messages=0, segments=0)
    assert await models.queued(MINE, "+15005550006") == nothing


async def test_another_organisation_sees_nothing(filled: Filled) -> None:
    models = await filled.fill()
    assert await models.run(THEIRS, RUN.run_id) is None
    assert await models.runs_of(THEIRS, RUN.campaign_id) == []
    assert await models.progress(THEIRS, RUN.run_id) is None
    assert await models.messages(THEIRS, RUN.run_id, status=None, after_row=None, limit=10) == []
    assert await models.message(THEIRS, MESSAGES_OF_RUN[0].message_id) is None
    assert await models.usage(THEIRS, **DAY) == NOTHING_USED
    assert await models.run_errors(THEIRS, RUN.run_id) == []
    assert await models.run_hours(THEIRS, RUN.run_id) == []
    assert await models.activities(THEIRS, RUN.run_id, state=None, after_row=None, limit=9) == []
    assert await models.charges(THEIRS, NOON - timedelta(days=50), NOON) == []
    assert await models.campaign_names(THEIRS, [RUN.campaign_id]) == {}
    assert await models.opt_outs(THEIRS, after=None, limit=9) == []
    assert await models.opt_out(THEIRS, OPT_OUTS[0].number, OPT_OUTS[0].from_number) is None
    assert await models.reviews(THEIRS, status=None, after=None, limit=9) == []
    assert await models.review(THEIRS, REVIEWS_OF_MINE[0].review_id) is None
    assert await models.activities_held(THEIRS) is None
    assert await models.skipped(THEIRS, RUN.campaign_id) == []
    assert await models.change_marker(THEIRS) == 0


async def test_what_nobody_has_projected_yet_is_empty(tmp_path: Path) -> None:
    stored = Stored(tmp_path / "nowhere")
    unknown: UUID = uuid4()
    assert await stored.models.run(MINE, unknown) is None
    assert await stored.models.usage(MINE, **DAY) == NOTHING_USED
    assert await stored.models.change_marker(MINE) == 0
    await stored.models.close()
