"""TM-10: what a run would come to, without a trace of its rows."""

import random
import tracemalloc
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audience.fakes import TRY_AGAIN, Clock, FakeImis, FakeOptOuts
from tests.audience.orders import (
    MOBILE,
    NOON,
    member,
    members,
    request,
    sealed,
    settings_changed,
)
from tests.audience.rigs import MemoryRig, events_of
from tests.audience.test_runs import Scene

from audience import previews
from audience.domain.failures import NotHereYet
from audience.ports import Checkpoint
from contracts.envelope import seal
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
    Reason,
    RecipientRejected,
)
from contracts.events.campaign import Audience
from imis_client import CredentialsRejected, Forbidden, NotFound, Page


def place_of(number: str, zone: str) -> str:
    """Tell places apart by the zone, else by the number's first digits."""
    return zone or number[:5]


class Desk:
    """Where previews are asked for and answered."""

    def __init__(self, imis: FakeImis) -> None:
        self.imis = imis
        self.rig = MemoryRig()
        self.clock = Clock(NOON)
        self.paused: list[float] = []
        self.opt_outs = FakeOptOuts()
        self.unheard: list[tuple[str, str]] = []

    async def ask(self, asked: AudiencePreviewRequested, *, page_rows: int = 500) -> None:
        await self.rig.change_settings(settings_changed())
        await self.rig.take(seal(asked))
        await self.work(page_rows=page_rows)

    async def work(self, *, page_rows: int = 500) -> None:
        claim = await self.rig.previews().claim(at=self.clock())
        assert claim is not None
        means = previews.Means(
            desk=self.rig.previews(),
            ledger=self.rig.ledger(),
            source=self.imis,
            opt_outs=self.opt_outs,
            hear=self.hear,
            place_of=place_of,
            clock=self.clock,
            pause=self.pause,
            page_rows=page_rows,
        )
        await previews.conduct(claim, means)

    async def hear(self) -> None:
        """Learn of who opted out just now."""
        self.opt_outs.add(*self.unheard)

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    async def answers(self) -> list[AudiencePreviewed]:
        return events_of(await self.rig.published(), AudiencePreviewed)


async def test_tm_10_the_figures() -> None:
    rows = [
        *(member("1"), member("2", ""), member("3", "12345"), member("", MOBILE)),
        *(member("1"), member("4", name=""), member("5", name="Олена")),
        *(member("6", name="x" * 160), member("7", name="y" * 1600)),
    ]
    desk, asked = Desk(FakeImis(rows)), request()
    await desk.ask(asked, page_rows=2)
    [answer] = await desk.answers()
    assert (answer.preview_id, answer.campaign_id) == (asked.preview_id, asked.campaign_id)
    assert (answer.contacts_returned, answer.recipients) == (9, 4)
    assert answer.excluded == {
        Reason.NO_NUMBER: 1,
        Reason.INVALID_NUMBER: 1,
        Reason.NO_MEMBER_ID: 1,
        Reason.REPEATED_ROW: 1,
        Reason.TEXT_TOO_LONG: 1,
    }
    assert (answer.segments, answer.messages_by_segments) == (5, {1: 3, 2: 1})
    assert (answer.lacking_values, answer.ucs2_messages) == (1, 1)
    assert answer.failure is None
    assert desk.rig.memory.rows == {} or not any(desk.rig.memory.rows.values())


async def test_a_preview_of_nobody() -> None:
    desk = Desk(FakeImis())
    await desk.ask(request())
    [answer] = await desk.answers()
    assert (answer.contacts_returned, answer.segments, answer.failure) == (0, 0, None)


async def test_a_page_that_fails_is_asked_for_again_for_a_moment() -> None:
    desk = Desk(FakeImis(members(3)))
    desk.imis.errors = [TRY_AGAIN, TRY_AGAIN]
    await desk.ask(request())
    [answer] = await desk.answers()
    assert answer.recipients == 3
    assert desk.paused == [0.5, 2.0]


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([TRY_AGAIN] * 3, "few minutes"),
        ([NotFound("Tick 'Available via the REST API'.")], "REST API"),
        ([Forbidden("403")], "right"),
        ([CredentialsRejected("no")], "username and password"),
    ],
)
async def test_a_preview_that_cant_be_says_why(errors: list[Exception], words: str) -> None:
    desk = Desk(FakeImis(members(3)))
    desk.imis.errors = errors
    await desk.ask(request())
    [answer] = await desk.answers()
    assert words in (answer.failure or "")
    assert answer.contacts_returned == 0


async def test_x20_a_refused_login_is_tried_by_one_preview_and_by_none_after_it() -> None:
    desk = Desk(FakeImis(members(3)))
    desk.imis.errors = [CredentialsRejected("no")]
    for _ in range(3):
        await desk.ask(request())
        desk.clock.forward(hours=2)
    assert len(desk.imis.pages) == 1
    assert all("password" in (each.failure or "") for each in await desk.answers())
    await desk.rig.change_settings(settings_changed(sequence=2))
    await desk.ask(request())
    assert (await desk.answers())[-1].recipients == 3


