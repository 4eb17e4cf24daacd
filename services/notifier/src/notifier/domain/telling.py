"""Which event is told of, and under which id; most kinds of events are not."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.activity import ActivitiesHeld, ActivityRefused, ActivityUnknown
from contracts.events.audience import AudienceAwaited
from contracts.events.campaign import CampaignPaused, OccurrencesSkipped
from contracts.events.consent import ReviewChanged
from contracts.events.run import HeldBy, RunAlarmRaised, RunCompleted, RunFailed, RunHeld
from contracts.ids import single_texts_id
from notifier.domain.notices import Facts, Kind, Notice, mail_id

SERVICES_THAT_PAUSE = frozenset({"status", "sender"})
SINGLE_TEXTS = ("urgent", "first-look", "reply")
_HELD = {
    HeldBy.DAY_LIMIT: Kind.DAY_LIMIT,
    HeldBy.RUN_LIMIT: Kind.RUN_LIMIT,
    HeldBy.CONFIGURATION: Kind.CONFIGURATION,
}


def of_completed(run: RunCompleted) -> Notice | None:
    """Return the report that is due; a single text's run has none."""
    if is_single_text(run.organization_id, run.campaign_id):
        return None
    return Notice(
        report_id(run.run_id),
        Kind.REPORT,
        run.organization_id,
        run.occurred_at,
        run.campaign_id,
        run.run_id,
        {"rows": run.rows},
    )


def of_report_sent(report: Notice, figures: Facts, *, at: datetime) -> Notice:
    """Return the second report, which is mailed if statuses still change."""
    return Notice(
        late_report_id(report.run_id),
        Kind.LATE_REPORT,
        report.organization_id,
        at,
        report.campaign_id,
        report.run_id,
        {**report.facts, "figures": figures, "completed_at": report.occurred_at.isoformat()},
    )


def report_id(run_id: UUID | None) -> UUID:
    """Name a run's report."""
    return mail_id("report", run_id)


def late_report_id(run_id: UUID | None) -> UUID:
    """Name a run's second report."""
    return mail_id("late report", run_id)


def of_failed(run: RunFailed) -> Notice:
    """Return the alert about a run that could not be conducted."""
    return Notice(
        mail_id("run failed", run.run_id),
        Kind.RUN_FAILED,
        run.organization_id,
        run.occurred_at,
        run.campaign_id,
        run.run_id,
        {"reason": run.reason},
    )


def of_alarm(envelope: Envelope[RunAlarmRaised]) -> Notice:
    """Return the alert about a run that somebody has to look at."""
    run = envelope.event
    kind = Kind(run.alarm.value)
    return Notice(
        _cause_id(envelope.id)
        if kind is Kind.ERROR_SPIKE
        else mail_id("run alarm", run.run_id, run.alarm, run.sequence),
        kind,
        run.organization_id,
        run.occurred_at,
        run.campaign_id,
        run.run_id,
        {"detail": run.detail, "error_code": run.error_code, "advice": run.advice},
    )


def of_held(envelope: Envelope[RunHeld]) -> Notice | None:
    """Return the alert about texts that a limit or a wrong setting keeps back.

    Quiet hours are nothing that goes wrong.
    """
    run = envelope.event
    kind = _HELD.get(run.held_by)
    if kind is None:
        return None
    return Notice(
        _cause_id(envelope.id)
        if kind is Kind.CONFIGURATION
        else mail_id("run held", run.run_id, run.held_by, run.sequence),
        kind,
        run.organization_id,
        run.occurred_at,
        run.campaign_id,
        run.run_id,
        {
            "messages": run.messages,
            "segments": run.segments,
            "left_out": run.left_out,
            "until": run.until and run.until.isoformat(),
            "error_code": run.error_code,
        },
    )


def of_paused(envelope: Envelope[CampaignPaused]) -> Notice | None:
    """Return the alert about a campaign that paused by itself; None when a person paused it.

    It has the id of the alert about its cause, so that only one of the two is mailed.
    """
    campaign = envelope.event
    if campaign.by not in SERVICES_THAT_PAUSE:
        return None
    cause = envelope.causation_id
    return Notice(
        mail_id("paused", campaign.campaign_id, campaign.sequence)
        if cause is None
        else _cause_id(cause),
        Kind.PAUSED,
        campaign.organization_id,
        campaign.occurred_at,
        campaign.campaign_id,
        None,
        {"reason": campaign.reason},
    )


def of_imis(event: AudienceAwaited | ActivitiesHeld) -> Notice:
    """Return the alert about an iMIS that refuses our account: one for each saved account."""
    return Notice(
        mail_id("imis refused", event.organization_id, event.settings_sequence),
        Kind.IMIS_REFUSED,
        event.organization_id,
        event.occurred_at,
        event.campaign_id if isinstance(event, AudienceAwaited) else None,
        None,
        {"reason": event.reason, "settings_sequence": event.settings_sequence},
    )


def of_skipped(event: OccurrencesSkipped) -> Notice:
    """Return the alert about times that passed unused."""
    return Notice(
        mail_id("skipped", event.campaign_id, event.first.isoformat(), event.last.isoformat()),
        Kind.SKIPPED,
        event.organization_id,
        event.occurred_at,
        event.campaign_id,
        None,
        {
            "first": event.first.isoformat(),
            "last": event.last.isoformat(),
            "occurrences": event.occurrences,
        },
    )


def of_refused(event: ActivityRefused | ActivityUnknown) -> Notice:
    """Return the alert about a run's activities that iMIS doesn't have: one a run."""
    return Notice(
        mail_id("activities refused", event.run_id),
        Kind.ACTIVITIES_REFUSED,
        event.organization_id,
        event.occurred_at,
        event.campaign_id,
        event.run_id,
    )


def of_review(event: ReviewChanged) -> Notice:
    """Return the alert about a text that a person has to read."""
    return Notice(
        mail_id("review", event.review_id), Kind.REVIEWS, event.organization_id, event.occurred_at
    )


def of_silence(
    organization_id: UUID, campaign_id: UUID, *, due_at: datetime, at: datetime
) -> Notice:
    """Return the alert about a run that did not begin."""
    return Notice(
        mail_id("did not run", campaign_id, due_at.isoformat()),
        Kind.DID_NOT_RUN,
        organization_id,
        at,
        campaign_id,
        None,
        {"due_at": due_at.isoformat()},
    )


def is_single_text(organization_id: UUID, campaign_id: UUID) -> bool:
    """Whether the campaign only stands for texts that belong to none."""
    return campaign_id in {single_texts_id(organization_id, each) for each in SINGLE_TEXTS}


def those(notices: Iterable[Notice | None]) -> list[Notice]:
    """Return the notices that are one."""
    return [each for each in notices if each is not None]


def _cause_id(event_id: UUID) -> UUID:
    return mail_id("paused by itself", event_id)
