"""Why a row gets no text, in the words that staff read (X-2)."""

from contracts.events.audience import Reason

REASONS = {
    Reason.NO_NUMBER: "The row has no phone number.",
    Reason.INVALID_NUMBER: "The phone number is not valid.",
    Reason.REPEATED_ROW: "An earlier row has this member with this number.",
    Reason.SHARED_PHONE: "An earlier row has this number, and each phone gets one text.",
    Reason.NO_MEMBER_ID: "The row has no iMIS id.",
    Reason.TEXT_TOO_LONG: "The merged text has over 1,600 characters.",
    Reason.EMPTY_TEXT: "The merged text is blank.",
    Reason.OVER_RUN_LIMIT: "The campaign's limit of segments was used up.",
    Reason.OVER_DAY_LIMIT: "The day's limit of segments was used up.",
    Reason.OPTED_OUT: "The member has opted out.",
    Reason.GIVEN_UP: "An operator decided not to send it.",
    Reason.LANDLINE: "The number is a landline's.",
    Reason.CANCELLED: "The campaign or the run was cancelled before its turn.",
    Reason.NO_SENDER: "The number that it was to leave from is no longer the organisation's.",
}


def reason_meaning(reason: str | None) -> str | None:
    """Return what a reason means; None where it says it itself."""
    if reason is None or reason not in set(Reason):
        return None
    return REASONS[Reason(reason)]
