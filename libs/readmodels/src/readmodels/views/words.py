"""The words in which the read models answer."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contracts.events.message import MessageStatus


class RowStatus(StrEnum):
    """What staff see of a row of a run: a message's status, or that it was left out."""

    PREPARING = MessageStatus.PREPARING
    HELD = MessageStatus.HELD
    SENT = MessageStatus.SENT
    DELIVERED = MessageStatus.DELIVERED
    UNDELIVERED = MessageStatus.UNDELIVERED
    FAILED = MessageStatus.FAILED
    ERROR = MessageStatus.ERROR
    SIMULATED = MessageStatus.SIMULATED
    UNKNOWN = MessageStatus.UNKNOWN
    EXCLUDED = "excluded"
    """No text, for a reason that isn't a bad number; that one is an error (TM-14)."""


class RunState(StrEnum):
    """How far a run is."""

    PREPARING = "preparing"
    SENDING = "sending"
    COMPLETED = "completed"
    FAILED = "failed"


class ActivityState(StrEnum):
    """What became of the activity in iMIS."""

    WRITTEN = "written"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Nobody can tell whether iMIS has it."""
    DELETED = "deleted"
    """The member subscribed again (TM-21)."""


class RunKind(StrEnum):
    """What made a run."""

    CAMPAIGN = "campaign"
    RESEND = "resend"
    """It sends what an earlier run missed."""
    URGENT = "urgent"
    FIRST_LOOK = "first-look"
    """A real row's text to the author's own phone (X-13)."""
    REPLY = "reply"


class ChargeOutcome(StrEnum):
    """What an attempt came to for who pays (TM-22)."""

    CHARGED = "charged"
    """Twilio accepted it and has not said that it failed."""
    FAILED = "failed"
    """Twilio accepted it, then said that it failed."""
    OPTED_OUT = "opted_out"
    """Twilio refused it, as the member has opted out there (21610)."""
    REFUSED = "refused"
    """Twilio refused it at once for another cause."""
    SIMULATED = "simulated"
    """A TEST: nothing left the house."""
    UNKNOWN = "unknown"
    """Nobody can tell whether Twilio took it."""


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
