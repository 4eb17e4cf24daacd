"""The facts about runs, and the silence about them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved, Totals
from contracts.events.run import RunResent
from status.domain.ledger import Patience
from status.domain.run import Tally, give_alarm
from status.handlers.tallies import add, go_on
from status.ports import Outbox, Runs, Watch


async def take_pages(
    facts: Sequence[Envelope[RecipientsResolved]],
    *,
    at: datetime,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Count the recipients that the pages name, and learn the totals."""
    new = await runs.count_once({(each.event.run_id, each.event.sequence) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        page = each.event
        if (page.run_id, page.sequence) in new:
            new.discard((page.run_id, page.sequence))
            one = Tally(
                page.organization_id,
                page.campaign_id,
                page.occurred_at,
                each.id,
                pages=1,
                recipients=len(page.recipients),
                totals=page.totals,
            )
            add(tallies, page.run_id, one)
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)


async def take_resent(
    facts: Sequence[Envelope[RunResent]],
    *,
    at: datetime,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Begin the runs that stand in for what earlier ones missed: each is one page, and whole."""
    new = await runs.count_once({(each.event.run_id, each.event.sequence) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        if (event.run_id, event.sequence) in new:
            new.discard((event.run_id, event.sequence))
            totals = Totals(
                rows=event.recipients,
                recipients=event.recipients,
                rejected=0,
                segments=event.segments,
            )
            one = Tally(
                event.organization_id,
                event.campaign_id,
                event.occurred_at,
                each.id,
                pages=1,
                recipients=event.recipients,
                totals=totals,
            )
            add(tallies, event.run_id, one)
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)


async def take_failures(
    facts: Sequence[Envelope[AudienceFailed]],
    *,
    at: datetime,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """End the runs whose audience can't be had."""
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        failure = Tally(
            event.organization_id,
            event.campaign_id,
            event.occurred_at,
            each.id,
            failure=event.reason,
        )
        add(tallies, event.run_id, failure)
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)


async def take_rejected(
    facts: Sequence[Envelope[RecipientRejected]],
    *,
    at: datetime,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Count the rows that the audience rejected."""
    new = await runs.count_once({(each.event.subject, 0) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        if (event.subject, 0) in new:
            new.discard((event.subject, 0))
            one = Tally(
                event.organization_id, event.campaign_id, event.occurred_at, each.id, rejected=1
            )
            add(tallies, event.run_id, one)
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)


async def give_alarms(
    *, at: datetime, patience: Patience, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """Raise the alarm about each run of which too little was heard for too long."""
    moved = []
    for run in await runs.silent_since(at - min(patience.unheard, patience.held)):
        after, told = give_alarm(run, at=at, patience=patience)
        for alarm in after.alarms - run.alarms:
            watch.alarmed(run.run_id, alarm)
        if told:
            outbox.publish(*told)
            moved.append(after)
    await runs.keep(moved)
