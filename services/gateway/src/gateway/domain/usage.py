"""What is charged, what is not and why, and what it costs (TM-22)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

from contracts.events.organization import Prices
from gateway.domain.days import local_day

By = Literal["day", "month", "campaign"]
CHARGED = "charged"
FAILED = "failed"


class Attempted(Protocol):
    """What a quarter of an hour's attempts of a campaign came to."""

    @property
    def start(self) -> datetime:
        """When the quarter began, UTC."""

    @property
    def campaign_id(self) -> UUID:
        """The campaign, or what stands in for one."""

    @property
    def outcome(self) -> str:
        """What they came to: `charged`, or why not."""

    @property
    def messages(self) -> int:
        """How many texts."""

    @property
    def segments(self) -> int:
        """How many segments."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Texts and their segments."""

    messages: int = 0
    segments: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.messages + other.messages, self.segments + other.segments)


@dataclass(frozen=True, slots=True)
class Line:
    """The usage of one day, month or campaign."""

    key: str
    charged: Amount = Amount()
    uncharged: Mapping[str, Amount] = field(default_factory=dict)
    """By why they are not charged; only reasons that some text has."""

    def cost(self, prices: Prices) -> Decimal | None:
        """Return what it costs; None while no price says what a segment costs."""
        if prices.segment is None:
            return None
        fee = prices.failed_message or Decimal(0)
        failed = self.uncharged.get(FAILED, Amount()).messages
        return self.charged.segments * prices.segment + failed * fee


def key_of(by: By, zone: str) -> Callable[["Attempted"], str]:
    """Return what tells which line an attempt belongs to."""

    def key(attempted: Attempted) -> str:
        if by == "campaign":
            return str(attempted.campaign_id)
        day = local_day(attempted.start, zone).isoformat()
        return day if by == "day" else day[:7]

    return key


def lines(attempts: Iterable[Attempted], key: Callable[[Attempted], str]) -> list[Line]:
    """Sum attempts into lines, by their keys."""
    sums: dict[str, dict[str, Amount]] = defaultdict(lambda: defaultdict(Amount))
    for each in attempts:
        sums[key(each)][str(each.outcome)] += Amount(each.messages, each.segments)
    return [_line(name, dict(sums[name])) for name in sorted(sums)]


def total(every: Iterable[Line]) -> Line:
    """Return the sum of lines."""
    sums: dict[str, Amount] = defaultdict(Amount)
    for each in every:
        sums[CHARGED] += each.charged
        for reason, amount in each.uncharged.items():
            sums[reason] += amount
    return _line("total", dict(sums))


def _line(key: str, by_outcome: dict[str, Amount]) -> Line:
    charged = by_outcome.pop(CHARGED, Amount())
    there = {reason: by_outcome[reason] for reason in sorted(by_outcome)}
    return Line(key, charged, {k: v for k, v in there.items() if v != Amount()})
