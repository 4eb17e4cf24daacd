"""When a recurring campaign runs, as its definition says; pure."""

from datetime import datetime

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignKind,
    Recurrence,
)
from timing.describing import describe
from timing.recurrence import Occurrence, RecurrenceError, Rule, next_after, occurrences


def recurring(definition: CampaignDefinition) -> bool:
    """Whether the campaign runs again and again."""
    return definition.kind is CampaignKind.RECURRING


def fault_of(recurrence: Recurrence) -> str | None:
    """Say why a recurrence can't be followed; None when it can."""
    try:
        rule_of(recurrence).validate()
    except RecurrenceError as error:
        return str(error)
    return None


def upcoming(recurrence: Recurrence, *, after: datetime | None, count: int) -> list[Occurrence]:
    """Return the next times; raises RecurrenceError for a rule that can't be followed."""
    return occurrences(rule_of(recurrence), after=after, count=count)


def goes_on(definition: CampaignDefinition, after: datetime) -> bool:
    """Whether the campaign has a time to run later than this."""
    if definition.recurrence is None:
        return False
    try:
        return next_after(rule_of(definition.recurrence), after) is not None
    except RecurrenceError:
        return False


def next_time(campaign: CampaignEvent, after: datetime) -> datetime | None:
    """Return when a campaign runs next, as far as its schedule says."""
    recurrence = campaign.definition.recurrence
    if recurrence is None or not recurring(campaign.definition):
        return campaign.due_at
    if fault_of(recurrence) is not None:
        return None
    found = upcoming(recurrence, after=after, count=1)
    return found[0].at if found else None


def described(recurrence: Recurrence) -> str:
    """Say in words when the campaign runs."""
    return describe(rule_of(recurrence))


def rule_of(recurrence: Recurrence) -> Rule:
    """Return the recurrence as the calendar takes it."""
    return Rule(recurrence.rule, recurrence.starts, recurrence.time_zone)
