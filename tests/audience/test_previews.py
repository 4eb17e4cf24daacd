"""TM-10: what a run would come to, without a trace of its rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audience.fakes import TRY_AGAIN, Clock, FakeImis
from tests.audience.orders import MOBILE, NOON, member, members, request, sealed, settings_changed
from tests.audience.rigs import MemoryRig, events_of
from tests.audience.test_runs import Scene

from audience import previews
from contracts.envelope import seal
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewRequested,
    Reason,
    RecipientRejected,
)
from imis_client import CredentialsRejected, Forbidden, NotFound


class Desk:
    """Where previews are asked for and answered."""

    def __init__(self, imis: FakeImis) -> None:
        self.imis = imis
        self.rig = MemoryRig()
        self.clock = Clock(NOON)
        self.paused: list[float] = []

    async def ask(self, asked: AudiencePreviewRequested, *, page_rows: int = 500) -> None:
        await self.rig.change_settings(settings_changed())
        await self.rig.take(seal(asked))
        await self.work(page_rows=page_rows)

    async def work(self, *, page_rows: int = 500) -> None:
        claim = await self.rig.previews().claim(at=self.clock())
        assert claim is not None
        await previews.conduct(
            claim,
            desk=self.rig.previews(),
            ledger=self.rig.ledger(),
            imis=self.imis,
            clock=self.clock,
            pause=self.pause,
            page_rows=page_rows,
        )

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


async def test_a_refused_login_is_not_tried_by_one_preview_after_another() -> None:
    desk = Desk(FakeImis(members(3)))
    desk.imis.errors = [CredentialsRejected("no")]
    await desk.ask(request())
    await desk.ask(request())
    assert len(desk.imis.pages) == 1
    assert all("password" in (each.failure or "") for each in await desk.answers())
    desk.clock.forward(minutes=1)
    await desk.ask(request())
    assert (await desk.answers())[-1].recipients == 3
    await desk.ask(request())
    assert len(desk.imis.logins_allowed) == 1


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


ROWS = st.lists(
    st.builds(
        member,
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "12345", MOBILE, "202-555-0143", "+12025550144"]),
        st.sampled_from(["", "Ann", "Ben", "Ж", "x" * 1601]),
    ),
    max_size=25,
)


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
