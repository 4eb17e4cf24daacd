"""What the judge goes by: the outsides' own records, and what the system says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tests.chaos.expected import Text


@dataclass(frozen=True, slots=True)
class Accepted:
    """A POST that Twilio took, and what became of the text; `at` is by the simulator's clock."""

    sid: str
    to: str
    body: str
    status: str
    segments: int
    at: float
    sender: str = ""
    arrived: float = 0.0
    """When the POST came; it may be accepted only later, where Twilio is slow."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What iMIS holds of a text."""

    seqn: int
    imis_id: str
    to: str
    body: str


@dataclass(frozen=True, slots=True)
class Said:
    """The newest that the log says of a message."""

    status: str
    sid: str | None = None
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """From the answer of a pause or a panic stop until its end was asked for."""

    since: float
    until: float
    campaign: int | None = None
    """None: everything was stopped."""


@dataclass(slots=True)
class SystemSays:
    """The system's own account: the log folded by sequence, and the read models."""

    resolved: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """Each message's number and text."""
    said: dict[UUID, Said] = field(default_factory=dict)
    unresolved: set[UUID] = field(default_factory=set)
    """Of these nobody can tell whether they were sent."""
    opted_out: set[UUID] = field(default_factory=set)
    """Left out, as the member had opted out."""
    cancelled: set[UUID] = field(default_factory=set)
    """Left out, as the campaign was cancelled."""
    occurrences: list[str] = field(default_factory=list)
    """Of the recurring campaign: the local time of each run."""
    consents: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    """By number: when it was in the log that it opted out (True) or in."""
    shown: dict[UUID, str] = field(default_factory=dict)
    """The status that the read model shows."""
    unfinished: list[str] = field(default_factory=list)
    """Runs that aren't completed."""
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class Records:
    """All that there is to judge by."""

    expected: Sequence[Text]
    accepted: Sequence[Accepted]
    activities: Sequence[Activity]
    stopped: Mapping[str, float]
    """The numbers whose owners texted a stop, and when."""
    says: SystemSays
    segments_per_second: float
    burst_seconds: float = 1.0
    stalls: Sequence[tuple[float, float]] = ()
    """When the simulators themselves stood still, by their clock."""
    holds: Sequence[Hold] = ()
    cancelled: Mapping[int, float] = field(default_factory=dict)
    """When the cancel of a campaign was answered, by its number."""
    due: Sequence[str] = ()
    """The local times at which the recurring campaign must run."""
    reports_due: Mapping[str, int] = field(default_factory=dict)
    """How many reports each address must get."""
    reports: Mapping[str, int] = field(default_factory=dict)
    """How many it got, by Message-ID: a mail may come again, but only as the same one."""

    @property
    def burst(self) -> float:
        """How many segments may leave at once after a pause, beside the rate."""
        return self.segments_per_second * self.burst_seconds
