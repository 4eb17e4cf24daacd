"""Which of the occurrences whose time has come run, and which were missed for good (X-5)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.events.campaign import Missed, OccurrencesSkipped
from scheduler.domain.timer import TOLD_AT_ONCE, Timer, aim, recurrence, runs, skip
from timing.recurrence import Occurrence, between

RUN_AT_ONCE = 100
"""How many of one campaign's occurrences one transaction starts."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """What becomes of a campaign's occurrences up to now."""

    timer: Timer
    running: list[Occurrence]
    skipped: OccurrencesSkipped | None


def deal(timer: Timer, *, at: datetime, grace: timedelta) -> Dealt:
    """Settle every occurrence of a recurring campaign whose time has come, once.

    What is late by no more than the grace runs in any case. Of what was missed, the newest one
    runs, none or all, as the author chose; `run once` counts what runs in time as that one.
    """
    rule = recurrence(timer.state)
    if rule is None or not runs(timer.state):
        return Dealt(aim(timer), [], None)
    found = between(rule, timer.dealt_until, at, TOLD_AT_ONCE + 1)
    due = found[:TOLD_AT_ONCE]
    if rule.missed is Missed.RUN_ALL:
        due = due[:RUN_AT_ONCE]
    late = [*timer.owed, *due]
    if rule.missed is Missed.RUN_ALL:
        running = late
    else:
        running = [each for each in due if at - each.at <= grace]
        if rule.missed is Missed.RUN_ONCE and not running and found == due:
            running = late[-1:]
    timer, skipped = skip(timer, [each for each in late if each not in running], at=at)
    dealt_until = due[-1].at if due else timer.dealt_until
    return Dealt(aim(replace(timer, dealt_until=dealt_until, owed=())), running, skipped)
