"""A preview: a run's own reading and rules, of which only the figures are kept.

Somebody waits for it, so what a run would wait out is waited for a few seconds only, and then
said; and so that they see it go on, about once a second it says how far it has come.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audience.domain.failures import NotHereYet
from audience.domain.marks import Marks
from audience.domain.reading import Reading
from audience.domain.rows import checksum_of, not_among, rows_of
from audience.domain.tally import PlaceOf, Tally, not_previewed
from audience.domain.verdicts import Accepted, judge, numbered, pairs_of, terms_of
from audience.failures import FINAL, NO_LOGIN, NOT_AT_ALL, NOT_NOW, sentence
from audience.ports import Checkpoint, Claim, Desk, LeaseLost, Ledger, OptOuts, RowSource
from chassis.logs import get_logger
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from imis_client import CredentialsRejected, Page, TryAgain

PAGE_ROWS = 500
MOST_ATTEMPTS = 3
WAITS_SECONDS = (0.5, 2.0)
"""How long to wait before each further try to read a page."""
TOLD_EVERY = timedelta(seconds=1)

Preview = Claim[AudiencePreviewRequested]
Clock = Callable[[], datetime]
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a preview is made with."""

    desk: Desk[AudiencePreviewRequested]
    ledger: Ledger
    source: RowSource
    opt_outs: OptOuts
    hear: Callable[[], Awaitable[None]]
    """Waits until every opt-out that was told before now is known."""
    place_of: PlaceOf
    clock: Clock
    pause: Pause
    page_rows: int = PAGE_ROWS


async def conduct(preview: Preview, means: Means) -> None:
    """Answer a request for a preview, once, with figures or with why there are none."""
    progress = _Progress(preview, means)
    try:
        answer = await _answer(preview, means, progress)
        await progress.end(answer)
    except LeaseLost:
        get_logger().warning(
            "Another process has taken the preview over.", preview_id=str(preview.order.preview_id)
        )


class _Progress:
    """What a preview has said so far: each further word has a higher sequence, over restarts."""

    def __init__(self, preview: Preview, means: Means) -> None:
        self._preview = preview
        self._means = means
        self._told_at = means.clock()

    @property
    def sequence(self) -> int:
        """The number of what is said next; each is written as a checkpoint."""
        return self._preview.step + 1

    async def tell(self, *, rows_read: int, rows_expected: int | None) -> None:
        """Say how far the count has come, unless that was said just now."""
        at = self._means.clock()
        if at - self._told_at < TOLD_EVERY:
            return
        request = self._preview.order
        event = AudiencePreviewProgressed(
            organization_id=request.organization_id,
            occurred_at=at,
            sequence=self.sequence,
            preview_id=request.preview_id,
            rows_read=rows_read,
            rows_expected=rows_expected,
        )
        checkpoint = Checkpoint(self._preview.progress, events=[event])
        await self._means.ledger.commit(self._preview, checkpoint, at=at)
        self._preview = self._preview.at(self._preview.progress)
        self._told_at = at

    async def end(self, answer: AudiencePreviewed) -> None:
        """Say the last word."""
        checkpoint = Checkpoint(self._preview.progress, events=[answer], done=True)
        await self._means.ledger.commit(self._preview, checkpoint, at=self._means.clock())


async def _answer(preview: Preview, means: Means, progress: _Progress) -> AudiencePreviewed:
    request = preview.order

    def without(words: str) -> AudiencePreviewed:
        return not_previewed(request, words, at=means.clock(), sequence=progress.sequence)

    if preview.attempts > MOST_ATTEMPTS:
        return without(NOT_AT_ALL)
    if preview.login_refused:
        return without(NO_LOGIN)
    try:
        tally = await count(request, means, progress)
    except FINAL as error:
        return without(sentence(error, request.audience.iqa_path))
    except NotHereYet as error:
        return without(sentence(error, ""))
    except TryAgain:
        return without(NOT_NOW)
    except CredentialsRejected:
        await means.desk.refuse_login(preview)
        return without(NO_LOGIN)
    return tally.previewed(request, at=means.clock(), sequence=progress.sequence)


async def count(request: AudiencePreviewRequested, means: Means, progress: _Progress) -> Tally:
    """Read the whole audience and count what a run would make of it."""
    terms = terms_of(request)
    await means.hear()
    reading, tally, contents = Reading(), Tally(means.place_of), Marks()
    while not reading.done:
        if reading.at_end:
            reading = reading.after_pass(distinct=len(contents))
            continue
        page = await _page(request, reading, means)
        rows = rows_of(
            page.rows,
            request.audience,
            after=reading.rows,
            is_first_page=reading.is_first_page,
            merged=terms.template,
            kinds=page.kinds,
            locale=request.locale,
        )
        checksum = checksum_of(rows)
        if reading.takes_repeats:
            contents.update(row.contents for row in rows)
        else:
            rows = not_among(rows, contents, after=reading.rows)
        found = numbered(rows, terms)
        verdicts = judge(found, terms, tally.seen(found))
        numbers = {each.to for each in verdicts if isinstance(each, Accepted)}
        out = await means.opt_outs.among(request.organization_id, request.from_number, numbers)
        tally.add(verdicts, pairs_of(found), opted_out=out)
        reading = reading.after_page(
            total=page.total,
            next_offset=page.next_offset,
            has_next=page.has_next,
            added=len(rows),
            checksum=checksum,
        )
        await progress.tell(rows_read=tally.rows, rows_expected=page.total)
    return tally


async def _page(request: AudiencePreviewRequested, reading: Reading, means: Means) -> Page:
    for seconds in WAITS_SECONDS:
        try:
            return await _read(request, reading, means)
        except (TryAgain, NotHereYet):
            await means.pause(seconds)
    return await _read(request, reading, means)


async def _read(request: AudiencePreviewRequested, reading: Reading, means: Means) -> Page:
    return await means.source.page(
        request.organization_id,
        request.audience,
        offset=reading.offset,
        limit=means.page_rows,
    )
