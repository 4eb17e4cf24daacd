"""What events say about runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.events.audience import AudienceAwaited, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue, Mode
from contracts.events.message import MessageRequested, ReplyRequested, SingleText
from contracts.events.run import RunAlarmRaised, RunCompleted, RunFailed, RunResent, RunStarted
from readmodels.views import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """What an event says about a run; None where it says nothing."""

    run_id: UUID
    organization_id: UUID
    campaign_id: UUID
    name: str | None = None
    occurrence: str | None = None
    mode: Mode | None = None
    from_number: str | None = None
    due_at: datetime | None = None
    state: RunState = RunState.PREPARING
    state_sequence: int = 0
    failure: str | None = None
    rows: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    earlier_run_id: UUID | None = None
    alarm: str | None = None
    alarm_detail: str | None = None
    alarm_code: int | None = None
    alarm_advice: str | None = None
    alarm_sequence: int = 0
    waiting: str | None = None
    waiting_sequence: int = 0


def _about(event: Any) -> dict[str, Any]:
    return {
        "run_id": event.run_id,
        "organization_id": event.organization_id,
        "campaign_id": event.campaign_id,
    }


def _due(event: CampaignDue) -> RunFact:
    return RunFact(
        **_about(event),
        name=event.name,
        occurrence=event.occurrence,
        mode=event.mode,
        from_number=event.from_number,
        due_at=event.due_at,
    )


def _page(event: RecipientsResolved) -> RunFact:
    return RunFact(
        **_about(event),
        name=event.name or None,
        occurrence=event.occurrence or None,
        mode=event.mode,
        from_number=event.from_number,
        rows=None if event.totals is None else event.totals.rows,
    )


def _resent(event: RunResent) -> RunFact:
    # Its rows are those that the earlier run missed: no IQA is asked again.
    return RunFact(
        **_about(event),
        mode=event.mode,
        from_number=event.from_number,
        rows=event.recipients,
        due_at=event.occurred_at,
        earlier_run_id=event.earlier_run_id,
    )


def _started(event: RunStarted) -> RunFact:
    return RunFact(
        **_about(event),
        state=RunState.SENDING,
        state_sequence=event.sequence,
        started_at=event.occurred_at,
    )


def _completed(event: RunCompleted) -> RunFact:
    return RunFact(
        **_about(event),
        state=RunState.COMPLETED,
        state_sequence=event.sequence,
        rows=event.rows,
        completed_at=event.occurred_at,
    )


def _failed(event: RunFailed) -> RunFact:
    return RunFact(
        **_about(event),
        state=RunState.FAILED,
        state_sequence=event.sequence,
        failure=event.reason,
        completed_at=event.occurred_at,
    )


def _alarm(event: RunAlarmRaised) -> RunFact:
    return RunFact(
        **_about(event),
        alarm=event.alarm,
        alarm_detail=event.detail,
        alarm_code=event.error_code,
        alarm_advice=event.advice or None,
        alarm_sequence=event.sequence,
    )


def _awaited(event: AudienceAwaited) -> RunFact:
    return RunFact(**_about(event), waiting=event.reason, waiting_sequence=event.sequence)


def _single(event: SingleText) -> RunFact:
    # A run of one message: there is no audience, and nothing is due but at once.
    return RunFact(
        **_about(event),
        mode=event.mode,
        from_number=event.from_number,
        rows=1,
        due_at=event.occurred_at,
    )


_RUN_FACTS: Mapping[type[Event], Callable[[Any], RunFact]] = MappingProxyType(
    {
        CampaignDue: _due,
        RecipientsResolved: _page,
        RunResent: _resent,
        RunStarted: _started,
        RunCompleted: _completed,
        RunFailed: _failed,
        RunAlarmRaised: _alarm,
        AudienceAwaited: _awaited,
        MessageRequested: _single,
        ReplyRequested: _single,
    }
)
RUN_EVENTS = frozenset(_RUN_FACTS)
"""The types that say something about runs."""


def run_fact(event: Event) -> RunFact:
    """Return what an event says about its run."""
    return _RUN_FACTS[type(event)](event)
