"""A preview: a run's own reading and rules, of which only the figures are kept.

Somebody waits for it, so what a run would wait out is waited for a few seconds only, and then said.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from audience.domain.reading import Reading
from audience.domain.rows import checksum_of, not_among, rows_of
from audience.domain.tally import Tally, not_previewed
from audience.domain.verdicts import judge, numbered, pairs_of, terms_of
from audience.failures import FINAL, NO_LOGIN, NOT_AT_ALL, NOT_NOW, sentence
from audience.ports import Checkpoint, Claim, Desk, ImisReader, LeaseLost, Ledger, Login
from chassis.logs import get_logger
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from imis_client import CredentialsRejected, Page, TryAgain

PAGE_ROWS = 500
MOST_ATTEMPTS = 3
WAITS_SECONDS = (0.5, 2.0)
"""How long to wait before each further try to read a page."""

Preview = Claim[AudiencePreviewRequested]
Clock = Callable[[], datetime]
Pause = Callable[[float], Awaitable[None]]


async def conduct(
    preview: Preview,
    *,
    desk: Desk[AudiencePreviewRequested],
    ledger: Ledger,
    imis: ImisReader,
    clock: Clock,
    pause: Pause,
    page_rows: int = PAGE_ROWS,
) -> None:
    """Answer a request for a preview, once, with figures or with why there are none."""
    request = preview.order
    try:
        answer = await _answer(
            preview, desk=desk, imis=imis, clock=clock, pause=pause, page_rows=page_rows
        )
        checkpoint = Checkpoint(preview.progress, events=[answer], done=True)
        await ledger.commit(preview, checkpoint, at=clock())
    except LeaseLost:
        get_logger().warning(
            "Another process has taken the preview over.", preview_id=str(request.preview_id)
        )


async def _answer(
    preview: Preview,
    *,
    desk: Desk[AudiencePreviewRequested],
    imis: ImisReader,
    clock: Clock,
    pause: Pause,
    page_rows: int,
) -> AudiencePreviewed:
    request = preview.order
    if preview.attempts > MOST_ATTEMPTS:
        return not_previewed(request, NOT_AT_ALL, at=clock())
    if preview.login is Login.HELD:
        return not_previewed(request, NO_LOGIN, at=clock())
    if preview.login is Login.REFUSED_BEFORE:
        imis.allow_login(request.organization_id)
    try:
        tally = await count(request, imis=imis, pause=pause, page_rows=page_rows)
    except FINAL as error:
        return not_previewed(request, sentence(error, request.audience.iqa_path), at=clock())
    except TryAgain:
        return not_previewed(request, NOT_NOW, at=clock())
    except CredentialsRejected:
        await desk.refuse_login(preview, at=clock())
        return not_previewed(request, NO_LOGIN, at=clock())
    if preview.login is Login.REFUSED_BEFORE:
        await desk.take_login(preview)
    return tally.previewed(request, at=clock())


async def count(
    request: AudiencePreviewRequested,
    *,
    imis: ImisReader,
    pause: Pause,
    page_rows: int = PAGE_ROWS,
) -> Tally:
    """Read the whole IQA and count what a run would make of it."""
    terms = terms_of(request)
    reading, tally, contents = Reading(), Tally(), set[bytes]()
    while not reading.done:
        if reading.at_end:
            reading = reading.after_pass(distinct=len(contents))
            continue
        page = await _page(request, reading, imis=imis, pause=pause, page_rows=page_rows)
        rows = rows_of(
            page.rows, request.audience, after=reading.rows, is_first_page=reading.is_first_page
        )
        checksum = checksum_of(rows)
        if reading.takes_repeats:
            contents.update(row.contents for row in rows)
        else:
            rows = not_among(rows, contents, after=reading.rows)
        found = numbered(rows, terms)
        tally.add(judge(found, terms, tally.seen(found)), pairs_of(found))
        reading = reading.after_page(
            total=page.total,
            next_offset=page.next_offset,
            has_next=page.has_next,
            added=len(rows),
            checksum=checksum,
        )
    return tally


async def _page(
    request: AudiencePreviewRequested,
    reading: Reading,
    *,
    imis: ImisReader,
    pause: Pause,
    page_rows: int,
) -> Page:
    for seconds in WAITS_SECONDS:
        try:
            return await imis.page(
                request.organization_id, request.audience, offset=reading.offset, limit=page_rows
            )
        except TryAgain:
            await pause(seconds)
    return await imis.page(
        request.organization_id, request.audience, offset=reading.offset, limit=page_rows
    )
