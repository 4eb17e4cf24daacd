"""Knows when each campaign is to run, and notices when it doesn't (X-20)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignDue, CampaignEvent, OccurrencesSkipped
from contracts.events.run import RunResent
from notifier.domain import telling
from notifier.domain.schedule import Known, expected, handle, learn
from notifier.ports import Campaigns, Log, Notices

AT_ONCE = 100
"""How many campaigns one transaction tells of."""


async def follow_campaigns(
    events: Sequence[Envelope[CampaignEvent]], *, campaigns: Campaigns
) -> None:
    """Know each campaign's newest state, and when it is to run next."""
    known = await campaigns.known({each.event.campaign_id for each in events})
    for each in events:
        known[each.event.campaign_id] = learn(
            known.get(each.event.campaign_id, Known()), each.event
        )
    await campaigns.keep(known)


async def follow_runs(
    events: Sequence[Envelope[CampaignDue | OccurrencesSkipped]], *, campaigns: Campaigns
) -> None:
    """Know which times are accounted for: by a run, or since nobody wants one any more."""
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for each in events:
        event = each.event
        due_at = event.due_at if isinstance(event, CampaignDue) else event.last
        times[event.campaign_id].append(due_at)
    known = await campaigns.known(times)
    for campaign_id, due in times.items():
        known[campaign_id] = handle(known.get(campaign_id, Known()), max(due))
    await campaigns.keep(known)
    await campaigns.know_runs(
        [each.event for each in events if isinstance(each.event, CampaignDue)]
    )


async def know_resent(runs: Sequence[Envelope[RunResent]], *, campaigns: Campaigns) -> None:
    """Know the runs that stand in for what earlier ones missed."""
    await campaigns.know_runs([each.event for each in runs])


async def listen_for_silence(
    *,
    clock: Callable[[], datetime],
    grace: timedelta,
    logs: Sequence[Log],
    work: Callable[[], AbstractAsyncContextManager[tuple[Campaigns, Notices]]],
) -> bool:
    """Tell of each run that should have begun and didn't; returns whether there may be more.

    The clock alone proves no silence: what was said until now is read first, so that a notifier
    that was away doesn't cry wolf.
    """
    at = clock()
    async with work() as (campaigns, _):
        if not await campaigns.overdue(before=at - grace, limit=1):
            return False
    for log in logs:
        if not await log.read_to_end():
            return False
    async with work() as (campaigns, notices):
        late = await campaigns.overdue(before=at - grace, limit=AT_ONCE)
        missed = []
        for campaign_id, known in late.items():
            due_at = expected(known)
            if due_at is None or known.campaign is None:
                continue
            missed.append(
                telling.of_silence(
                    known.campaign.organization_id, campaign_id, due_at=due_at, at=at
                )
            )
            late[campaign_id] = handle(known, due_at)
        await notices.note(missed, not_before=at)
        await campaigns.keep(late)
    return len(late) == AT_ONCE
