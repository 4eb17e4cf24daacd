"""When each campaign's next run is to begin, so that its absence is noticed (X-20)."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.events.campaign import CampaignEvent, CampaignKind, CampaignStatus, Recurrence
from timing.recurrence import RecurrenceError, Rule, next_after


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a campaign, in whatever order it was told."""

    campaign: CampaignEvent | None = None
    since: datetime | None = None
    """When the present schedule was made; what was due before is no business of it."""
    handled: datetime | None = None
    """The latest due time that something was told of: it ran, was skipped, or was missed."""


def learn(known: Known, campaign: CampaignEvent) -> Known:
    """Take a campaign's state if it is newer than the one that is known."""
    if known.campaign is not None and campaign.sequence <= known.campaign.sequence:
        return known
    same = known.campaign is not None and _schedule(known.campaign) == _schedule(campaign)
    return replace(known, campaign=campaign, since=known.since if same else campaign.occurred_at)


def handle(known: Known, due_at: datetime) -> Known:
    """Take that what was due at this time, and before, is accounted for."""
    if known.handled is not None and known.handled >= due_at:
        return known
    return replace(known, handled=due_at)


def expected(known: Known) -> datetime | None:
    """Return when the next run is to begin; None when there is none to wait for."""
    campaign, since, handled = known.campaign, known.since, known.handled
    if campaign is None or since is None or not _is_active(campaign):
        return None
    if campaign.definition.kind is CampaignKind.ONE_TIME:
        due = campaign.due_at
        if due is None or (handled is not None and handled >= due):
            return None
        return due
    recurrence = campaign.definition.recurrence
    if recurrence is None:
        return None
    return _next(recurrence, since if handled is None else max(since, handled))


def begins(known: Known, due_at: datetime) -> datetime:
    """Return from when on a run that is due then can begin: a paused one's time has passed."""
    return due_at if known.since is None else max(known.since, due_at)


def _next(recurrence: Recurrence, after: datetime) -> datetime | None:
    rule = Rule(recurrence.rule, recurrence.starts, recurrence.time_zone)
    try:
        found = next_after(rule, after)
    except RecurrenceError:
        # It was refused when it was written; there is nothing to wait for.
        return None
    return None if found is None else found.at


def _is_active(campaign: CampaignEvent) -> bool:
    if campaign.definition.kind is CampaignKind.ONE_TIME:
        return campaign.status is CampaignStatus.SCHEDULED
    return campaign.status in {CampaignStatus.SCHEDULED, CampaignStatus.SENDING}


def _schedule(campaign: CampaignEvent) -> tuple[object, ...]:
    if campaign.definition.kind is CampaignKind.ONE_TIME:
        return (_is_active(campaign), campaign.launch, campaign.due_at)
    return (_is_active(campaign), campaign.definition.recurrence)
