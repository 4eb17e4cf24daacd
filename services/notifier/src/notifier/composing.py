"""Composes a mail: to whom, and in which words, by what is known when it leaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events.campaign import CampaignEvent, Mode
from contracts.events.organization import OrganizationSettings
from notifier.domain import telling, words
from notifier.domain.addresses import usable
from notifier.domain.alerts import Alert, Around, alert, together
from notifier.domain.figures import IN_ORDER, Count, Figures, changed
from notifier.domain.letters import Letter, one_line
from notifier.domain.notices import REPORTS, Kind, Notice
from notifier.ports import Job, Knowledge, Pages, Reports, RunKnown, RunReport, State

Explain = Callable[[int | None], str | None]
KNOWN_WITHIN = timedelta(seconds=30)
"""How long after an event what else was said before it may take to arrive here."""
LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The mail can't be written yet; it is looked at again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to send, for good."""

    state: State


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail that is ready to leave, and what is noted once it has."""

    letter: Letter
    follows: Notice | None = None
    follows_not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes mails; `meaning` and `advice` say what an error code means, and what to do."""

    knowledge: Knowledge
    reports: Reports
    pages: Pages
    meaning: Explain
    advice: Explain
    figures_patience: timedelta
    late_report_after: timedelta
    late_quiet: timedelta

    async def compose(self, job: Job, *, at: datetime) -> Composed | NotYet | Nothing:
        """Write a mail, or say why not."""
        notice = job.notice
        parts = job.together or (notice,)
        settings = await self.knowledge.settings(notice.organization_id)
        wanted = {each.campaign_id for each in parts if each.campaign_id is not None}
        campaigns = await self.knowledge.campaigns(wanted)
        missing = {
            each
            for each in wanted - campaigns.keys()
            if not telling.is_single_text(notice.organization_id, each)
        }
        if (settings is None or missing) and at < notice.occurred_at + KNOWN_WITHIN:
            return NotYet(at + LOOK_AGAIN)
        if notice.kind in REPORTS:
            campaign = campaigns.get(notice.campaign_id) if notice.campaign_id else None
            return await self._report(notice, campaign, settings, at=at)
        own = [campaigns[each].definition.email for each in sorted(campaigns)]
        to = usable([None if settings is None else settings.default_email, *own])
        if not to:
            return Nothing(State.NO_ADDRESS)
        alerts = await self._alerts(parts, campaigns, settings)
        title = alerts[0].title if len(alerts) == 1 else together(notice.kind, alerts)
        values = {
            "title": title,
            "organization": "" if settings is None else settings.name,
            "alerts": alerts,
            "single": len(alerts) == 1,
        }
        text, html = self.pages.page("alert", values)
        return Composed(Letter(notice.mail_id, to, _subject(title), text, html, notice.occurred_at))

    async def _alerts(
        self,
        parts: Sequence[Notice],
        campaigns: Mapping[UUID, CampaignEvent],
        settings: OrganizationSettings | None,
    ) -> list[Alert]:
        runs = await self.knowledge.runs({each.run_id for each in parts if each.run_id})
        found = []
        for notice in parts:
            campaign = campaigns.get(notice.campaign_id) if notice.campaign_id else None
            run = runs.get(notice.run_id) if notice.run_id else None
            refusals: list[tuple[str, int]] = []
            if notice.kind is Kind.ACTIVITIES_REFUSED and notice.run_id is not None:
                refusals = await self.knowledge.refusals(notice.run_id)
            around = Around(
                campaign="" if campaign is None else one_line(campaign.definition.name),
                run_due_at=None if run is None else run.due_at,
                test=_is_test(run, campaign),
                zone=_zone(settings),
                meaning=self.meaning(notice.facts.get("error_code")) or "",
                advice=self.advice(notice.facts.get("error_code")) or "",
                refusals=refusals,
            )
            found.append(alert(notice, around))
        return found

    async def _report(
        self,
        notice: Notice,
        campaign: CampaignEvent | None,
        settings: OrganizationSettings | None,
        *,
        at: datetime,
    ) -> Composed | NotYet | Nothing:
        to = usable([None if campaign is None else campaign.definition.email])
        if campaign is None or notice.run_id is None or not to:
            # The address is the author's choice, and so is not to have a report.
            return Nothing(State.DROPPED)
        late, rows = notice.kind is Kind.LATE_REPORT, int(notice.facts["rows"])
        whole = await self.reports.complete(notice.organization_id, notice.run_id, rows=rows)
        if not whole and at < notice.occurred_at + self.figures_patience:
            return NotYet(at + LOOK_AGAIN)
        report = await self.reports.report(notice.organization_id, notice.run_id)
        if report is None:
            return Nothing(State.GIVEN_UP)
        if late:
            last = _completed_at(notice) + self.late_report_after
            differs = changed(notice.facts["figures"], report.figures)
            if not report.figures.final and at < last:
                # Less and less often: the read models may be behind what they will be told.
                return NotYet(min(last, at + max(self.late_quiet, at - notice.occurred_at)))
            if not differs:
                return Nothing(State.DROPPED)
        values = _values(report, notice, settings, meaning=self.meaning)
        name = report.run.name or campaign.definition.name
        text, html = self.pages.page("report", values | {"title": name, "whole": whole})
        title = f"Changed report: {name}" if late else f"Report: {name}"
        letter = Letter(
            notice.mail_id,
            to,
            _subject(f"[TEST] {title}" if report.run.test else title),
            text,
            html,
            notice.occurred_at,
            () if report.attachment is None else (report.attachment,),
            telling.report_id(notice.run_id) if late else None,
        )
        if late or not campaign.definition.report_late_changes:
            return Composed(letter)
        second = telling.of_report_sent(notice, report.figures.as_facts(), at=at)
        return Composed(letter, second, at + self.late_quiet)


