"""Whatever order, repeats and batches: the same tables, and figures that can be recounted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.projections import facts as ours
from tests.projections.models import Models, opened, url
from tests.status import facts

from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent, CampaignStatus
from contracts.events.message import MessageStatus, Refused, Unresolved
from contracts.events.run import RunFailed
from projections.subscribers import MESSAGE_TYPES, RUN_TYPES

Tables = Mapping[str, list[dict[str, Any]]]
EVENTS: list[Envelope[Event]] = [
    seal(each)
    for each in (
        ours.campaign(),
        ours.campaign(CampaignStatus.SENDING, sequence=3),
        ours.due(),
        facts.page([1, 2], sequence=1),
        facts.page([3, 4], facts.totals(4, rejected=2), sequence=2),
        facts.rejected(5),
        facts.rejected(6, Reason.REPEATED_ROW),
        facts.excluded(4),
        facts.queued(1),
        facts.queued(2),
        facts.queued(3),
        facts.queued(4),
        facts.submitted(1),
        facts.submitted(2, Refused(code=21610)),
        facts.submitted(3, Unresolved(reason="timeout")),
        facts.submitted(3, Unresolved(reason="no clear answer"), sequence=3),
        ours.status(1, 1, MessageStatus.SENT),
        ours.status(1, 2, MessageStatus.DELIVERED, segments=2),
        ours.status(2, 1, MessageStatus.FAILED, code=21610),
        ours.status(3, 1, MessageStatus.SENT, attempted_at=facts.at(90_000)),
        ours.status(3, 2, MessageStatus.UNKNOWN),
        ours.refused(1),
        ours.written(1),
        ours.written(2, kind="TEXTUNSUB"),
        ours.started(),
        ours.completed(),
        ours.alarm(),
        ours.alarm("stalled", sequence=1),
        ours.resent(),
        ours.queued_again(2),
        ours.status(2, 1, MessageStatus.PREPARING, run=ours.LATER_RUN),
        facts.excluded(2, Reason.OPTED_OUT, run=ours.LATER_RUN).model_copy(update={"sequence": 2}),
    )
]


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Envelope[Event]]]:
    """The events in any order, some of them again, in batches of any size."""
    repeats = draw(st.lists(st.sampled_from(EVENTS), max_size=8))
    events = draw(st.permutations([*EVENTS, *repeats]))
    cuts = sorted(draw(st.sets(st.integers(1, len(events) - 1), max_size=6)))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables after all events, each once, each alone, in the order of their happening."""
    return asyncio.run(one_by_one(url("sqlite", tmp_path_factory.mktemp("expected"))))


async def one_by_one(address: str) -> Tables:
    async with opened(address) as models:
        for each in EVENTS:
            await models.take_sealed([each])
        return await models.tables()


@pytest.fixture
async def models(tmp_path: Path) -> AsyncIterator[Models]:
    async with opened(url("sqlite", tmp_path)) as models:
        yield models


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=deliveries())
async def test_any_order_ends_in_the_same_tables(
    models: Models, expected: Tables, batches: list[list[Envelope[Event]]]
) -> None:
    await models.clear()
    for batch in batches:
        await models.take_sealed(batch)
    tables = await models.tables()
    assert tables == expected
    messages: Counter[tuple[UUID, str]] = Counter()
    segments: Counter[tuple[UUID, str]] = Counter()
    for row in tables["messages"]:
        messages[row["run_id"], row["status"]] += 1
        segments[row["run_id"], row["status"]] += row["segments"]
    counts = {(row["run_id"], row["status"]): row for row in tables["run_counts"]}
    assert {key: row["messages"] for key, row in counts.items()} == messages
    assert {key: row["segments"] for key, row in counts.items()} == segments


def test_the_events_are_of_every_type_that_is_projected() -> None:
    projected = set(RUN_TYPES) | set(MESSAGE_TYPES)
    of_campaigns = {each for each in projected if issubclass(each, CampaignEvent)}
    missing = projected - of_campaigns - {type(each.event) for each in EVENTS}
    # A run that failed has no messages: see test_queries.
    assert missing == {RunFailed}


def test_the_tables_say_what_happened(expected: Tables) -> None:
    runs = {each["run_id"]: each for each in expected["runs"]}
    later, run = runs.pop(ours.LATER_RUN), runs.pop(facts.RUN)
    assert not runs
    assert (run["alarm"], run["alarm_detail"]) == ("does_not_add_up", "6 rows, 5 accounted for")
    assert (later["earlier_run_id"], later["rows"], later["recipients"]) == (facts.RUN, 1, 1)
    assert (run["state"], run["rows"], run["recipients"]) == ("completed", 6, 4)
    assert (run["rejected"], run["excluded"], run["segments"]) == (2, 1, 5)
    assert (run["started_at"], run["completed_at"]) == (facts.at(1), facts.at(9))
    rows = {row["row"]: row for row in expected["messages"] if row["run_id"] == facts.RUN}
    [again] = [row for row in expected["messages"] if row["run_id"] == ours.LATER_RUN]
    assert (again["supersedes"], again["status"]) == (facts.message(2), "excluded")
    assert (again["reason"], again["to"]) == ("opted_out", facts.number(2))
    assert {row: (each["status"], each["reason"]) for row, each in rows.items()} == {
        1: ("delivered", None),
        2: ("failed", None),
        3: ("unknown", None),
        4: ("excluded", "over_run_limit"),
        5: ("error", "invalid_number"),
        6: ("excluded", "repeated_row"),
    }
    assert rows[3]["doubt"] == "no clear answer"
    assert (rows[4]["to"], rows[5]["to"]) == (facts.number(4), "12")
    assert rows[5]["message_id"] == ids.message_id(facts.recipient(5))
    assert (rows[1]["activity_state"], rows[1]["activity_seqn"]) == ("written", "901")
    assert rows[2]["activity_state"] is None
    [campaign] = expected["campaigns"]
    assert (campaign["status"], campaign["sequence"]) == ("sending", 3)
    [day] = expected["days"]
    assert (day["sent_messages"], day["sent_segments"]) == (1, 2)
    assert (day["failed_messages"], day["unknown_messages"]) == (1, 1)
