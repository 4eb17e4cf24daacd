"""What the error codes that Twilio reports mean to staff; https://www.twilio.com/docs/api/errors"""

_MEANINGS = {
    21211: "The number is not valid.",
    21408: "The account may not text this country.",
    21610: "The member has opted out at Twilio.",
    21612: "Twilio can't reach this number from the sending number.",
    21614: "The number can't receive texts: it is not a mobile number.",
    21617: "The text is longer than Twilio takes.",
    30001: "Twilio's queue for the sending number was full.",
    30002: "The Twilio account is suspended.",
    30003: "The phone is off or out of reach.",
    30004: "The member or the carrier blocks the sending number.",
    30005: "The number doesn't exist or is no longer in use.",
    30006: "The number is a landline, or its carrier can't be reached.",
    30007: "The carrier filtered the text as unwanted.",
    30008: "The carrier gave no reason.",
    30022: "The carrier's limit a day for this sender is reached.",
    30023: "The carrier's limit a day for this brand is reached.",
    30032: "The toll-free number is not verified.",
    30034: "The sending number is not registered with the carriers (A2P 10DLC).",
    63038: "The Twilio account's limit a day is reached.",
}


def meaning(code: int | None) -> str | None:
    """Return what a code means, or where to read it."""
    if code is None:
        return None
    return _MEANINGS.get(code, f"See https://www.twilio.com/docs/api/errors/{code}")
