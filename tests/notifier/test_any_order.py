"""Whatever order events come in, and however often: each thing is told in one mail, once."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.notifier.doubles import FakePost, office
from tests.notifier.facts import (
    NOON,
    Clock,
    Told,
    alarm,
    completed,
    failed,
    open_store,
    scheduled,
    settings_changed,
)
from tests.notifier.test_alerts import activities_held, awaited, held, paused, refused, review

from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.activity import ActivityRefused
from contracts.events.run import HeldBy, RunAlarm
from notifier.domain.notices import REPORTS, Kind, Notice
from notifier.domain.rationing import HOUR, ration

SPIKE = seal(alarm(RunAlarm.ERROR_SPIKE, error_code=30007))
WRONG = seal(held(HeldBy.CONFIGURATION))
EVENTS: list[Envelope[Any]] = [
    SPIKE,
    seal(paused(), because=SPIKE.id),
    WRONG,
    seal(paused(by="sender", sequence=5), because=WRONG.id),
    *map(
        seal,
        [
            completed(),
            failed(run_id=ids.run_id(UUID(int=7), "launch:2")),
            alarm(),
            held(),
            held(sequence=2),
            awaited(),
            activities_held(),
            awaited(settings_sequence=2),
            refused(ActivityRefused, "No such member."),
            review(),
        ],
    ),
]
TOLD = 12 - 1
"""The two pauses are told with their causes, and the first two about iMIS are one."""


@settings(max_examples=15, deadline=None)
@given(
    st.permutations(list(range(len(EVENTS))) * 2),
    st.lists(st.booleans(), min_size=2 * len(EVENTS), max_size=2 * len(EVENTS)),
)
def test_each_mail_is_sent_once(order: list[int], works: list[bool]) -> None:
    async def all_of_it(folder: Path) -> FakePost:
        store, clock = open_store(folder, database_url=f"sqlite:///{folder}"), Clock()
        await store.start()
        told, one = Told(store, clock), office(store, clock)
        await told.tell(settings_changed(), scheduled())
        for number, work in zip(order, works, strict=True):
            await told.tell_sealed([EVENTS[number]])
            if work:
                await one.work()
        clock.passes(3600)
        await one.work()
        await store.stop()
        return one.post

    with tempfile.TemporaryDirectory() as folder:
        post = asyncio.run(all_of_it(Path(folder)))
    assert len(post.mail_ids) == len(set(post.mail_ids)) == TOLD


NOTICES = st.lists(
    st.builds(
        Notice,
        st.uuids(),
        st.sampled_from([Kind.RUN_FAILED, Kind.REVIEWS, Kind.REPORT]),
        st.sampled_from([UUID(int=1), UUID(int=2)]),
        st.just(NOON),
    ),
    max_size=30,
    unique_by=lambda notice: notice.mail_id,
)


@given(NOTICES, st.lists(st.integers(0, 7200), max_size=12), st.integers(1, 6))
def test_no_storm_and_nothing_left_out(due: list[Notice], ago: list[int], most: int) -> None:
    past = {
        (organization, kind): [NOON - timedelta(seconds=each) for each in ago]
        for organization in (UUID(int=1), UUID(int=2))
        for kind in Kind
    }
    made = ration(due, past, at=NOON, alerts_an_hour=most)
    together = [each.mail_id for parts in made.together.values() for each in parts]
    decided = [*(each.mail_id for each in made.each), *together, *made.later]
    assert sorted(decided) == sorted(each.mail_id for each in due)
    recent = len([each for each in ago if each < 3600])
    for lane, limit in (((UUID(int=1), Kind.RUN_FAILED), most), ((UUID(int=2), Kind.REVIEWS), 1)):
        alone = [e for e in made.each if (e.organization_id, e.kind) == lane]
        shared = [p for p in made.together.values() if (p[0].organization_id, p[0].kind) == lane]
        assert len(alone) + len(shared) <= max(0, limit - recent)
    assert all(NOON < until <= NOON + HOUR for until in made.later.values())
    assert {e.mail_id for e in due if e.kind in REPORTS} <= {e.mail_id for e in made.each}
