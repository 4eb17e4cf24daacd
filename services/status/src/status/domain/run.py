"""One run: what its audience adds up to, how much of it is settled, and when it is over."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from contracts.events.audience import Totals
from contracts.events.run import (
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
)
from status.domain.ledger import Ledger, Patience, accounted_for, excess, raised, silence
from status.domain.trouble import Trouble


class Phase(StrEnum):
    """How far a run has come."""

    EXPECTED = "expected"
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tally:
    """What some facts add to a run; each fact is counted once, by whoever makes the tally."""

    organization_id: UUID
    campaign_id: UUID
    at: datetime
    because: UUID
    """The id of the newest of the facts."""
    pages: int = 0
    recipients: int = 0
    rejected: int = 0
    heard: int = 0
    excluded: int = 0
    settled: int = 0
    totals: Totals | None = None
    failure: str | None = None
    troubles: tuple[Trouble, ...] = ()
    """What else is wrong with the run, to be told as it is."""

    def __add__(self, other: Self) -> Self:
        newest = self if self.at > other.at else other
        return replace(
            self,
            at=newest.at,
            because=newest.because,
            pages=self.pages + other.pages,
            recipients=self.recipients + other.recipients,
            rejected=self.rejected + other.rejected,
            heard=self.heard + other.heard,
            excluded=self.excluded + other.excluded,
            settled=self.settled + other.settled,
            totals=self.totals or other.totals,
            failure=self.failure or other.failure,
            troubles=self.troubles + other.troubles,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known of one run."""

    run_id: UUID
    organization_id: UUID
    campaign_id: UUID
    pages: int = 0
    recipients: int = 0
    rejected: int = 0
    heard: int = 0
    """How many messages were told to be in the sender's ledger, or left out of it."""
    excluded: int = 0
    settled: int = 0
    totals: Totals | None = None
    failure: str | None = None
    phase: Phase = Phase.EXPECTED
    sequence: int = 0
    alarms: frozenset[RunAlarm] = frozenset()
    waiting_since: datetime | None = None
    """When something was last heard of a run that is not accounted for."""


def advance(
    run: Run, *, at: datetime, troubles: Iterable[Trouble] = ()
) -> tuple[Run, list[RunEvent]]:
    """Take every step that the run is ready for; each is taken once."""
    told: list[RunEvent] = []
    if run.phase is Phase.EXPECTED and run.pages:
        run = _step(run, Phase.STARTED)
        told.append(RunStarted.model_validate(_about(run, at)))
    if run.phase in {Phase.EXPECTED, Phase.STARTED} and run.failure is not None:
        run = _step(run, Phase.FAILED)
        told.append(RunFailed.model_validate(_about(run, at) | {"reason": run.failure}))
    for trouble in troubles:
        run, alarm = _tell(run, trouble, at)
        told.append(alarm)
    totals = run.totals
    if (
        run.phase is Phase.STARTED
        and totals is not None
        # More than the totals is an alarm of its own; it must not keep the run from its end.
        and run.settled + run.excluded >= totals.recipients
    ):
        run = _step(run, Phase.COMPLETED)
        counts = {
            "rows": totals.rows,
            "messages": run.settled,
            "rejected": totals.rejected,
            "excluded": run.excluded,
        }
        told.append(RunCompleted.model_validate(_about(run, at) | counts))
    if excess(_ledger(run)) and RunAlarm.DOES_NOT_ADD_UP not in run.alarms:
        run, alarm = _alarm(run, RunAlarm.DOES_NOT_ADD_UP, at)
        told.append(alarm)
    return run, told


def wait(run: Run, *, at: datetime) -> Run:
    """Note since when the rest of the run is awaited; nothing is, once all is accounted for."""
    awaited = (
        run.phase is not Phase.FAILED
        and RunAlarm.STALLED not in run.alarms
        and not accounted_for(_ledger(run))
    )
    return replace(run, waiting_since=at if awaited else None)


def give_alarm(run: Run, *, at: datetime, patience: Patience) -> tuple[Run, list[RunEvent]]:
    """Raise the alarm about a run of which too little was heard for too long, once."""
    since = run.waiting_since
    if since is None:
        return run, []
    if not silence(_ledger(run), waited=at - since, patience=patience):
        return run, []
    run, alarm = _alarm(run, RunAlarm.STALLED, at)
    return replace(run, waiting_since=None), [alarm]


def _tell(run: Run, trouble: Trouble, at: datetime) -> tuple[Run, RunEvent]:
    run = replace(_step(run, run.phase), alarms=run.alarms | {trouble.alarm})
    return run, RunAlarmRaised.model_validate(_about(run, at) | asdict(trouble))


def _alarm(run: Run, alarm: RunAlarm, at: datetime) -> tuple[Run, RunEvent]:
    run = replace(_step(run, run.phase), alarms=run.alarms | {alarm})
    return run, raised(alarm, _ledger(run), _about(run, at))


def _ledger(run: Run) -> Ledger:
    return Ledger(
        totals=run.totals,
        recipients=run.recipients,
        rejected=run.rejected,
        heard=run.heard,
        settled=run.settled,
        excluded=run.excluded,
    )


def _step(run: Run, phase: Phase) -> Run:
    return replace(run, phase=phase, sequence=run.sequence + 1)


def _about(run: Run, at: datetime) -> dict[str, object]:
    return {
        "organization_id": run.organization_id,
        "occurred_at": at,
        "sequence": run.sequence,
        "run_id": run.run_id,
        "campaign_id": run.campaign_id,
    }
