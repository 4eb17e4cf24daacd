"""What there is to do in iMIS about a text; pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, assert_never
from uuid import UUID

from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageStatus
from contracts.ids import effect_id

OPTED_OUT_AT_TWILIO = 21610
LOG_SUBJECT = "Text message"


class Kind(StrEnum):
    """What is written; an effect's id derives from its message and this."""

    TEXTMSG = "TEXTMSG"
    """An activity that holds the text (TM-8)."""
    LOG = "LOG"
    """An entry of the Communication Log that holds the text (TM-8)."""
    TEXTUNSUB = "TEXTUNSUB"
    """An activity that says that the member has opted out (TM-21)."""


class About(StrEnum):
    """What of a message an effect is about; a message has one of each at most."""

    TEXT = "text"
    OPT_OUT = "opt_out"


class State(StrEnum):
    """Where an effect stands."""

    WAITING = "waiting"
    """Not both facts are known: what to write, and that the text was sent."""
    READY = "ready"
    """To be written; to be deleted if it has a SEQN."""
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    WRITTEN = "written"
    REFUSED = "refused"
    UNNEEDED = "unneeded"
    UNKNOWN = "unknown"
    """Nobody can tell whether iMIS has it; it waits for a person and is never written again."""
    DELETED = "deleted"
    MOOT = "moot"
    """The member had subscribed again before it was written."""


class Key(NamedTuple):
    """What names an effect."""

    message_id: UUID
    about: About


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to be done, with everything that was fixed before the first try."""

    message_id: UUID
    about: About
    kind: Kind
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    imis_id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str
    mode: Mode
    transaction_date: datetime
    because: UUID
    delivered: bool = False
    sequence: int = 0
    attempts: int = 0
    refusals: int = 0
    looks: int = 0
    seqn: str | None = None
    """Where iMIS has it; then what is left to do is to delete it."""
    log_id: str | None = None
    """The entry of the Communication Log that is made, and may be on nobody's record yet."""

    @property
    def key(self) -> Key:
        """What names it here."""
        return Key(self.message_id, self.about)

    @property
    def effect_id(self) -> UUID:
        """What names it to others."""
        return effect_id(self.message_id, self.kind)


_AFTER_SENT = frozenset({MessageStatus.UNDELIVERED, MessageStatus.FAILED})


def succeeds(status: MessageStatus, mode: Mode, *, accepted: bool, success: MessageStatus) -> bool:
    """Whether a text that has come this far belongs into iMIS.

    A text that Twilio accepted was Sent, even if the report that it failed overtook that.
    """
    match mode:
        case Mode.TEST:
            return status is MessageStatus.SIMULATED
        case Mode.LIVE:
            overtaken = success is MessageStatus.SENT and accepted and status in _AFTER_SENT
            return overtaken or status in {success, MessageStatus.DELIVERED}
        case _:
            assert_never(mode)


def kind_of(write_to: WriteTo, imis_id: str) -> Kind | None:
    """What is written about a text that was sent, if anything."""
    if not imis_id:
        return None
    match write_to:
        case WriteTo.ACTIVITY:
            return Kind.TEXTMSG
        case WriteTo.COMMUNICATION_LOG:
            return Kind.LOG
        case WriteTo.NOTHING:
            return None
        case _:
            assert_never(write_to)
