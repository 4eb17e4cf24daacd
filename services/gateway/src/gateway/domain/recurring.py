"""When a recurring campaign runs, as its definition says; pure."""

from datetime import datetime

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignKind,
    Recurrence,
)
from timing import rrules
from timing.describing import describe
from timing.recurrence import Occurrence, RecurrenceError, Rule, next_after, occurrences


def recurring(definition: CampaignDefinition) -> bool:
    """Whether the campaign runs again and again."""
    return definition.kind is CampaignKind.RECURRING


def fault_of(recurrence: Recurrence) -> str | None:
    """Say what is wrong with a recurrence, as far as it is written; None when nothing is."""
    try:
        if is_whole(recurrence):
            rule_of(recurrence).validate()
        elif recurrence.rule.strip():
            rrules.parse(recurrence.rule, recurrence.time_zone)
    except RecurrenceError as error:
        return str(error)
    return None


def is_whole(recurrence: Recurrence) -> bool:
    """Whether it says both how often and from when on."""
    return bool(recurrence.rule.strip()) and recurrence.starts is not None


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
    if not is_whole(recurrence) or fault_of(recurrence) is not None:
        return None
    found = upcoming(recurrence, after=after, count=1)
    return found[0].at if found else None


def described(recurrence: Recurrence) -> str:
    """Say in words when the campaign runs."""
    return describe(rule_of(recurrence))


def rule_of(recurrence: Recurrence) -> Rule:
    """Return the recurrence as the calendar takes it."""
    return Rule(recurrence.rule, recurrence.starts, recurrence.time_zone)
