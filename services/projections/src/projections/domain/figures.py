"""What the rows add up to.

The figures are never counted by event: each change of a row takes away what the row was and adds
what it is, so that a repeat adds nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from contracts.events.message import MessageStatus
from projections.domain.row import Row
from readmodels.views import ChargeOutcome, RowStatus

QUARTER = 900_000_000
"""Microseconds of a quarter of an hour."""
QUARTERS_AN_HOUR = 4
OPTED_OUT = 21610
"""Twilio's answer for a number that has opted out; such an attempt is never charged."""
_ACCEPTED: Mapping[str, ChargeOutcome] = MappingProxyType(
    {
        MessageStatus.SENT: ChargeOutcome.CHARGED,
        MessageStatus.DELIVERED: ChargeOutcome.CHARGED,
        MessageStatus.UNDELIVERED: ChargeOutcome.CHARGED,
        MessageStatus.SIMULATED: ChargeOutcome.SIMULATED,
        MessageStatus.UNKNOWN: ChargeOutcome.UNKNOWN,
    }
)
_FAILED = frozenset({MessageStatus.FAILED, MessageStatus.ERROR})
AMISS = frozenset(
    {
        RowStatus.FAILED,
        RowStatus.UNDELIVERED,
        RowStatus.ERROR,
        RowStatus.UNKNOWN,
        RowStatus.EXCLUDED,
    }
)
"""What is counted by what was the matter."""


class Standing(NamedTuple):
    """What the figures depend on of one row."""

    status: RowStatus | None
    segments: int
    addressed: int
    left_out: str | None
    error_code: int
    """0 when there is none, or the row isn't amiss."""
    reason: str
    """Why it was left out, if that is what it shows."""
    outcome: ChargeOutcome | None
    """What the attempt came to; None when Twilio, or a TEST, was not asked to send."""
    quarter: int
    """Quarters of an hour since 1970, UTC, of the attempt, else of the status."""


NOTHING = Standing(None, 0, 0, None, 0, "", None, 0)


def standing(row: Row) -> Standing:
    """Return what the figures depend on."""
    status = row.status
    outcome, quarter, code, reason = None, 0, 0, ""
    if status is not None and status == row.told:
        moment = row.attempted_at or row.status_at
        if moment is not None and (outcome := _outcome(row)) is not None:
            quarter = moment // QUARTER
        if status in AMISS:
            code = row.error_code or 0
    elif status in AMISS:
        reason = row.reason or ""
    return Standing(
        status, row.segments, row.addressed, row.left_out, code, reason, outcome, quarter
    )


def _outcome(row: Row) -> ChargeOutcome | None:
    """Return who pays what for an attempt (TM-22)."""
    told = row.told or ""
    if told not in _FAILED:
        return _ACCEPTED.get(told)
    if row.error_code == OPTED_OUT:
        return ChargeOutcome.OPTED_OUT
    return ChargeOutcome.REFUSED if row.sid is None else ChargeOutcome.FAILED


class Sum(NamedTuple):
    """So many messages and segments, possibly less than nothing."""

    messages: int
    segments: int


RunCount: TypeAlias = tuple[UUID, RowStatus]
RunError: TypeAlias = tuple[UUID, RowStatus, int, str]
RunHour: TypeAlias = tuple[UUID, int, RowStatus]
Charge: TypeAlias = tuple[UUID, int, UUID, ChargeOutcome]
_Key = TypeVar("_Key")


@dataclass(slots=True)
class Figures:
    """What to add to the figures, possibly less than nothing."""

    owners: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    """Each run's organisation and campaign."""
    counts: dict[RunCount, Sum] = field(default_factory=dict)
    """By run and status."""
    errors: dict[RunError, Sum] = field(default_factory=dict)
    """By run, status, error code and reason."""
    hours: dict[RunHour, Sum] = field(default_factory=dict)
    """By run, hour since 1970 and status."""
    charges: dict[Charge, Sum] = field(default_factory=dict)
    """By organisation, quarter since 1970, campaign and outcome."""
    runs: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    """By run and figure."""

    @staticmethod
    def of(moves: Counter[tuple[UUID, UUID, UUID, Standing, Standing]]) -> "Figures":
        """Add up how many rows of a run moved from one standing to another."""
        figures = Figures()
        for (organization, run, campaign, was, now), rows in moves.items():
            figures.owners[run] = organization, campaign
            figures._count(run, was, -rows)
            figures._count(run, now, rows)
        return figures

    def _count(self, run: UUID, row: Standing, rows: int) -> None:
        segments = rows * row.segments
        status = row.status
        if status is not None:
            _add(self.counts, (run, status), rows, segments)
            if status in AMISS:
                _add(self.errors, (run, status, row.error_code, row.reason), rows, segments)
            if row.outcome is not None:
                organization, campaign = self.owners[run]
                hour = row.quarter // QUARTERS_AN_HOUR
                _add(self.hours, (run, hour, status), rows, segments)
                charge = organization, row.quarter, campaign, row.outcome
                _add(self.charges, charge, rows, segments)
        self.runs[run, "segments"] += segments
        if row.addressed:
            self.runs[run, "recipients"] += rows
        if row.left_out is not None:
            self.runs[run, row.left_out] += rows


def _add(sums: dict[_Key, Sum], key: _Key, rows: int, segments: int) -> None:
    known = sums.get(key)
    if known is not None:
        rows, segments = rows + known.messages, segments + known.segments
    sums[key] = Sum(rows, segments)
