"""What the sender needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import RecipientsResolved
from contracts.events.base import Event
from contracts.events.message import Accepted, MessageQueued, MessageSubmitted, Refused, Unresolved
from sender.domain.doubts import Listed
from sender.domain.messages import Claim, Doubt, Lane


class Throttled(Exception):
    """Certainly not sent; it may be sent again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class InDoubt(Exception):
    """Nobody knows whether Twilio took it: it must not be posted again."""


class CarrierAway(Exception):
    """Twilio could not be asked, or refused our credentials; ask again later."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claim; `again_at` is set when it certainly was not sent."""

    claim: Claim
    outcome: Accepted | Refused | Unresolved | None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """What was claimed, and what the next message costs if the budget did not pay for it."""

    claims: Sequence[Claim]
    next_cost: int | None = None

    @property
    def segments(self) -> int:
        """How much of the budget was used."""
        return sum(claim.segments for claim in self.claims)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the limiter allows now, and how long to wait when that is nothing."""

    segments: int
    wait_seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class Witness:
    """A callback that names a message: Twilio has it under this SID."""

    message_id: UUID
    organization_id: UUID
    sid: str
    from_number: str
    to_number: str


class Carrier(Protocol):
    """One organisation's way to Twilio."""

    async def send(self, lane: Lane, claim: Claim) -> Accepted | Refused:
        """Post one message, once; raises `Throttled` or `InDoubt`."""

    async def listed(self, doubt: Doubt) -> list[Listed]:
        """Return what Twilio lists between the two numbers; raises `CarrierAway`."""


class Carriers(Protocol):
    """Every organisation's way to Twilio."""

    async def of(self, organization_id: UUID) -> Carrier:
        """Return the organisation's carrier; raises `CarrierAway` while it has none."""

    async def rate(self, lane: Lane) -> float:
        """Return the lane's segments a second; 0 while the number may not be used."""


class Limiter(Protocol):
    """Holds a lane to its rate, over all processes."""

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        """Take up to `want` segments, `least` at least; raises `Outage` when it can't tell."""

    async def give_back(self, lane: Lane, *, rate: float, segments: int) -> None:
        """Return what was not used."""


class Intake(Protocol):
    """The ledger within the transaction of a batch of events."""

    async def take(
        self, pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime
    ) -> list[Envelope[MessageQueued | MessageSubmitted]]:
        """Enter what is new, and return the events that say so."""

    async def witness(self, witnesses: Mapping[UUID, Witness]) -> list[Envelope[MessageSubmitted]]:
        """Settle open claims and doubts by callbacks, and return the events that say so."""


class Ledger(Protocol):
    """The ledger as dispatch and reconciliation use it; each call is one transaction."""

    async def lanes(self) -> list[Lane]:
        """Return the lanes that may have something to send."""

    async def claim(
        self, lane: Lane, *, at: datetime, until: datetime, budget: int, limit: int
    ) -> Picked:
        """Claim the next messages that the budget pays for whole."""

    async def settle(self, results: Sequence[Result], *, at: datetime) -> None:
        """Record what became of claims that nobody has claimed anew."""

    async def doubt_overdue(self, *, at: datetime, look_at: datetime) -> int:
        """Put claims in doubt whose lease is over or whose process is gone; returns how many."""

    async def doubts(self, *, at: datetime, limit: int) -> list[Doubt]:
        """Return the doubts that are due for a look."""

    async def known_sids(self, sids: Collection[str]) -> set[str]:
        """Return those SIDs that belong to messages already."""

    async def found(self, doubt: Doubt, sid: str, *, at: datetime) -> None:
        """Settle a doubt: Twilio has the message."""

    async def absent(self, doubt: Doubt, *, look_at: datetime | None) -> None:
        """Note that Twilio showed nothing; without another look, the message is ready again."""

    async def hopeless(self, doubt: Doubt, reason: str, *, at: datetime) -> None:
        """Hold a message as unknown, for a person to decide."""

    async def look_later(self, doubts: Sequence[Doubt], *, look_at: datetime) -> None:
        """Ask again later, as if nothing had been asked."""


class Callbacks(Protocol):
    """How far the callbacks' topic was read."""

    async def read_to_end(self) -> bool:
        """Whether all that was on the topic when asked has been handled."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        """Let an event leave when the transaction commits."""
