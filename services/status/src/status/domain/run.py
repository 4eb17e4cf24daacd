"""One run: what its audience adds up to, how much of it is settled, and when it is over."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from contracts.events.audience import Totals
from contracts.events.run import RunCompleted, RunEvent, RunFailed, RunStarted


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
    excluded: int = 0
    settled: int = 0
    totals: Totals | None = None
    failure: str | None = None

    def __add__(self, other: Self) -> Self:
        newest = self if self.at > other.at else other
        return replace(
            self,
            at=newest.at,
            because=newest.because,
            pages=self.pages + other.pages,
            recipients=self.recipients + other.recipients,
            rejected=self.rejected + other.rejected,
            excluded=self.excluded + other.excluded,
            settled=self.settled + other.settled,
            totals=self.totals or other.totals,
            failure=self.failure or other.failure,
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
    excluded: int = 0
    settled: int = 0
    totals: Totals | None = None
    failure: str | None = None
    phase: Phase = Phase.EXPECTED
    sequence: int = 0


def advance(run: Run, *, at: datetime) -> tuple[Run, list[RunEvent]]:
    """Take every step that the run is ready for; each is taken once."""
    told: list[RunEvent] = []
    if run.phase is Phase.EXPECTED and run.pages:
        run = _step(run, Phase.STARTED)
        told.append(RunStarted.model_validate(_about(run, at)))
    if run.phase in {Phase.EXPECTED, Phase.STARTED} and run.failure is not None:
        run = _step(run, Phase.FAILED)
        told.append(RunFailed.model_validate(_about(run, at) | {"reason": run.failure}))
    totals = run.totals
    if (
        run.phase is Phase.STARTED
        and totals is not None
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
    return run, told


def adds_up(run: Run) -> bool:
    """Whether nothing that was counted exceeds the totals that the audience told.

    Less than the totals is no contradiction: the rest may be on its way, and the run waits for it.
    """
    totals = run.totals
    return totals is None or (
        run.recipients <= totals.recipients
        and run.rejected <= totals.rejected
        and run.settled + run.excluded <= totals.recipients
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
