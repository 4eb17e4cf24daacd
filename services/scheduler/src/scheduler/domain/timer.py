"""A campaign's timer: what its newest state says about when it runs next.

What passes while a recurring campaign is paused is skipped, and told: a pause is meant to keep
texts back. What was missed before it is left to the author's policy, once the pause is over. What
passed before the rule was another one is skipped: an edit counts from the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.envelope import Envelope
from contracts.events.campaign import (
    CampaignEvent,
    CampaignKind,
    CampaignStatus,
    Missed,
    OccurrencesSkipped,
    Recurrence,
)
from timing.recurrence import Occurrence, between, next_after

TOLD_AT_ONCE = 5_000
"""How many occurrences are looked at in one go; a daily campaign has so many in 13 years."""


_ON = frozenset({CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.COMPLETED})


@dataclass(frozen=True, slots=True)
class Timer:
    """A campaign's newest state, and how far its occurrences have been dealt with."""

    campaign: Envelope[CampaignEvent]
    due_at: datetime | None
    """When to look at it next; None: never, as it stands."""
    dealt_until: datetime | None = None
    """A recurring campaign's occurrences up to then have run or never will; None: it never ran."""
    skips: int = 0
    """How often occurrences were told to be skipped."""
    owed: tuple[Occurrence, ...] = ()
    """What was to run before a pause, and had not begun by then; it waits for the resume."""

    @property
    def state(self) -> CampaignEvent:
        """The campaign's newest event."""
        return self.campaign.event


def recurrence(campaign: CampaignEvent) -> Recurrence | None:
    """Return when the campaign recurs; None for a one-time one."""
    definition = campaign.definition
    return definition.recurrence if definition.kind is CampaignKind.RECURRING else None


def runs(campaign: CampaignEvent) -> bool:
    """Whether a recurring campaign's occurrences happen, which they don't while it is paused.

    One that is completed has no times left, as its rule says: but its last one may be of now, or
    may have been missed, and happens.
    """
    return campaign.status in _ON and recurrence(campaign) is not None


def fold(
    known: Timer | None, campaign: Envelope[CampaignEvent]
) -> tuple[Timer, OccurrencesSkipped | None] | None:
    """Return the timer that a state makes, and what it skips; None when it isn't newer."""
    event = campaign.event
    if known is not None and event.sequence <= known.state.sequence:
        return None
    timer = Timer(campaign, None) if known is None else replace(known, campaign=campaign)
    pauses = known is not None and runs(known.state) and event.status is CampaignStatus.PAUSED
    if not (pauses or _counts_anew(known, event)):
        return aim(timer), None
    told = None
    if known is not None and known.dealt_until is not None and _was_to_run(known.state):
        before = recurrence(known.state)
        assert before is not None
        unused = between(before, known.dealt_until, event.occurred_at, TOLD_AT_ONCE)
        owed: Sequence[Occurrence] = timer.owed
        if _other_times(before, recurrence(event)):
            unused, owed = [*owed, *unused], ()
        elif pauses:
            unused = [*owed, *unused]
            owed = _not_given_up(unused, before.missed)
        timer, told = skip(timer, [e for e in unused if e not in owed], at=event.occurred_at)
        timer = replace(timer, owed=tuple(owed))
    dealt_until = max(timer.dealt_until or event.occurred_at, event.occurred_at)
    return aim(replace(timer, dealt_until=dealt_until)), told


def aim(timer: Timer) -> Timer:
    """Set the timer to what comes next."""
    campaign, rule = timer.state, recurrence(timer.state)
    if rule is None:
        scheduled = campaign.status is CampaignStatus.SCHEDULED
        return replace(timer, due_at=campaign.due_at if scheduled else None)
    if not runs(campaign):
        return replace(timer, due_at=None)
    upcoming = timer.owed[0] if timer.owed else next_after(rule, timer.dealt_until)
    return replace(timer, due_at=None if upcoming is None else upcoming.at)


def skip(
    timer: Timer, unused: list[Occurrence], *, at: datetime
) -> tuple[Timer, OccurrencesSkipped | None]:
    """Leave occurrences out for good, and say so; nothing is said of none."""
    if not unused:
        return timer, None
    skipped = OccurrencesSkipped(
        organization_id=timer.state.organization_id,
        occurred_at=at,
        sequence=timer.skips + 1,
        campaign_id=timer.state.campaign_id,
        first=unused[0].at,
        last=unused[-1].at,
        occurrences=len(unused),
    )
    return replace(timer, skips=timer.skips + 1), skipped


def _counts_anew(known: Timer | None, event: CampaignEvent) -> bool:
    """Whether what passed before this event counts no more, now that the campaign runs."""
    if known is None or known.dealt_until is None:
        return runs(event)
    rule = recurrence(event)
    return rule is not None and (
        (runs(event) and not runs(known.state)) or _other_times(recurrence(known.state), rule)
    )


def _not_given_up(late: list[Occurrence], missed: Missed) -> list[Occurrence]:
    """Return what still runs of all that had not begun before a pause, as the author chose."""
    match missed:
        case Missed.RUN_ALL:
            return late
        case Missed.RUN_ONCE:
            return late[-1:]
        case Missed.SKIP:
            return []


def _was_to_run(campaign: CampaignEvent) -> bool:
    return runs(campaign) or (
        campaign.status is CampaignStatus.PAUSED and recurrence(campaign) is not None
    )


def _other_times(before: Recurrence | None, after: Recurrence | None) -> bool:
    return _times(before) != _times(after)


def _times(rule: Recurrence | None) -> tuple[object, ...] | None:
    return None if rule is None else (rule.rule, rule.starts, rule.time_zone)
