"""A run, step by step: each page of the IQA is stored before anything is made of it.

Each step ends in one checkpoint that holds all that the step changed and said, so whoever takes
the run over goes on where it was, on the same rows, and no page is ever published as another.
"""

from collections.abc import Callable
from datetime import datetime

from audience.domain import resolving
from audience.domain.failures import wait_after
from audience.domain.resolving import Progress
from audience.domain.rows import checksum_of, not_among, rows_of
from audience.domain.verdicts import judge, numbered, pairs_of, terms_of
from audience.failures import FINAL, sentence
from audience.ports import Checkpoint, Claim, Desk, ImisReader, LeaseLost, Ledger, Login
from chassis.logs import get_logger
from contracts.events.campaign import CampaignDue
from imis_client import CredentialsRejected, TryAgain

PAGE_ROWS = 500

Run = Claim[CampaignDue]
Clock = Callable[[], datetime]


async def conduct(
    run: Run,
    *,
    desk: Desk[CampaignDue],
    ledger: Ledger,
    imis: ImisReader,
    clock: Clock,
    stopping: Callable[[], bool],
    page_rows: int = PAGE_ROWS,
) -> None:
    """Bring a run to its end, or to where it has to wait."""
    due = run.order
    login_is_unproven = run.login is Login.REFUSED_BEFORE
    if login_is_unproven:
        imis.allow_login(due.organization_id)
    try:
        while not run.progress.done:
            if stopping():
                await desk.put_back(run, not_before=clock(), failed=False)
                return
            run = await advance(run, ledger=ledger, imis=imis, clock=clock, page_rows=page_rows)
            if login_is_unproven:
                await desk.take_login(run)
                login_is_unproven = False
    except TryAgain as error:
        wait = wait_after(run.failures + 1, asked_seconds=error.retry_after)
        await desk.put_back(run, not_before=clock() + wait, failed=True)
        get_logger().warning(
            "iMIS could not be read; the run waits.",
            run_id=str(due.run_id),
            organization_id=str(due.organization_id),
            seconds=wait.total_seconds(),
        )
    except CredentialsRejected:
        await desk.refuse_login(run, at=clock())
        await desk.put_back(run, not_before=clock(), failed=False)
        get_logger().error(
            "iMIS refuses the organisation's account; its runs wait.",
            run_id=str(due.run_id),
            organization_id=str(due.organization_id),
        )
    except LeaseLost:
        get_logger().warning("Another process has taken the run over.", run_id=str(due.run_id))


async def advance(
    run: Run, *, ledger: Ledger, imis: ImisReader, clock: Clock, page_rows: int = PAGE_ROWS
) -> Run:
    """Take the next step and write its checkpoint; what can't be mended fails the run."""
    reading = run.progress.reading
    try:
        terms_of(run.order)
        if reading.done:
            checkpoint = await _resolve_page(run, ledger=ledger, at=clock(), page_rows=page_rows)
        elif reading.at_end:
            checkpoint = await _end_pass(run, ledger=ledger)
        else:
            checkpoint = await _read_page(run, ledger=ledger, imis=imis, page_rows=page_rows)
    except FINAL as error:
        checkpoint = _failed(run, sentence(error, run.order.audience.iqa_path), at=clock())
    await ledger.commit(run, checkpoint, at=clock())
    return run.at(checkpoint.progress)


async def _read_page(run: Run, *, ledger: Ledger, imis: ImisReader, page_rows: int) -> Checkpoint:
    due, reading = run.order, run.progress.reading
    page = await imis.page(
        due.organization_id, due.audience, offset=reading.offset, limit=page_rows
    )
    rows = rows_of(page.rows, due.audience, after=reading.rows, is_first_page=reading.is_first_page)
    checksum = checksum_of(rows)
    if not reading.takes_repeats:
        rows = not_among(rows, await ledger.known(due.run_id, rows), after=reading.rows)
    read = reading.after_page(
        total=page.total,
        next_offset=page.next_offset,
        has_next=page.has_next,
        added=len(rows),
        checksum=checksum,
    )
    return Checkpoint(run.progress.model_copy(update={"reading": read}), rows=rows)


async def _end_pass(run: Run, *, ledger: Ledger) -> Checkpoint:
    reading = run.progress.reading.after_pass(distinct=await ledger.distinct(run.order.run_id))
    return Checkpoint(run.progress.model_copy(update={"reading": reading}))


async def _resolve_page(run: Run, *, ledger: Ledger, at: datetime, page_rows: int) -> Checkpoint:
    due, done = run.order, run.progress.resolving
    terms = terms_of(due)
    stored = await ledger.rows(due.run_id, after=done.rows, limit=page_rows)
    rows = numbered(stored, terms)
    pairs = pairs_of(rows)
    seen = await ledger.seen(due.run_id, {number for _, number in pairs})
    fresh = [pair for pair in pairs if pair not in seen.pairs]
    verdicts = judge(rows, terms, seen)
    after, said = resolving.say(due, verdicts, done, stored=run.progress.reading.rows, at=at)
    progress = run.progress.model_copy(update={"resolving": after})
    return Checkpoint(progress, pairs=fresh, events=said, done=after.done)


def _failed(run: Run, reason: str, *, at: datetime) -> Checkpoint:
    get_logger().warning(
        "A run has no audience.",
        run_id=str(run.order.run_id),
        organization_id=str(run.order.organization_id),
    )
    progress: Progress = run.progress.model_copy(update={"failed": True})
    event = resolving.failure(run.order, reason, run.progress, at=at)
    return Checkpoint(progress, events=[event], done=True)
