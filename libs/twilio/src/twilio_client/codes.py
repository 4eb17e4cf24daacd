"""Twilio's error codes: what each means, and what to do about it.

https://www.twilio.com/docs/api/errors has the whole list; these are the ones that a text meets.
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
    meaning: str
    kind: Kind
    advice: Advice
    by_callback: bool = False


_AT_ONCE = [
    Code(20003, "authentication failed", Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(20404, "no such resource", Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(20429, "too many requests", Kind.BUSY, Advice.BACK_OFF),
    Code(20500, "Twilio failed inside", Kind.OTHER, Advice.RECONCILE),
    Code(21211, "invalid To number", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21212, "invalid From number", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21408, "region not enabled", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21602, "no body", Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21603, "no From number", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21604, "no To number", Kind.RECIPIENT_INVALID, Advice.DROP),
    Code(21606, "From can't send texts", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21609, "invalid StatusCallback", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21610, "opted out", Kind.OPTED_OUT, Advice.SUPPRESS_UNTIL_START),
    Code(21611, "sender's queue is full", Kind.BUSY, Advice.BACK_OFF),
    Code(21612, "no route from From to To", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21614, "not a mobile number", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21617, "body over 1,600 characters", Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21620, "invalid media URL", Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(21635, "To is a landline", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(21703, "no sender available in service", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(21704, "service has no numbers", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
]

_BY_CALLBACK = [
    Code(30001, "queue overflow", Kind.BUSY, Advice.RETRY_ONCE),
    Code(30002, "account suspended", Kind.ACCOUNT, Advice.STOP_AND_ALERT),
    Code(30003, "handset unreachable", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30004, "blocked for this number", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30005, "unknown handset", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30006, "landline or unreachable carrier", Kind.RECIPIENT_INVALID, Advice.SUPPRESS),
    Code(30007, "filtered by the carrier", Kind.CONTENT, Advice.STOP_AND_ALERT),
    Code(30008, "unknown error", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30017, "carrier congested", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30022, "10DLC rate exceeded", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30024, "sender not provisioned", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30032, "toll-free number not verified", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30033, "10DLC campaign suspended", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30034, "10DLC number not registered", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30035, "10DLC number being set up", Kind.CONFIGURATION, Advice.STOP_AND_ALERT),
    Code(30036, "validity period expired", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30410, "provider timed out", Kind.CARRIER, Advice.RETRY_ONCE),
    Code(30450, "delivery blocked", Kind.CONTENT, Advice.STOP_AND_ALERT),
]

CODES = {
    **{code.code: code for code in _AT_ONCE},
    **{
        code.code: Code(code.code, code.meaning, code.kind, code.advice, by_callback=True)
        for code in _BY_CALLBACK
    },
}
"""Every known code. 21610 comes on both paths."""


def look_up(code: int) -> Code:
    """Give what is known of a code; of an unknown one, that somebody must look."""
    known = CODES.get(code)
    return known or Code(code, "unknown", Kind.OTHER, Advice.STOP_AND_ALERT)
