"""A message as the ledger knows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.events.audience import Reason


class State(StrEnum):
    """Where a message is on its way to Twilio."""

    QUEUED = "queued"
    HELD = "held"
    """It waits for the end of the quiet hours at the member's place (X-4)."""
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SIMULATED = "simulated"
    UNKNOWN = "unknown"
    EXCLUDED = "excluded"


WAITING = (State.QUEUED, State.HELD)
"""Not under way, and not settled: it may still leave, or be left out."""
REFUSED = "refused"
"""Why a message was not sent, when it was neither its number nor an opt-out."""
MISSED = frozenset({REFUSED, Reason.OVER_RUN_LIMIT, Reason.OVER_DAY_LIMIT, Reason.GIVEN_UP})
"""The reasons for which a message may be sent after all, when staff ask for it (X-2)."""
_PERHAPS_SENT = frozenset({State.CLAIMED, State.IN_DOUBT, State.UNKNOWN, State.ACCEPTED})


def counted(state: str, reason: str | None) -> bool:
    """Whether a message's segments count as used: all but what certainly was not sent."""
    return state in _PERHAPS_SENT or (state == State.EXCLUDED and reason == Reason.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Lane:
    """A sending number of an organisation: what leaves by it shares one rate."""

    organization_id: UUID
    from_number: str

    def __repr__(self) -> str:
        return f"Lane({self.organization_id})"


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """A message that one process, and no other, may post until its lease is over."""

    claim_id: UUID
    message_id: UUID
    run_id: UUID
    to_number: str
    text: str
    segments: int
    claimed_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Doubt:
    """A claim of which nobody knows whether Twilio took it."""

    message_id: UUID
    organization_id: UUID
    claim_id: UUID
    from_number: str
    to_number: str
    text: str
    claimed_at: datetime
    looks: int
    """How often Twilio's list showed nothing."""

    @property
    def lane(self) -> Lane:
        """The lane that it left by."""
        return Lane(self.organization_id, self.from_number)
