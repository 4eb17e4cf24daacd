"""What the error codes that Twilio reports mean to staff, and what to do about each.

`codes` says what a program does next; this is all that people are told.
https://www.twilio.com/docs/api/errors
"""

from typing import NamedTuple

_ASK = "Ask your operator to check the Twilio account."
_NUMBER = "Mend or remove the member's number in iMIS."
_REGISTER = "Finish the sending number's registration with the carriers, then resume."
_LATER = "Nothing: send to the missed later."


class Told(NamedTuple):
    """What a code means, and what staff can do."""

    meaning: str
    advice: str


_CODES = {
    20003: Told("Twilio doesn't take our account.", "Save the Twilio account's token anew."),
    20404: Told("Twilio knows no such account or message.", _ASK),
    20429: Told("Twilio had too many requests at once.", _LATER),
    20500: Told("Twilio failed inside.", _LATER),
    21211: Told("The number is not valid.", _NUMBER),
    21212: Told("The sending number is not valid.", "Mend the sending number in the settings."),
    21408: Told(
        "The account may not text this country.",
        "Enable the country in Twilio's messaging permissions, then resume.",
    ),
    21602: Told("The text is empty.", "Mend the template."),
    21603: Told("No sending number was given.", "Choose a sending number."),
    21604: Told("No number was given.", _NUMBER),
    21606: Told("The sending number can't send texts.", "Choose another sending number."),
    21609: Told("Twilio refuses the address for its reports.", _ASK),
    21610: Told(
        "The member has opted out at Twilio.", "Nothing: only the member can opt in again."
    ),
    21611: Told("The sending number's queue was full.", _LATER),
    21612: Told(
        "Twilio can't reach this number from the sending number.",
        "Choose a sending number that may text the member's country.",
    ),
    21614: Told("The number can't receive texts: it is not a mobile number.", _NUMBER),
    21617: Told("The text is longer than Twilio takes.", "Shorten the template."),
    21620: Told("Twilio can't take the attached medium.", "Remove it."),
    21635: Told("The number is a landline.", _NUMBER),
    21703: Told("The messaging service has no number that can send this.", _ASK),
    21704: Told("The messaging service has no numbers.", _ASK),
    30001: Told("Twilio's queue for the sending number was full.", _LATER),
    30002: Told("The Twilio account is suspended.", "Settle it with Twilio, then resume."),
    30003: Told("The phone is off or out of reach.", _LATER),
    30004: Told("The member or the carrier blocks the sending number.", "Leave the number alone."),
    30005: Told("The number doesn't exist or is no longer in use.", _NUMBER),
    30006: Told("The number is a landline, or its carrier can't be reached.", _NUMBER),
    30007: Told(
        "The carrier filtered the text as unwanted.",
        "Look at the text: links that are shortened, capitals and offers are what filters see. "
        "Change it, or check the number's registration, before you resume.",
    ),
    30008: Told("The carrier gave no reason.", _LATER),
    30017: Told("The carrier's network was congested.", _LATER),
    30022: Told("The carrier's limit a day for this sender is reached.", "Go on tomorrow."),
    30023: Told("The carrier's limit a day for this brand is reached.", "Go on tomorrow."),
    30024: Told("The sending number isn't set up at the carrier.", _REGISTER),
    30032: Told("The toll-free number is not verified.", _REGISTER),
    30033: Told("The number's registration (A2P 10DLC) is suspended.", _REGISTER),
    30034: Told("The sending number is not registered with the carriers (A2P 10DLC).", _REGISTER),
    30035: Told("The number's registration (A2P 10DLC) is still being set up.", _REGISTER),
    30036: Told("The text's time was over before it could be delivered.", _LATER),
    30410: Told("The carrier didn't answer in time.", _LATER),
    30450: Told("The delivery was blocked.", "Look at the text before you resume."),
    63038: Told("The Twilio account's limit a day is reached.", "Raise it at Twilio, or wait."),
}


def meaning(code: int | None) -> str | None:
    """Return what a code means, or where to read it."""
    if code is None:
        return None
    told = _CODES.get(code)
    return _elsewhere(code) if told is None else told.meaning


def advice(code: int | None) -> str | None:
    """Return what to do about a code."""
    if code is None:
        return None
    told = _CODES.get(code)
    return _elsewhere(code) if told is None else told.advice


def _elsewhere(code: int) -> str:
    return f"See https://www.twilio.com/docs/api/errors/{code}"
