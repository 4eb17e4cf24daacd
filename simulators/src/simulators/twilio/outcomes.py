"""What becomes of a text, by its numbers: Twilio's magic numbers and endings of our own.

Any destination that ends with these four digits has this outcome, so demonstrations are
deterministic; every other one is delivered:

| ends with | outcome |
|---|---|
| 0004 | undelivered, 30004 (blocked) |
| 0006 | undelivered, 30007 (filtered) |
| 0007 | undelivered, 30003 (handset unreachable) |
| 0008 | failed, 30005 (unknown handset) |
| 0009 | sent, and nothing more is ever known |
| 0010 | delivered, but no callback is sent |
| 0011 | delivered, the callbacks in the wrong order |
| 0012 | delivered, each callback twice |
| 0013 | undelivered, 30008 (unknown) |
| 0014 | refused at once, 21614 (not a mobile number) |
| 0016 | refused at once, 21610 (opted out) |

Twilio's magic numbers (+1500555…) answer as its test credentials do; a text from +15005550006
is taken, and no callback follows. The setting `special_endings` turns the endings off.
"""

import random
import re
from dataclasses import dataclass

E164 = re.compile(r"\+[1-9]\d{6,14}")
SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
MAGIC_GOOD_SENDER = "+15005550006"

_MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MAGIC_FROM = {
    "+15005550001": 21212,
    "+15005550007": 21606,
    "+15005550008": 21611,
}
_REFUSED_ENDINGS = {"0014": 21614, "0016": 21610}
_MAX_BODY = 1600


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last status of a text, and what goes wrong with its callbacks."""

    status: str | None = "delivered"
    error_code: int | None = None
    callback_fault: str | None = None


DELIVERED = Outcome()
OPTED_OUT = Outcome("failed", 21610)
_QUIET = Outcome(status=None, callback_fault="quiet")
_ENDINGS = {
    "0004": Outcome("undelivered", 30004),
    "0006": Outcome("undelivered", 30007),
    "0007": Outcome("undelivered", 30003),
    "0008": Outcome("failed", 30005),
    "0009": Outcome(None),
    "0010": Outcome(callback_fault="callback_lost"),
    "0011": Outcome(callback_fault="callback_reordered"),
    "0012": Outcome(callback_fault="callback_repeated"),
    "0013": Outcome("undelivered", 30008),
}


def refusal(to: str, sender: str, body: str, *, endings: bool) -> int | None:
    """Give the code with which Twilio refuses such a request at once, if it does."""
    if not to:
        return 21604
    if not sender:
        return 21603
    if not body:
        return 21602
    if len(body) > _MAX_BODY:
        return 21617
    if sender.startswith("+1500555") and sender != MAGIC_GOOD_SENDER:
        return _MAGIC_FROM.get(sender, 21606)
    if not E164.fullmatch(sender) and not SERVICE.fullmatch(sender):
        return 21212
    if (code := _MAGIC_TO.get(to)) is not None:
        return code
    if not E164.fullmatch(to):
        return 21211
    return _REFUSED_ENDINGS.get(to[-4:]) if endings else None


def outcome(
    to: str, sender: str, *, endings: bool, failing: float, chance: random.Random
) -> Outcome:
    """Decide, once and at acceptance, how a text ends; `failing` is the chance of 30003."""
    if sender == MAGIC_GOOD_SENDER:
        return _QUIET
    if endings and (special := _ENDINGS.get(to[-4:])) is not None:
        return special
    if failing and chance.random() < failing:
        return _ENDINGS["0007"]
    return DELIVERED
