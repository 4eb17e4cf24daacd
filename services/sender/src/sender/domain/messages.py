"""A message as the ledger knows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """Where a message is on its way to Twilio."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SIMULATED = "simulated"
    UNKNOWN = "unknown"


SETTLED = frozenset({State.ACCEPTED, State.REFUSED, State.SIMULATED})


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