def _completed_at(notice: Notice) -> datetime:
    return datetime.fromisoformat(notice.facts["completed_at"])


def _is_test(run: RunKnown | None, campaign: CampaignEvent | None) -> bool:
    if run is not None:
        return run.test
    return campaign is not None and campaign.definition.mode is Mode.TEST


def _zone(settings: OrganizationSettings | None) -> str:
    return "UTC" if settings is None else settings.time_zone


def _subject(title: str) -> str:
    return one_line(f"Text Manager: {title}")


def _values(
    report: RunReport,
    notice: Notice,
    settings: OrganizationSettings | None,
    *,
    meaning: Explain,
) -> dict[str, object]:
    run, figures, zone = report.run, report.figures, _zone(settings)

    def said(at: datetime | None) -> str:
        return "" if at is None else words.moment(at, zone)

    return {
        "organization": "" if settings is None else settings.name,
        "run": run,
        "run_id": str(notice.run_id),
        "late": notice.kind is Kind.LATE_REPORT,
        "times": [
            (name, said(moment))
            for name, moment in (
                ("Due", run.due_at),
                ("Begun", run.started_at),
                ("Completed", run.completed_at),
            )
            if moment is not None
        ],
        "rows": figures.rows,
        "charged": figures.charged,
        "cost": _cost(figures, settings),
        "statuses": [
            (words.status(name), count, words.STATUS_MEANINGS.get(name, ""))
            for name, count in _ordered(figures.by_status)
        ],
        "reasons": [
            (words.reason(name), count)
            for name, count in sorted(figures.by_reason.items(), key=lambda each: -each[1].messages)
        ],
        "errors": [
            (code, words.status(status), meaning(code) or "", count)
            for (code, status), count in sorted(
                figures.by_error.items(), key=lambda each: (-each[1].messages, each[0])
            )
        ],
        "hours": [
            (
                said(hour.begins),
                hour.whole,
                ", ".join(
                    f"{words.status(name)} {count.messages:,}"
                    for name, count in _ordered(hour.by_status)
                ),
            )
            for hour in report.hours
        ],
        "activities": sorted(figures.activities.items()),
        "attachment": None if report.attachment is None else report.attachment.name,
    }


def _ordered(by_status: Mapping[str, Count]) -> list[tuple[str, Count]]:
    known = [name for name in IN_ORDER if name in by_status]
    others = sorted(by_status.keys() - set(IN_ORDER))
    return [(name, by_status[name]) for name in (*known, *others)]


def _cost(figures: Figures, settings: OrganizationSettings | None) -> str:
    cost = None if settings is None else figures.cost(settings.prices)
    return "" if cost is None or settings is None else f"{cost:,f} {settings.prices.currency}"
