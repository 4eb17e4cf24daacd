"""Notes what is to be told of events; the same event again notes nothing new."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.envelope import Envelope
from contracts.events.activity import ActivitiesHeld, ActivityRefused, ActivityUnknown
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import CampaignPaused, OccurrencesSkipped
from contracts.events.consent import ReviewChanged, ReviewStatus
from contracts.events.message import MessageStatusChanged
from contracts.events.run import RunAlarmRaised, RunCompleted, RunFailed, RunHeld
from notifier.domain import telling
from notifier.ports import Notices, Refusals


async def tell_completed(
    runs: Sequence[Envelope[RunCompleted]], *, at: datetime, notices: Notices
) -> None:
    """Have each run's report mailed."""
    due = telling.those(telling.of_completed(each.event) for each in runs)
    await notices.note(due, not_before=at)


async def tell_failed(
    runs: Sequence[Envelope[RunFailed]], *, at: datetime, notices: Notices
) -> None:
    """Tell that runs could not be conducted."""
    await notices.note([telling.of_failed(each.event) for each in runs], not_before=at)


async def tell_alarms(
    runs: Sequence[Envelope[RunAlarmRaised]], *, at: datetime, notices: Notices
) -> None:
    """Tell of runs that somebody has to look at."""
    await notices.note([telling.of_alarm(each) for each in runs], not_before=at)


async def tell_held(runs: Sequence[Envelope[RunHeld]], *, at: datetime, notices: Notices) -> None:
    """Tell of texts that a limit or a wrong setting keeps back."""
    await notices.note(telling.those(map(telling.of_held, runs)), not_before=at)


async def tell_paused(
    campaigns: Sequence[Envelope[CampaignPaused]], *, at: datetime, notices: Notices
) -> None:
    """Tell of campaigns that paused by themselves, unless the cause is told of."""
    await notices.note(telling.those(map(telling.of_paused, campaigns)), not_before=at)


async def tell_imis(
    events: Sequence[Envelope[AudienceAwaited | ActivitiesHeld]], *, at: datetime, notices: Notices
) -> None:
    """Tell of an iMIS that refuses our account, once for each account that was saved."""
    await notices.note([telling.of_imis(each.event) for each in events], not_before=at)


async def tell_skipped(
    events: Sequence[Envelope[OccurrencesSkipped]], *, at: datetime, notices: Notices
) -> None:
    """Tell of times that passed unused."""
    await notices.note([telling.of_skipped(each.event) for each in events], not_before=at)


async def tell_reviews(
    reviews: Sequence[Envelope[ReviewChanged]],
    *,
    at: datetime,
    settle: timedelta,
    notices: Notices,
) -> None:
    """Tell of texts that wait for a person; what has been decided meanwhile is not told."""
    decided = [each.event for each in reviews if each.event.status is not ReviewStatus.OPEN]
    waiting = [each.event for each in reviews if each.event.status is ReviewStatus.OPEN]
    await notices.drop([telling.of_review(each) for each in decided])
    await notices.note([telling.of_review(each) for each in waiting], not_before=at + settle)


async def tell_refused(
    activities: Sequence[Envelope[ActivityRefused | ActivityUnknown]],
    *,
    at: datetime,
    quiet: timedelta,
    longest: timedelta,
    notices: Notices,
    refusals: Refusals,
) -> None:
    """Tell of activities that iMIS doesn't have: once a run, when no more are refused."""
    await refusals.count(
        {each.event.effect_id: (each.event.run_id, each.event.reason) for each in activities}
    )
    due = {
        notice.mail_id: notice for each in activities if (notice := telling.of_refused(each.event))
    }
    await notices.note(list(due.values()), not_before=at + quiet, latest=at + longest)
    await notices.put_off(due, until=at + quiet)


async def follow_statuses(
    statuses: Sequence[Envelope[MessageStatusChanged]],
    *,
    at: datetime,
    quiet: timedelta,
    notices: Notices,
) -> None:
    """Have it looked soon whether a late status changed a report that was mailed."""
    runs = {each.event.run_id for each in statuses}
    reports = {telling.late_report_id(each) for each in runs}
    await notices.bring_forward(reports, to=at + quiet)
