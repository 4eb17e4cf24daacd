"""A run from iMIS's pages to the recipients, and what stops it."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.audience.fakes import TRY_AGAIN, Clock, FakeImis
from tests.audience.orders import (
    MOBILE,
    NOON,
    due,
    member,
    members,
    sealed,
    settings_changed,
)
from tests.audience.rigs import MemoryRig, events_of

from audience import runs
from audience.ports import Claim
from contracts.envelope import Envelope, seal
from contracts.events.audience import (
    AudienceFailed,
    Reason,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.campaign import CampaignDue
from imis_client import BadRequest, Forbidden, NotFound, TryAgain


@dataclass
class Scene:
    """One process that works on runs, step by step of its queue."""

    imis: FakeImis
    rig: MemoryRig = field(default_factory=MemoryRig)
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    stopping: bool = False
    stops_after: int | None = None
    """After how many further checkpoints the process is told to stop."""

    async def order(self, run: Envelope[CampaignDue]) -> None:
        await self.rig.change_settings(settings_changed())
        await self.rig.take(run)

    async def work(self, *, page_rows: int = 500) -> Claim[CampaignDue] | None:
        """Take up one run if there is one, and conduct it as far as it goes."""
        desk = self.rig.runs()
        claim = await desk.claim(at=self.clock())
        if claim is not None:
            await runs.conduct(
                claim,
                desk=desk,
                ledger=self.rig.ledger(),
                source=self.imis,
                clock=self.clock,
                stopping=self.is_stopping,
                page_rows=page_rows,
            )
        return claim

    def is_stopping(self) -> bool:
        if self.stops_after is not None:
            self.stops_after -= 1
            return self.stops_after < 0
        return self.stopping

    async def said(self, kind: type[Any]) -> list[Any]:
        return events_of(await self.rig.published(), kind)

    async def recipients(self) -> list[str]:
        pages = await self.said(RecipientsResolved)
        return [each.imis_id for page in pages for each in page.recipients]

    async def totals(self) -> Totals:
        pages: list[RecipientsResolved] = await self.said(RecipientsResolved)
        assert [page.totals is None for page in pages] == [True] * (len(pages) - 1) + [False]
        assert [page.sequence for page in pages] == list(range(1, len(pages) + 1))
        assert pages[-1].totals is not None
        return pages[-1].totals


async def test_every_row_has_its_outcome_and_all_because_of_the_due_run() -> None:
    rows = [
        *(member("1"), member("2", ""), member("3", "12345"), member("", MOBILE)),
        *(member("1", "202 555 0143", "Other"), member("4", name="x" * 1600), member("5")),
    ]
    scene, run = Scene(FakeImis(rows)), sealed()
    await scene.order(run)
    await scene.work()
    assert await scene.recipients() == ["1", "5"]
    rejections: list[RecipientRejected] = await scene.said(RecipientRejected)
    assert [(each.row, each.imis_id, each.phone, each.reason) for each in rejections] == [
        (2, "2", "", Reason.NO_NUMBER),
        (3, "3", "12345", Reason.INVALID_NUMBER),
        (4, "", MOBILE, Reason.NO_MEMBER_ID),
        (5, "1", "202 555 0143", Reason.REPEATED_ROW),
        (6, "4", MOBILE, Reason.TEXT_TOO_LONG),
    ]
    assert await scene.totals() == Totals(rows=7, recipients=2, rejected=5, segments=2)
    assert {each.causation_id for each in await scene.rig.published()} == {run.id}


async def test_what_is_frozen_in_the_due_run_is_on_every_page() -> None:
    run = seal(due(template="Hi ${Full Name}", from_number="+18885550100", name="Dues"))
    scene = Scene(FakeImis(members(5)))
    await scene.order(run)
    await scene.work(page_rows=2)
    pages: list[RecipientsResolved] = await scene.said(RecipientsResolved)
    assert [len(page.recipients) for page in pages] == [2, 2, 1]
    for page in pages:
        assert (page.run_id, page.campaign_id) == (run.event.run_id, run.event.campaign_id)
        assert (page.mode, page.write_to) == (run.event.mode, run.event.write_to)
        assert (page.from_number, page.name, page.occurrence) == (
            "+18885550100",
            "Dues",
            "launch:1",
        )
    assert pages[0].recipients[0].text == "Hi Member 0"


async def test_nobody_is_an_audience() -> None:
    scene = Scene(FakeImis())
    await scene.order(sealed())
    await scene.work()
    assert await scene.totals() == Totals(rows=0, recipients=0, rejected=0, segments=0)


async def test_the_same_run_again_changes_nothing_though_the_rows_changed() -> None:
    scene, run = Scene(FakeImis(members(3))), sealed()
    await scene.order(run)
    await scene.work()
    before = await scene.rig.published()
    scene.imis.default = members(9)
    await scene.order(run)
    assert await scene.work() is None
    assert await scene.rig.published() == before


async def test_rows_that_move_between_pages_are_found_and_nobody_is_texted_twice() -> None:
    rows = members(40)
    for seed in range(20):
        chance = random.Random(seed)
        moved = [chance.sample(range(40), 40) for _ in range(8)]
        scene = Scene(FakeImis(rows))
        # Each page of the first pass is cut from another order; then iMIS keeps still.
        scene.imis.shuffles = [*moved[:4], range(40)]
        await scene.order(sealed())
        await scene.work(page_rows=10)
        recipients = await scene.recipients()
        assert sorted(recipients) == sorted(row["iMIS Id"] for row in rows)
        rejections: list[RecipientRejected] = await scene.said(RecipientRejected)
        assert {each.reason for each in rejections} <= {Reason.REPEATED_ROW}
        totals = await scene.totals()
        assert (totals.recipients, totals.rows) == (40, 40 + len(rejections))


async def test_rows_that_always_move_are_read_three_times_at_most() -> None:
    scene, chance = Scene(FakeImis(members(40))), random.Random(1)
    scene.imis.shuffles = [chance.sample(range(40), 40) for _ in range(99)]
    await scene.order(sealed())
    await scene.work(page_rows=10)
    assert len(scene.imis.pages) == 12
    recipients = await scene.recipients()
    assert len(recipients) == len(set(recipients))


async def test_rows_that_really_repeat_cost_one_further_pass_and_are_said_once() -> None:
    scene = Scene(FakeImis([*members(3), *members(3)[:1]]))
    await scene.order(sealed())
    await scene.work(page_rows=2)
    assert [offset for _, offset in scene.imis.pages] == [0, 2, 0, 2]
    [rejection] = await scene.said(RecipientRejected)
    assert (rejection.row, rejection.reason) == (4, Reason.REPEATED_ROW)
    assert (await scene.totals()).rows == 4


async def test_who_changed_between_passes_is_not_texted_twice() -> None:
    scene = Scene(FakeImis([member("1"), member("1"), member("2")]))
    await scene.order(sealed())
    first = [member("1"), member("1"), member("2")]
    scene.imis.default = first
    scene.imis.shuffles = [range(3)]
    claim = await scene.rig.runs().claim(at=NOON)
    assert claim is not None
    run = claim
    ledger = scene.rig.ledger()

    async def step(before: Claim[CampaignDue]) -> Claim[CampaignDue]:
        return await runs.advance(before, ledger=ledger, source=scene.imis, clock=scene.clock)

    while run.progress.reading.passes == 1:
        run = await runs.advance(
            run, ledger=scene.rig.ledger(), source=scene.imis, clock=scene.clock
        )
    scene.imis.default = [member("1", name="Anne"), member("2"), member("3")]
    while not run.progress.done:
        run = await runs.advance(
            run, ledger=scene.rig.ledger(), source=scene.imis, clock=scene.clock
        )
    assert await scene.recipients() == ["1", "2", "3"]


async def test_imis_that_cant_be_reached_is_tried_again_later_from_the_same_place() -> None:
    scene = Scene(FakeImis(members(5)))
    await scene.order(sealed())
    scene.imis.errors = [TRY_AGAIN]
    await scene.work(page_rows=2)
    assert await scene.work(page_rows=2) is None
    scene.clock.forward(seconds=1)
    scene.imis.errors = [TryAgain("busy", retry_after=20)]
    await scene.work(page_rows=2)
    scene.clock.forward(seconds=19)
    assert await scene.work(page_rows=2) is None
    scene.clock.forward(seconds=1)
    await scene.work(page_rows=2)
    assert [offset for _, offset in scene.imis.pages] == [0, 0, 0, 2, 4]
    assert len(await scene.recipients()) == 5


async def test_a_process_that_stops_puts_the_run_back_for_the_next() -> None:
    scene = Scene(FakeImis(members(5)), stopping=True)
    await scene.order(sealed())
    await scene.work()
    assert scene.imis.pages == []
    scene.stopping = False
    await scene.work()
    assert len(await scene.recipients()) == 5


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFound("Tick 'Available via the REST API'."), "REST API"),
        (BadRequest("refused", detail="Chapter is required"), "Chapter is required"),
        (BadRequest("refused", detail="It failed."), "It says: It failed. Run it"),
        (Forbidden("403"), "right"),
    ],
)
async def test_what_cant_be_mended_by_waiting_fails_the_run_with_a_sentence(
    error: Exception, words: str
) -> None:
    scene, run = Scene(FakeImis(members(3))), sealed()
    await scene.order(run)
    scene.imis.errors = [error]
    await scene.work()
    [failed] = await scene.said(AudienceFailed)
    assert words in failed.reason
    assert (failed.run_id, failed.sequence) == (run.event.run_id, 1)
    assert await scene.said(RecipientsResolved) == []
    scene.clock.forward(hours=1)
    assert await scene.work() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "Hello ${Name"}, "no closing"),
        ({"default_country": "XX"}, "default country"),
        ({"audience": due().audience.model_copy(update={"phone_column": "Cell"})}, "column Cell"),
        ({"template": "Hello ${FullName},"}, "no column FullName any more"),
    ],
)
async def test_a_run_that_cant_be_read_fails_with_a_sentence(
    changes: dict[str, Any], words: str
) -> None:
    scene = Scene(FakeImis(members(3)))
    await scene.order(seal(due(**changes)))
    await scene.work()
    [failed] = await scene.said(AudienceFailed)
    assert words in failed.reason
