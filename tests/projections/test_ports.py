"""One suite for the port, on its fake and on its SQL adapter."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.projections import facts
from tests.projections.models import opened, url
from tests.projections.port import Port, about, in_full, on_fake, on_sql, take
from tests.projections.test_domain import moves
from tests.status.facts import (
    CAMPAIGN,
    ORGANIZATION,
    RUN,
    at,
    message,
    number,
    page,
    queued,
    recipient,
    submitted,
)

from contracts.events.base import Event
from contracts.events.campaign import CampaignStatus, Mode
from contracts.events.consent import Consent, ReviewStatus
from contracts.events.message import MessageStatus, Unresolved
from contracts.events.run import HeldBy
from projections.domain.facts import RunFact
from projections.domain.figures import NOTHING, standing
from projections.domain.row import Rows
from projections.domain.states import KEYS, Kind, State, state_of
from readmodels.tables import (
    METADATA,
)
from readmodels.views import RunState


@pytest.fixture(
    params=[
        "fake",
        "sqlite",
        "postgresql",
    ]
)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Port]:
    if request.param == "fake":
        yield on_fake()
        return
    async with opened(url(request.param, tmp_path)) as store:
        yield on_sql(store)


async def test_rows_come_back_as_they_were_kept(port: Port) -> None:
    first = (queued(1), page([2]), submitted(1, Unresolved(reason="timeout")))
    told = facts.status(1, 1, MessageStatus.SENT, segments=2, code=7)
    await take(port, *first)
    await take(port, told)
    async with port.models() as models:
        held = await models.hold(about(1, 2, 3))
        await models.keep([])
        assert await models.hold({}) == {}
    whole = Rows()
    for each in (*first, told):
        whole.take(each)
    for row in (1, 2):
        assert in_full(held[message(row)]) == in_full(whole.by_message[message(row)])
    assert message(3) not in held or held[message(3)].status is None


async def test_what_is_told_once_and_for_all_stays(port: Port) -> None:
    await take(port, facts.status(1, 1, MessageStatus.SENT))
    assert (await port.row(message(1)))["text"] is None
    await take(port, facts.queued_again(1, run=RUN))
    await take(port, facts.status(1, 2, MessageStatus.DELIVERED))
    kept = await port.row(message(1))
    assert (kept["row"], kept["imis_id"], kept["to"]) == (1, "101", number(1))
    assert (kept["text"], kept["recipient_id"]) == ("Hello", recipient(1))
    assert kept["supersedes"] == message(1)


async def test_figures_add_up(port: Port) -> None:
    rows, was = Rows(), NOTHING
    for fact in (
        queued(1),
        facts.status(1, 1, MessageStatus.SENT, segments=2),
        facts.status(1, 2, MessageStatus.FAILED, segments=2),
    ):
        rows.take(fact)
        now = standing(rows.by_message[message(1)])
        async with port.models() as models:
            await models.add(moves(was, now))
        was = now
    hour, quarter = int(at(1).timestamp()) // 3600, int(at(1).timestamp()) // 900
    once = {
        ("counts", RUN, "failed"),
        ("errors", RUN, "failed", 0, ""),
        ("hours", RUN, hour, "failed"),
        ("charges", ORGANIZATION, quarter, CAMPAIGN, "failed"),
    }
    assert await port.figures() == {
        (RUN, "recipients"): 1,
        (RUN, "segments"): 2,
        **{(*key, "messages"): 1 for key in once},
        **{(*key, "segments"): 2 for key in once},
    }


async def test_an_event_that_comes_after_all_closes_its_gap(port: Port) -> None:
    one, other = uuid4(), uuid4()
    await port.lack(one)
    await port.lack(other)
    async with port.models() as models:
        await models.mend([uuid4(), one])
    assert await port.lacking() == {other}


STATES: dict[Kind, tuple[Event, Event]] = {
    Kind.CAMPAIGN: (facts.campaign(), facts.campaign(CampaignStatus.PAUSED, sequence=3)),
    Kind.SKIPPED: (facts.skipped(), facts.skipped(sequence=2)),
    Kind.RUN_HOLD: (facts.run_held(), facts.run_held(left_out=True, sequence=2)),
    Kind.MESSAGE_HOLD: (facts.held(1), facts.held(1, sequence=3, until=at(90_000))),
    Kind.ACTIVITY: (facts.refused(1), facts.written(1)),
    Kind.CONSENT: (facts.consent(), facts.consent(Consent.OPTED_IN, sequence=2)),
    Kind.REVIEW: (facts.review(), facts.review(1, ReviewStatus.DISMISSED, sequence=2)),
    Kind.ACTIVITIES_HELD: (
        facts.activities_held(),
        facts.activities_held(sequence=2, settings=8),
    ),
}
"""An old and a new state of one thing, of each kind."""


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind", list(Kind))
async def test_the_newest_of_each_thing_stays(
    port: Port, kind: Kind, order: int, together: bool
) -> None:
    old, new = (state_of(each) for each in STATES[kind])
    assert old.key == new.key and old.kind is new.kind is kind
    assert set(KEYS[kind]) == {each.name for each in METADATA.tables[kind].primary_key.columns}
    batches = [[each] for each in [old, new, old][::order]]
    for batch in [[each for [each] in batches]] if together else batches:
        async with port.models() as models:
            await models.keep_states(batch)
    [kept] = await port.states(kind)
    assert kept == dict(new.values)


async def test_states_of_different_things_stand_side_by_side(port: Port) -> None:
    both: list[State] = [
        state_of(facts.run_held(HeldBy.DAY_LIMIT)),
        state_of(facts.run_held(HeldBy.CONFIGURATION)),
        state_of(facts.written(1)),
        state_of(facts.written(1, kind="TEXTUNSUB")),
    ]
    async with port.models() as models:
        await models.keep_states(both)
        await models.keep_states([])
    held = {each["held_by"] for each in await port.states(Kind.RUN_HOLD)}
    assert held == {"day_limit", "configuration"}
    effects = {each["kind"] for each in await port.states(Kind.ACTIVITY)}
    assert effects == {"TEXTMSG", "TEXTUNSUB"}


async def test_a_change_is_seen_and_only_by_whom_it_is_about(port: Port) -> None:
    async with port.models() as models:
        await models.mark({ORGANIZATION})
        await models.mark(set())
    first = await port.changes(ORGANIZATION)
    async with port.models() as models:
        await models.mark({ORGANIZATION, uuid4()})
        await models.mark({ORGANIZATION})
    assert 0 < first < await port.changes(ORGANIZATION)
    assert await port.changes(uuid4()) == 0


@pytest.mark.parametrize("order", [1, -1])
async def test_what_is_known_of_a_run_grows(port: Port, order: int) -> None:
    run = uuid4()
    about: dict[str, Any] = {
        "run_id": run,
        "organization_id": ORGANIZATION,
        "campaign_id": CAMPAIGN,
    }
    steps = [
        RunFact(**about, name="Dues", mode=Mode.LIVE, due_at=at(0)),
        RunFact(**about, rows=0),
        RunFact(**about, state=RunState.SENDING, state_sequence=1, started_at=at(1)),
        RunFact(**about, state=RunState.COMPLETED, state_sequence=2, completed_at=at(2)),
        RunFact(**about, alarm="error_spike", alarm_detail="1", alarm_code=1, alarm_sequence=3),
        RunFact(**about, alarm="does_not_add_up", alarm_detail="2", alarm_sequence=4),
        RunFact(**about, waiting="the account", waiting_sequence=1),
        RunFact(**about, waiting="the new account", waiting_sequence=2),
        RunFact(**about, earlier_run_id=RUN),
    ]
    for step in steps[::order]:
        async with port.models() as models:
            await models.keep_runs([step])
    kept = await port.run(run)
    assert (kept["name"], kept["mode"], kept["rows"]) == ("Dues", "LIVE", 0)
    assert (kept["state"], kept["state_sequence"]) == ("completed", 2)
    assert (kept["alarm"], kept["alarm_detail"]) == ("does_not_add_up", "2")
    assert (kept["alarm_code"], kept["waiting"]) == (None, "the new account")
    assert kept["earlier_run_id"] == RUN
    assert (kept["due_at"], kept["started_at"], kept["completed_at"]) == (at(0), at(1), at(2))
