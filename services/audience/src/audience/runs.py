"""A run, step by step: each page of the IQA is stored before anything is made of it.

Each step ends in one checkpoint that holds all that the step changed and said, so whoever takes
the run over goes on where it was, on the same rows, and no page is ever published as another.
"""

from collections.abc import Callable
from datetime import datetime

from audience.domain import resolving
from audience.domain.failures import NotHereYet, wait_after
from audience.domain.resolving import Progress
from audience.domain.rows import checksum_of, not_among, rows_of
from audience.domain.verdicts import Terms, judge, numbered, pairs_of, terms_of
from audience.failures import FINAL, NO_LOGIN, sentence
from audience.ports import Checkpoint, Claim, Desk, LeaseLost, Ledger, RowSource
from chassis.logs import get_logger
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import CampaignDue
from imis_client import CredentialsRejected, TryAgain

PAGE_ROWS = 500
MOST_WAITS_FOR_A_LIST = 8
"""How often an uploaded list is waited for, longer each time: four minutes in all."""

Run = Claim[CampaignDue]
Clock = Callable[[], datetime]


async def conduct(
    run: Run,
    *,
    desk: Desk[CampaignDue],
    ledger: Ledger,
    source: RowSource,
    clock: Clock,
    stopping: Callable[[], bool],
    page_rows: int = PAGE_ROWS,
) -> None:
    """Bring a run to its end, or to where it has to wait."""
    due = run.order
    try:
        if run.login_refused:
            await desk.await_login(run, _awaited(run, at=clock()))
            return
        while not run.progress.done:
            if stopping():
                await desk.put_back(run, not_before=clock(), failed=False)
                return
            run = await advance(run, ledger=ledger, source=source, clock=clock, page_rows=page_rows)
    except (TryAgain, NotHereYet) as error:
        asked = error.retry_after if isinstance(error, TryAgain) else None
        wait = wait_after(run.failures + 1, asked_seconds=asked)
        await desk.put_back(run, not_before=clock() + wait, failed=True)
        get_logger().warning(
            "The audience could not be read; the run waits.",
            run_id=str(due.run_id),
            organization_id=str(due.organization_id),
            seconds=wait.total_seconds(),
        )
    except CredentialsRejected:
        await desk.refuse_login(run)
        await desk.await_login(run, _awaited(run, at=clock()))
        get_logger().error(
            "iMIS refuses the organisation's account; its runs wait.",
            run_id=str(due.run_id),
            organization_id=str(due.organization_id),
        )
    except LeaseLost:
        get_logger().warning("Another process has taken the run over.", run_id=str(due.run_id))


async def advance(
    run: Run, *, ledger: Ledger, source: RowSource, clock: Clock, page_rows: int = PAGE_ROWS
) -> Run:
    """Take the next step and write its checkpoint; what can't be mended fails the run."""
    reading = run.progress.reading
    try:
        terms = terms_of(run.order)
        if reading.done:
            checkpoint = await _resolve_page(
                run, terms, ledger=ledger, at=clock(), page_rows=page_rows
            )
        elif reading.at_end:
            checkpoint = await _end_pass(run, ledger=ledger)
        else:
            checkpoint = await _read_page(
                run, terms, ledger=ledger, source=source, page_rows=page_rows
            )
    except NotHereYet as error:
        if run.failures < MOST_WAITS_FOR_A_LIST:
            raise
        checkpoint = _failed(run, sentence(error, ""), at=clock())
    except FINAL as error:
        checkpoint = _failed(run, sentence(error, run.order.audience.iqa_path), at=clock())
    await ledger.commit(run, checkpoint, at=clock())
    return run.at(checkpoint.progress)


async def _read_page(
    run: Run, terms: Terms, *, ledger: Ledger, source: RowSource, page_rows: int
) -> Checkpoint:
    due, reading = run.order, run.progress.reading
    page = await source.page(
        due.organization_id, due.audience, offset=reading.offset, limit=page_rows
    )
    rows = rows_of(
        page.rows,
        due.audience,
        after=reading.rows,
        is_first_page=reading.is_first_page,
        merged=terms.template,
        kinds=page.kinds,
        locale=due.locale,
    )
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


async def _resolve_page(
    run: Run, terms: Terms, *, ledger: Ledger, at: datetime, page_rows: int
) -> Checkpoint:
    due, done = run.order, run.progress.resolving
    stored = await ledger.rows(due.run_id, after=done.rows, limit=page_rows)
    rows = numbered(stored, terms)
    pairs = pairs_of(rows)
    seen = await ledger.seen(due.run_id, {number for _, number in pairs})
    fresh = {pair: row for pair, row in pairs.items() if pair not in seen.pairs}
    verdicts = judge(rows, terms, seen)
    all_rows = run.progress.reading.rows
    is_last = done.rows + len(verdicts) >= all_rows
    last_time = await ledger.rows_last_time(due) if is_last else None
    after, said = resolving.say(
        due, verdicts, done, stored=all_rows, at=at, rows_last_time=last_time
    )
    progress = run.progress.model_copy(update={"resolving": after})
    return Checkpoint(progress, pairs=fresh, events=said, done=after.done)


def _awaited(run: Run, *, at: datetime) -> AudienceAwaited:
    return AudienceAwaited(
        organization_id=run.order.organization_id,
        occurred_at=at,
        sequence=run.settings_sequence,
        run_id=run.order.run_id,
        campaign_id=run.order.campaign_id,
        settings_sequence=run.settings_sequence,
        reason=NO_LOGIN,
    )


def _failed(run: Run, reason: str, *, at: datetime) -> Checkpoint:
    get_logger().warning(
        "A run has no audience.",
        run_id=str(run.order.run_id),
        organization_id=str(run.order.organization_id),
    )
    progress: Progress = run.progress.model_copy(update={"failed": True})
    event = resolving.failure(run.order, reason, run.progress, at=at)
    return Checkpoint(progress, events=[event], done=True)
