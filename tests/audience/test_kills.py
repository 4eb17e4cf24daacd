"""X-1: wherever pages are cut and whenever the process dies, a run comes to the same."""

import asyncio
import random
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audience.fakes import Clock, FakeImis
from tests.audience.orders import AUDIENCE, MOBILE, NOON, member, sealed
from tests.audience.rigs import SqlRig, events_of, sqlite_rig

from audience import runs
from audience.domain.rows import rows_of
from audience.domain.verdicts import Accepted, Rejected, Seen, judge, numbered, terms_of
from audience.ports import Checkpoint, Claim, Ledger
from contracts.envelope import Envelope
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.campaign import Audience, CampaignDue
from imis_client import Page


class Killed(Exception):
    """The process is gone."""


class MortalLedger:
    """A ledger whose process dies at its n-th checkpoint, before or after it is written."""

    def __init__(self, ledger: Ledger, *, dies_at: int, written: bool) -> None:
        self._ledger = ledger
        self._left = dies_at
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def commit(self, claim: Claim[Any], checkpoint: Checkpoint, **at: Any) -> None:
        self._left -= 1
        if self._left < 0 and not self._written:
            raise Killed
        await self._ledger.commit(claim, checkpoint, **at)
        if self._left < 0:
            raise Killed


Deaths = list[tuple[int, bool]]


async def conduct(
    rig: SqlRig, run: Envelope[CampaignDue], imis: FakeImis, deaths: Deaths, *, page_rows: int
) -> None:
    """Work on the run until it is done, in a new process after each death."""
    await rig.take(run)
    clock = Clock(NOON)
    for incarnation, (dies_at, written) in enumerate([*deaths, (10_000, True)]):
        process = str(incarnation)
        await rig.restart(process)
        desk = rig.runs(process)
        if (claim := await desk.claim(at=clock())) is None:
            return
        ledger: Any = MortalLedger(rig.ledger(process), dies_at=dies_at, written=written)
        try:
            await runs.conduct(
                claim,
                desk=desk,
                ledger=ledger,
                source=imis,
                clock=clock,
                stopping=lambda: False,
                page_rows=page_rows,
            )
        except Killed:
            # Redelivered, as the killed consumer's offsets may not have been committed.
            await rig.take(run)


def outcome(published: list[Envelope[Any]]) -> dict[int, tuple[str, ...]]:
    """Return what became of each row, having checked that the events fit together."""
    pages: list[RecipientsResolved] = events_of(published, RecipientsResolved)
    rejections: list[RecipientRejected] = events_of(published, RecipientRejected)
    assert [page.sequence for page in pages] == list(range(1, len(pages) + 1))
    assert [page.totals is not None for page in pages] == [False] * (len(pages) - 1) + [True]
    recipients = [each for page in pages for each in page.recipients]
    found: dict[int, tuple[str, ...]] = {
        each.row: (each.imis_id, each.to, each.text) for each in recipients
    }
    found |= {each.row: (each.imis_id, each.phone, each.reason) for each in rejections}
    totals = pages[-1].totals
    assert totals is not None
    assert totals.rows == len(recipients) + len(rejections) == len(found)
    assert (totals.recipients, totals.rejected) == (len(recipients), len(rejections))
    assert totals.segments == sum(each.segments for each in recipients)
    return found


def expected(run: CampaignDue, rows: list[dict[str, str]]) -> dict[int, tuple[str, ...]]:
    """Return what becomes of each row when all are looked at in one go."""
    terms = terms_of(run)
    stored = rows_of(rows, AUDIENCE, after=0, is_first_page=True)
    found: dict[int, tuple[str, ...]] = {}
    for each in judge(numbered(stored, terms), terms, Seen()):
        match each:
            case Accepted(row=row):
                found[row.number] = (row.imis_id, each.to, each.text)
            case Rejected(row=row):
                found[row.number] = (row.imis_id, row.phone, each.reason)
    return found


ROWS = st.lists(
    st.builds(
        member,
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "12345", MOBILE, "202-555-0143", "+12025550144"]),
        st.sampled_from(["", "Ann", "Ben", "x" * 1601]),
    ),
    max_size=14,
)


class MovesAtFirst(FakeImis):
    """An iMIS that cuts each page from another order, until all were asked for once."""

    def __init__(self, rows: list[dict[str, str]], chance: random.Random) -> None:
        super().__init__(rows)
        self._chance = chance
        self._gave_the_last_page = False

    async def page(self, organization_id: UUID, audience: Audience, **cut: int) -> Page:
        count = len(self.default)
        keeps_still = self._gave_the_last_page and cut["offset"] == 0
        if not keeps_still and self.shuffles != [range(count)]:
            self.shuffles = [self._chance.sample(range(count), count)]
        else:
            self.shuffles = [range(count)]
        page = await super().page(organization_id, audience, **cut)
        self._gave_the_last_page |= not page.has_next
        return page


DEATHS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=5)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.booleans(), st.integers(1, 6), DEATHS)
def test_the_outcome_does_not_depend_on_the_pages_or_the_deaths(
    rows: list[dict[str, str]], one_text_per_phone: bool, page_rows: int, deaths: Deaths
) -> None:
    run = sealed(template="${Full Name}", one_text_per_phone=one_text_per_phone)

    async def live() -> list[Envelope[Any]]:
        async with sqlite_rig(with_settings=True) as rig:
            await conduct(rig, run, FakeImis(rows), deaths, page_rows=page_rows)
            return await rig.published()

    assert outcome(asyncio.run(live())) == expected(run.event, rows)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12), st.integers(1, 4), DEATHS, st.randoms(use_true_random=False))
def test_rows_that_move_while_processes_die_cost_nobody_a_text_or_a_second_one(
    count: int, page_rows: int, deaths: Deaths, chance: random.Random
) -> None:
    rows = [member(str(place), f"+1202555{1000 + place}") for place in range(count)]
    imis = MovesAtFirst(rows, chance)

    async def live() -> list[Envelope[Any]]:
        async with sqlite_rig(with_settings=True) as rig:
            await conduct(rig, sealed(), imis, deaths, page_rows=page_rows)
            return await rig.published()

    published = asyncio.run(live())
    outcome(published)
    pages: list[RecipientsResolved] = events_of(published, RecipientsResolved)
    texted = sorted(each.imis_id for page in pages for each in page.recipients)
    assert texted == sorted(row["iMIS Id"] for row in rows)
