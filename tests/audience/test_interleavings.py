"""What comes between two pages of a run: a repeat of its order, new settings, other rows."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from tests.audience.fakes import Clock, FakeImis
from tests.audience.orders import NOON, due, member, members, mobile, sealed, settings_changed
from tests.audience.rigs import SqlRig, events_of, sqlite_rig

from audience import runs
from contracts.envelope import Envelope, encode, seal
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.campaign import Audience, CampaignDue
from imis_client import Page

LARGEST_RECORD = 1_048_588
LARGEST_PAGE = 256 * 1024
PAGE = 4


class Interrupted(FakeImis):
    """Something happens just before a page is given."""

    def __init__(
        self, rows: list[dict[str, str]], *, before_page: int, happens: Callable[[], Awaitable[Any]]
    ) -> None:
        super().__init__(rows)
        self._before_page = before_page
        self._happens = happens

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        if len(self.pages) + 1 == self._before_page:
            await self._happens()
        return await super().page(organization_id, audience, offset=offset, limit=limit)


async def work(rig: SqlRig, imis: FakeImis, *, page_rows: int = PAGE, process: str = "one") -> bool:
    desk = rig.runs(process)
    claim = await desk.claim(at=NOON)
    if claim is None:
        return False
    await runs.conduct(
        claim,
        desk=desk,
        ledger=rig.ledger(process),
        source=imis,
        clock=Clock(NOON),
        stopping=lambda: False,
        page_rows=page_rows,
    )
    return True


async def pages(rig: SqlRig) -> list[RecipientsResolved]:
    return events_of(await rig.published(), RecipientsResolved)


async def recipients(rig: SqlRig) -> list[tuple[str, str]]:
    return [(each.imis_id, each.to) for page in await pages(rig) for each in page.recipients]


@pytest.mark.parametrize("before_page", [1, 2, 3])
async def test_a_run_that_is_ordered_again_while_it_is_read_goes_on_by_its_first_order(
    before_page: int,
) -> None:
    run = sealed(template="Hello ${Full Name},")
    # The same run, as a scheduler would freeze it after somebody changed what it is made of.
    changed: Envelope[CampaignDue] = seal(run.event.model_copy(update={"template": "Other text"}))
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(run)

        async def again() -> None:
            await rig.take(run)
            await rig.take(changed)

        imis = Interrupted(members(10), before_page=before_page, happens=again)
        assert await work(rig, imis)
        texts = [each.text for page in await pages(rig) for each in page.recipients]
        assert texts == [f"Hello Member {index}," for index in range(10)]
        before = await rig.published()
        assert {each.causation_id for each in before} == {run.id}

        # Long after its end, when iMIS has other rows, it is still the same run.
        await rig.take(run, changed)
        assert not await work(rig, FakeImis(members(30)))
        assert await rig.published() == before


async def test_a_process_that_takes_over_makes_texts_of_the_rows_that_were_stored() -> None:
    run = sealed()
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(run)
        imis = FakeImis(members(10))
        desk, ledger = rig.runs("one"), rig.ledger("one")
        claim = await desk.claim(at=NOON)
        assert claim is not None
        # All rows are stored, and one page of them is told, as the process dies.
        while not (await pages(rig)):
            claim = await runs.advance(
                claim, ledger=ledger, source=imis, clock=Clock(NOON), page_rows=PAGE
            )
        await rig.restart("two")
        await rig.take(run)
        renamed = [row | {"Full Name": "Somebody else"} for row in members(10)]
        assert await work(rig, other := FakeImis(renamed), process="two")
        assert other.pages == []
        texts = [each.text for page in await pages(rig) for each in page.recipients]
        assert texts == [f"Hello Member {index}," for index in range(10)]


@pytest.mark.parametrize("before_page", [1, 2, 3])
async def test_a_default_prefix_that_changes_between_two_pages_is_for_the_next_run(
    before_page: int,
) -> None:
    run = sealed(default_country="US")
    british = settings_changed(sequence=2)
    settings = british.settings.model_copy(update={"default_country": "GB"})
    british = british.model_copy(update={"settings": settings})
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(run)
        imis = Interrupted(
            members(10), before_page=before_page, happens=lambda: rig.change_settings(british)
        )
        assert await work(rig, imis)
        found = await recipients(rig)
        assert len(found) == 10
        assert {number[:5] for _, number in found} == {"+1202"}


@pytest.mark.parametrize(
    ("before", "after"),
    [(members(10), members(13)), (members(10), members(7)), (members(10), members(10)[::-1])],
    ids=["members join", "members leave", "the order turns"],
)
async def test_rows_that_change_while_they_are_paged_are_noticed_and_read_again(
    before: list[dict[str, str]], after: list[dict[str, str]]
) -> None:
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(sealed())

        async def change() -> None:
            imis.default = after

        imis = Interrupted(before, before_page=2, happens=change)
        assert await work(rig, imis)
        offsets = [offset for _, offset in imis.pages]
        assert offsets.count(0) >= 2
        found = [imis_id for imis_id, _ in await recipients(rig)]
        assert len(found) == len(set(found))
        assert {row["iMIS Id"] for row in after} <= set(found)
        told = await rig.published()
        totals = events_of(told, RecipientsResolved)[-1].totals
        assert totals.recipients == len(found)
        assert totals.rejected == len(events_of(told, RecipientRejected))


async def test_500_texts_of_1600_cyrillic_characters_go_in_pages_that_kafka_takes() -> None:
    rows = [
        member(str(index), mobile(index), "Ж" * (1600 - len("Hello ,"))) for index in range(500)
    ]
    async with sqlite_rig(with_settings=True) as rig:
        await rig.take(seal(due()))
        assert await work(rig, FakeImis(rows), page_rows=500)
        told = [e for e in await rig.published() if isinstance(e.event, RecipientsResolved)]
        sizes = [len(value) for _, value, _ in map(encode, told)]
        assert max(sizes) <= LARGEST_PAGE < LARGEST_RECORD
        assert sum(sizes) > LARGEST_RECORD
        texts = [each.text for page in await pages(rig) for each in page.recipients]
        assert len(texts) == 500
        assert {len(text) for text in texts} == {1600}
        assert [page.totals is not None for page in await pages(rig)][-1]
