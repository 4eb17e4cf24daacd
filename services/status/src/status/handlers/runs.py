"""The facts about runs, and the silence about them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved, Totals
from contracts.events.message import MessageRequested, ReplyRequested
from contracts.events.organization import OrganizationSettings
from contracts.events.run import RunResent
from status.domain.ledger import Patience
from status.domain.run import Tally, give_alarm
from status.domain.trouble import Trouble, audience_trouble
from status.handlers.tallies import add, go_on
from status.ports import Campaigns, Outbox, Runs, Watch

SHRINK_PERCENT = int(OrganizationSettings.model_fields["shrink_percent"].default)


async def take_pages(
    facts: Sequence[Envelope[RecipientsResolved]],
    *,
    at: datetime,
    runs: Runs,
    campaigns: Campaigns,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Count the recipients that the pages name, and learn the totals."""
    ended = {each.event.organization_id for each in facts if each.event.totals is not None}
    settings = await campaigns.settings(ended)
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
                troubles=_troubles(page, settings.get(page.organization_id)),
            )
            add(tallies, page.run_id, one)
    await go_on(tallies, at=at, runs=runs, outbox=outbox, watch=watch)


def _troubles(
    page: RecipientsResolved, settings: OrganizationSettings | None
) -> tuple[Trouble, ...]:
    share = SHRINK_PERCENT if settings is None else settings.shrink_percent
    found = audience_trouble(page, shrink_percent=share)
    return () if found is None else (found,)


async def take_whole(
    facts: Sequence[Envelope[RunResent | MessageRequested | ReplyRequested]],
    *,
    at: datetime,
    runs: Runs,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Begin the runs that have no audience to be read: each is one page, and whole.

    They stand in for what an earlier run missed, or are one text that belongs to no campaign.
    """
    new = await runs.count_once({(each.event.run_id, each.event.sequence) for each in facts})
    tallies: dict[UUID, Tally] = {}
    for each in facts:
        event = each.event
        if (event.run_id, event.sequence) in new:
            new.discard((event.run_id, event.sequence))
            recipients = event.recipients if isinstance(event, RunResent) else 1
            totals = Totals(
                rows=recipients, recipients=recipients, rejected=0, segments=event.segments
            )
            one = Tally(
                event.organization_id,
                event.campaign_id,
                event.occurred_at,
                each.id,
                pages=1,
                recipients=recipients,
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
    *,
    at: datetime,
    patience: Patience,
    runs: Runs,
    campaigns: Campaigns,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Raise the alarm about each run of which too little was heard for too long.

    Of one whose texts staff keep back nothing is to be heard: its wait begins anew.
    """
    moved = []
    silent = await runs.silent_since(at - patience.least)
    kept_back = await campaigns.kept_back({run.campaign_id for run in silent})
    settings = await campaigns.settings({run.organization_id for run in silent})
    stopped = {key for key, each in settings.items() if each.stopped is not None}
    for run in silent:
        if run.campaign_id in kept_back or run.organization_id in stopped:
            moved.append(replace(run, waiting_since=at))
            continue
        after, told = give_alarm(run, at=at, patience=patience)
        for alarm in after.alarms - run.alarms:
            watch.alarmed(run.run_id, alarm)
        if told:
            outbox.publish(*told)
            moved.append(after)
    await runs.keep(moved)
