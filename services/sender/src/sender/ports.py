"""What the sender needs of the outside."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent
from contracts.events.consent import ConsentChanged
from contracts.events.message import (
    Accepted,
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageResolutionDecided,
    MessageSubmitted,
    RecipientExcluded,
    Refused,
    ReplyRequested,
    Unresolved,
)
from contracts.events.run import RunCancelRequested, RunResendRequested, RunResent
from sender.domain.controls import Stops
from sender.domain.doubts import Listed, Verdict
from sender.domain.messages import Claim, Doubt, Lane

NO_STOPS: Stops = MappingProxyType({})
URGENT_AT_ONCE = 8
"""How many connections a lane keeps free for urgent messages."""


class Throttled(Exception):
    """Certainly not sent; it may be sent again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class InDoubt(Exception):
    """Nobody knows whether Twilio took it: it must not be posted again."""


class LeaseOver(Exception):
    """The claim may be somebody else's by now: nothing was posted."""


class CarrierAway(Exception):
    """Twilio could not be asked, or refused our credentials; ask again later.

    After `seconds`, if Twilio said so.
    """

    def __init__(self, reason: str = "", *, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


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
    left_out: int = 0
    """How many were settled without being sent; there may be more of them at once."""
    held: bool = False
    """Whether what waits is over the day's limit."""
    more_urgent: bool = False
    """Whether urgent messages were there; there may be more of them."""

    @property
    def segments(self) -> int:
        """How much of the budget was used."""
        return sum(claim.segments for claim in self.claims)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the limiter allows now, and how long to wait when that is nothing."""

    segments: int
    wait_seconds: float
    stops: Stops = field(default_factory=lambda: NO_STOPS)
    """What was stopped, told past the log."""


@dataclass(frozen=True, slots=True, repr=False)
class Witness:
    """A callback that names a message: Twilio has it under this SID."""

    message_id: UUID
    organization_id: UUID
    sid: str
    from_number: str
    to_number: str
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a look at Twilio's list meant for a doubt."""

    doubt: Doubt
    verdict: Verdict


class Carrier(Protocol):
    """One organisation's way to Twilio."""

    async def send(
        self, lane: Lane, claim: Claim, *, still_ours: Callable[[], bool]
    ) -> Accepted | Refused:
        """Post one message, once; raises `Throttled`, `InDoubt`, or `LeaseOver`.

        Nothing is awaited between asking whether the claim is still ours and the request.
        """

    async def listed(
        self, lane: Lane, *, to: str | None, since: datetime, turn: Callable[[], Awaitable[None]]
    ) -> list[Listed]:
        """Return what Twilio lists of a lane, or of it to one number; raises `CarrierAway`.

        Waits for a turn before each request.
        """


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

    async def stops(self, lane: Lane) -> Stops:
        """Return what is stopped now, as told past the log; raises `Outage` when it can't tell."""


Entered = MessageQueued | MessageSubmitted | RecipientExcluded | MessageHeld


class Intake(Protocol):
    """The ledger within the transaction of a batch of pages, or of single texts."""

    async def take(
        self, pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime
    ) -> Sequence[Envelope[Entered]]:
        """Enter what is new, and return the events that say so."""

    async def take_singles(
        self,
        asked: Sequence[Envelope[MessageRequested] | Envelope[ReplyRequested]],
        *,
        at: datetime,
    ) -> Sequence[Envelope[Entered]]:
        """Enter what is to leave before all others, and return the events that say so."""


class Proofs(Protocol):
    """The ledger within the transaction of a batch of callbacks."""

    async def take(
        self, witnesses: Sequence[Witness], *, at: datetime
    ) -> Sequence[Envelope[MessageSubmitted | RecipientExcluded]]:
        """Settle what callbacks prove, and return the events that say so."""


class Consents(Protocol):
    """Who may not be texted, within the transaction of a batch of events."""

    async def fold(
        self, changes: Sequence[Envelope[ConsentChanged]], *, at: datetime
    ) -> Sequence[Envelope[RecipientExcluded]]:
        """Take what is newer, and return the events that say who is left out by it."""


class Decisions(Protocol):
    """The ledger within the transaction of operators' decisions."""

    async def take(
        self, decisions: Sequence[Envelope[MessageResolutionDecided]], *, at: datetime
    ) -> Sequence[Envelope[MessageSubmitted | RecipientExcluded]]:
        """Settle what is unknown as decided, and return the events that say so."""


class Resends(Protocol):
    """The ledger within the transaction of a command."""

    async def take(
        self, asked: Envelope[RunResendRequested], *, at: datetime
    ) -> Sequence[Envelope[RunResent | Entered]]:
        """Start a run in place of what another one missed, and return the events that say so."""


class Controls(Protocol):
    """What staff paused and cancelled, within the transaction of a batch of events."""

    async def follow(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        """Take what is newer; a cancelled campaign stays so."""

    async def cancel(self, commands: Sequence[Envelope[RunCancelRequested]]) -> None:
        """Cancel runs."""


class Sweeps(Protocol):
    """Moves what waits, a part at a time; each call is one transaction, or none."""

    async def leave_out_cancelled(self, *, at: datetime) -> int:
        """Leave out what waits of cancelled campaigns and runs; returns how much it was."""

    async def leave_out_stranded(self, *, at: datetime) -> int:
        """Leave out single texts whose number is no longer the organisation's; returns how many."""

    async def keep_hours(self, *, at: datetime) -> tuple[int, int]:
        """Let go what may leave now, and hold for the next fit hour what may no longer.

        Returns how much it was of each.
        """


class Ledger(Protocol):
    """The ledger as dispatch and reconciliation use it; each call is one transaction."""

    async def lanes(self) -> list[Lane]:
        """Return the lanes that may have something to send."""

    async def claim(
        self,
        lane: Lane,
        *,
        at: datetime,
        until: datetime,
        budget: int,
        limit: int,
        urgent: int = URGENT_AT_ONCE,
        stops: Stops = NO_STOPS,
    ) -> Picked:
        """Claim the next messages that the budget and the limits pay for whole.

        Up to `limit` of campaigns, and up to `urgent` urgent ones before them.
        """

    async def settle(self, results: Sequence[Result], *, at: datetime) -> None:
        """Record what became of claims that nobody has claimed anew."""

    async def doubt_overdue(self, *, at: datetime, look_at: datetime) -> int:
        """Put claims in doubt whose lease is over or whose process is gone; returns how many."""

    async def doubts(self, *, at: datetime, until: datetime, limit: int) -> list[Doubt]:
        """Return the doubts that are due for a look, each to one process until then."""

    async def known_sids(self, sids: Collection[str]) -> set[str]:
        """Return those SIDs that belong to messages already."""

    async def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Write down what looking at doubts showed; those that are settled by now stay so."""


class Heard(Protocol):
    """How far a topic was handled."""

    async def read_to_end(self) -> bool:
        """Whether all that was on the topic when asked has been handled; False when in doubt."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        """Let an event leave when the transaction commits."""
