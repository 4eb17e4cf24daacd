"""What the rows add up to.

The figures are never counted by event: each change of a row takes away what the row was and adds
what it is, so that a repeat adds nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from contracts.events.message import MessageStatus
from projections.domain.row import Row
from readmodels.views import RowStatus

SENT = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED})
FAILED = frozenset({MessageStatus.FAILED, MessageStatus.ERROR})
DAY_FIGURES = (
    "sent_messages",
    "sent_segments",
    "failed_messages",
    "unknown_messages",
    "simulated_messages",
)
_FIGURE: Mapping[str, str] = MappingProxyType(
    {status.value: "sent_messages" for status in SENT}
    | {status.value: "failed_messages" for status in FAILED}
    | {"unknown": "unknown_messages", "simulated": "simulated_messages"}
)
_DAY = 86_400_000_000
_FIRST_DAY = date(1970, 1, 1).toordinal()


class Standing(NamedTuple):
    """What the figures depend on of one row."""

    status: RowStatus | None
    segments: int
    addressed: int
    left_out: str | None
    figure: str | None
    """As what the text counts on its day; None when Twilio, or a TEST, was not asked to send."""
    day: int
    """Days since 1970: the UTC day of the sending, else of the status."""


NOTHING = Standing(None, 0, 0, None, None, 0)


def standing(row: Row) -> Standing:
    """Return what the figures depend on."""
    status = row.status
    figure, day = None, 0
    if status is not None and status.value == row.told:
        figure = _FIGURE.get(row.told)
        moment = row.attempted_at or row.status_at
        if moment is None:
            figure = None
        elif figure is not None:
            day = moment // _DAY
    return Standing(status, row.segments, row.addressed, row.left_out, figure, day)


def day_of(number: int) -> date:
    """Return a day by its number since 1970."""
    return date.fromordinal(_FIRST_DAY + number)


@dataclass(slots=True)
class Figures:
    """What to add to the figures, possibly less than nothing."""

    owners: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    """Each run's organisation and campaign."""
    messages: Counter[tuple[UUID, RowStatus]] = field(default_factory=Counter)
    """By run and status."""
    segments: Counter[tuple[UUID, RowStatus]] = field(default_factory=Counter)
    days: Counter[tuple[UUID, int, str]] = field(default_factory=Counter)
    """By organisation, UTC day since 1970 and figure."""
    runs: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    """By run and figure."""

    @staticmethod
    def of(moves: Counter[tuple[UUID, UUID, UUID, Standing, Standing]]) -> "Figures":
        """Add up how many rows of a run moved from one standing to another."""
        figures = Figures()
        for (organization, run, campaign, was, now), rows in moves.items():
            figures.owners[run] = organization, campaign
            figures._count(organization, run, was, -rows)
            figures._count(organization, run, now, rows)
        return figures

    def _count(self, organization: UUID, run: UUID, row: Standing, rows: int) -> None:
        segments = rows * row.segments
        if row.status is not None:
            self.messages[run, row.status] += rows
            self.segments[run, row.status] += segments
        self.runs[run, "segments"] += segments
        if row.addressed:
            self.runs[run, "recipients"] += rows
        if row.left_out is not None:
            self.runs[run, row.left_out] += rows
        if row.figure is not None:
            self.days[organization, row.day, row.figure] += rows
            if row.figure == "sent_messages":
                self.days[organization, row.day, "sent_segments"] += segments