async def test_tm10_a_long_preview_says_about_once_a_second_how_far_it_is() -> None:
    imis = SlowImis(members(10), seconds=0.4)
    desk = Desk(imis)
    imis.clock = desk.clock
    asked = request()
    await desk.ask(asked, page_rows=1)
    published = await desk.rig.published()
    told: list[AudiencePreviewProgressed] = events_of(published, AudiencePreviewProgressed)
    assert [(each.rows_read, each.rows_expected) for each in told] == [(3, 10), (6, 10), (9, 10)]
    [answer] = await desk.answers()
    sequences = [each.event.sequence for each in published]
    assert sequences == sorted(set(sequences))
    assert (answer.sequence, answer.recipients) == (4, 10)
    assert {each.preview_id for each in told} == {asked.preview_id}


@pytest.mark.parametrize("one_text_per_phone", [False, True])
async def test_tm10_a_preview_of_many_takes_hardly_more_memory_than_one_of_few(
    one_text_per_phone: bool,
) -> None:
    async def peak(rows: int) -> int:
        desk = Desk(EndlessImis(rows))
        tracemalloc.start()
        try:
            await desk.ask(request(one_text_per_phone=one_text_per_phone))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            [answer] = await desk.answers()
            assert (answer.contacts_returned, answer.recipients) == (rows, rows)

    few = await peak(1_000)
    # A kept row would take half a kilobyte; a mark takes eight bytes, of three kinds.
    assert (await peak(11_000) - few) / 10_000 < 150


async def test_a_preview_that_is_taken_over_goes_on_counting_its_words() -> None:
    imis = SlowImis(members(4), seconds=1.0)
    desk = Desk(imis)
    imis.clock = desk.clock
    await desk.rig.change_settings(settings_changed())
    await desk.rig.take(seal(request()))
    lost = await desk.rig.previews("dies").claim(at=desk.clock())
    assert lost is not None
    await desk.rig.ledger("dies").commit(lost, Checkpoint(lost.progress), at=desk.clock())
    desk.clock.forward(minutes=1)
    await desk.work(page_rows=1)
    sequences = [each.event.sequence for each in await desk.rig.published()]
    assert sequences == [2, 3, 4, 5, 6]


async def test_x11_a_list_that_does_not_arrive_is_said_at_once() -> None:
    desk = Desk(FakeImis(members(3)))
    desk.imis.errors = [NotHereYet()] * 3
    await desk.ask(request())
    [answer] = await desk.answers()
    assert "Upload it anew" in (answer.failure or "")


async def test_a_preview_that_kills_its_process_is_given_up() -> None:
    desk = Desk(FakeImis(members(3)))
    await desk.rig.change_settings(settings_changed())
    await desk.rig.take(seal(request()))
    for _ in range(3):
        assert await desk.rig.previews("dies").claim(at=desk.clock()) is not None
        desk.clock.forward(minutes=1)
    await desk.work()
    [answer] = await desk.answers()
    assert "operator" in (answer.failure or "")


class EndlessImis(FakeImis):
    """An iMIS that keeps none of its rows either."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        end = min(offset + limit, self._rows)
        numbers = (f"+1202{2_000_000 + n}" for n in range(offset, end))
        rows = [member(str(n), number) for n, number in enumerate(numbers, start=offset)]
        return Page(rows, self._rows, end < self._rows, end)


class SlowImis(FakeImis):
    """An iMIS that takes its time for each page."""

    def __init__(self, rows: list[dict[str, str]], *, seconds: float) -> None:
        super().__init__(rows)
        self._seconds = seconds
        self.clock: Clock

    async def page(self, organization_id: UUID, audience: Audience, **cut: int) -> Page:
        self.clock.forward(seconds=self._seconds)
        return await super().page(organization_id, audience, **cut)


ROWS = st.lists(
    st.builds(
        member,
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "12345", MOBILE, "202-555-0143", "+12025550144"]),
        st.sampled_from(["", "Ann", "Ben", "Ж", "x" * 1601]),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(ROWS, st.booleans(), st.integers(1, 9), st.integers(0, 999))
async def test_a_preview_foretells_what_the_run_comes_to(
    rows: list[dict[str, str]], one_text_per_phone: bool, page_rows: int, seed: int
) -> None:
    def moving() -> FakeImis:
        imis, chance = FakeImis(rows), random.Random(seed)
        places = range(len(rows))
        imis.shuffles = [*(chance.sample(places, len(rows)) for _ in range(5)), places]
        return imis

    desk = Desk(moving())
    await desk.ask(request(one_text_per_phone=one_text_per_phone), page_rows=page_rows)
    [answer] = await desk.answers()

    scene = Scene(moving())
    await scene.order(sealed(one_text_per_phone=one_text_per_phone))
    await scene.work(page_rows=page_rows)
    totals = await scene.totals()
    rejections: list[RecipientRejected] = await scene.said(RecipientRejected)
    assert (answer.contacts_returned, answer.recipients) == (totals.rows, totals.recipients)
    assert answer.segments == totals.segments
    assert sum(answer.excluded.values()) == totals.rejected
    for reason, count in answer.excluded.items():
        assert count == len([each for each in rejections if each.reason is reason])
