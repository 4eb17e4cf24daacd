"""Twilio's error codes: whose fault each is, and what a program does next.

What they mean to people, `explained` says. https://www.twilio.com/docs/api/errors has the whole
list; these are the ones that a text meets.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whose fault it is, which is who must act."""

    RECIPIENT_INVALID = "recipient_invalid"
    OPTED_OUT = "opted_out"
    CONFIGURATION = "configuration"
    CONTENT = "content"
    ACCOUNT = "account"
    CARRIER = "carrier"
    BUSY = "busy"
    OTHER = "other"


class Advice(StrEnum):
    """What to do next."""

    SUPPRESS = "suppress"
    """The number takes no texts, ever."""
    SUPPRESS_UNTIL_START = "suppress_until_start"
    """The person said STOP: nothing until they say START."""
    DROP = "drop"
    """This recipient can't be texted with these settings; others can."""
    STOP_AND_ALERT = "stop_and_alert"
    """Every other text would fail as well: pause the campaign and tell somebody."""
    BACK_OFF = "back_off"
    """It was not processed: send again after a while."""
    RETRY_ONCE = "retry_once"
    """It was lost on the way: once more, much later, at most."""
    RECONCILE = "reconcile"
    """Nobody knows: ask Twilio before anything else."""


@dataclass(frozen=True, slots=True)
class Code:
    """One error code; `by_callback` when it comes later, else in the answer to the request."""

    code: int
    kind: Kind
    advice: Advice
    by_callback: bool = False


_AT_ONCE = [
    Code(20003, Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(20404, Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(20429, Kind.BUSY, Advice.BACK_OFF),
    Code(20500, Kind.OTHER, Advice.RECONCILE),
    Code(21211, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21212, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21408, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21602, Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21603, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21604, Kind.RECIPIENT_INVALID, Advice.DROP),
    Code(21606, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21609, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21610, Kind.OPTED_OUT, Advice.SUPPRESS_UNTIL_START),
    Code(21611, Kind.BUSY, Advice.BACK_OFF),
    Code(21612, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21614, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21617, Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21620, Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21635, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21703, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21704, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
]

_BY_CALLBACK = [
    Code(30001, Kind.BUSY, Advice.RETRY_ONCE),
    Code(30002, Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(30003, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30004, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30005, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30006, Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30007, Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(30008, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30017, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30022, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30024, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30032, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30033, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30034, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30035, Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30036, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30410, Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30450, Kind.CONTENT, Advice.STOP_AND_ALERT),
]

CODES = {
    **{code.code: code for code in _AT_ONCE},
    **{
        code.code: Code(code.code, code.kind, code.advice, by_callback=True)
        for code in _BY_CALLBACK
    },
}
"""Every known code. 21610 comes on both paths."""


def look_up(code: int) -> Code:
    """Give what is known of a code; of an unknown one, that somebody must look."""
    known = CODES.get(code)
    return known or Code(code, Kind.OTHER, Advice.STOP_AND_ALERT)
