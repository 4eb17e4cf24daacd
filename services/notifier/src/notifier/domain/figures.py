"""What a run came to, counted row by row for its report (TM-4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.events.organization import Prices

FINAL = frozenset({"delivered", "undelivered", "failed", "error", "simulated", "excluded"})
"""Statuses that nothing more is expected of."""
UNDER_WAY = frozenset({"preparing", "held"})
"""Statuses of what has no outcome yet; a run that is complete has none of them."""
CHARGED = frozenset({"sent", "delivered", "undelivered"})
"""Accepted by Twilio and not failed (TM-22)."""
FAILED = frozenset({"failed", "error"})
"""Refused by Twilio at once or later; only what it had accepted has a SID."""
OPTED_OUT = 21610
"""Twilio's answer for a number that has opted out; it asks no fee for it."""
IN_ORDER = (
    "delivered",
    "sent",
    "undelivered",
    "failed",
    "error",
    "excluded",
    "simulated",
    "unknown",
    "held",
    "preparing",
)


@dataclass(slots=True)
class Count:
    """How many messages, and how many segments they are."""

    messages: int = 0
    segments: int = 0

    def add(self, segments: int) -> None:
        """Count one more message."""
        self.messages += 1
        self.segments += segments


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a run, as the report has it."""

    row: int
    imis_id: str
    to: str = field(repr=False)
    status: str
    reason: str
    error_code: int | None
    segments: int
    sid: str
    attempted_at: datetime | None
    status_at: datetime | None
    activity: str
    activity_seqn: str


@dataclass(slots=True)
class Figures:
    """A run's figures; each row is in exactly one status."""

    rows: Count = field(default_factory=Count)
    by_status: dict[str, Count] = field(default_factory=dict)
    by_reason: dict[str, Count] = field(default_factory=dict)
    by_error: dict[tuple[int, str], Count] = field(default_factory=dict)
    """By error code and status."""
    activities: dict[str, int] = field(default_factory=dict)
    charged: Count = field(default_factory=Count)
    failed: Count = field(default_factory=Count)
    """Accepted by Twilio, then failed; Twilio may ask a fee for each."""

    def take(self, row: Row) -> None:
        """Count one row."""
        self.rows.add(row.segments)
        self.by_status.setdefault(row.status, Count()).add(row.segments)
        if row.error_code is not None:
            self.by_error.setdefault((row.error_code, row.status), Count()).add(row.segments)
        if row.reason:
            self.by_reason.setdefault(row.reason, Count()).add(row.segments)
        if row.activity:
            self.activities[row.activity] = self.activities.get(row.activity, 0) + 1
        if row.status in CHARGED and row.sid:
            self.charged.add(row.segments)
        if row.status in FAILED and row.sid and row.error_code != OPTED_OUT:
            self.failed.add(row.segments)

    def cost(self, prices: Prices) -> Decimal | None:
        """Return what the run costs; None while no price says what a segment costs."""
        if prices.segment is None:
            return None
        fee = prices.failed_message or Decimal(0)
        return self.charged.segments * prices.segment + self.failed.messages * fee

    @property
    def final(self) -> bool:
        """Whether no further status is expected of any row."""
        return self.by_status.keys() <= FINAL

    def as_facts(self) -> dict[str, Any]:
        """Return what two reports are compared by, as JSON has it."""
        return {
            "by_status": {key: each.messages for key, each in sorted(self.by_status.items())},
            "by_error": {
                f"{code} {status}": each.messages
                for (code, status), each in sorted(self.by_error.items())
            },
        }


@dataclass(frozen=True, slots=True)
class Hour:
    """What the attempts of an hour came to so far."""

    begins: datetime
    by_status: Mapping[str, Count]

    @property
    def whole(self) -> Count:
        """All of them, whatever their status."""
        counts = self.by_status.values()
        return Count(sum(each.messages for each in counts), sum(each.segments for each in counts))


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the report says of the run itself."""

    name: str
    test: bool
    occurrence: str
    due_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    from_number: str = field(repr=False)
    resends_earlier: bool
    alarm: str


def changed(before: Mapping[str, Any], now: Figures) -> bool:
    """Whether a report would say something else than the one that these facts are of."""
    return dict(before) != now.as_facts()
