"""What codes and names mean, in words for staff."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

STATUSES = {
    "preparing": "Preparing",
    "held": "Held",
    "sent": "Sent",
    "delivered": "Delivered",
    "undelivered": "Undelivered",
    "failed": "Failed",
    "error": "Error",
    "simulated": "Simulated",
    "unknown": "Unknown",
    "excluded": "Left out",
}
STATUS_MEANINGS = {
    "preparing": "It is being prepared to be sent.",
    "held": "It waits for the morning at the member's place.",
    "sent": "Twilio took it; the carrier has not said yet whether it arrived.",
    "delivered": "The carrier confirmed that it arrived.",
    "undelivered": "The carrier could not deliver it.",
    "failed": "Twilio could not send it. It is not charged as a text.",
    "error": "The number is not a valid mobile number.",
    "simulated": "The campaign is a TEST: nothing was sent.",
    "unknown": "Nobody can tell whether it was sent; it is never sent again on a guess.",
    "excluded": "No text was sent, for the reason below.",
}
REASONS = {
    "no_number": "The row has no phone number",
    "invalid_number": "The phone number is not valid",
    "repeated_row": "The row came twice",
    "shared_phone": "Another member has the same phone and got the text",
    "no_member_id": "The row has no iMIS ID",
    "text_too_long": "The text is over 1,600 characters",
    "empty_text": "The text is empty",
    "over_run_limit": "Over the campaign's limit",
    "over_day_limit": "Over the day's limit",
    "opted_out": "Opted out",
    "given_up": "Given up by an operator",
    "landline": "A fixed line",
    "cancelled": "Cancelled",
    "no_sender": "The sending number is no longer yours",
}


def status(name: str) -> str:
    """Return a status as staff know it."""
    return STATUSES.get(name, name.replace("_", " ").capitalize())


def reason(name: str) -> str:
    """Return why a row got no text."""
    return REASONS.get(name, name.replace("_", " ").capitalize() if "_" in name else name)


def moment(at: datetime, zone: str) -> str:
    """Return a time as the organisation's clocks show it."""
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local, zone = at, "UTC"
    return f"{local.day} {local:%B %Y, %H:%M} ({zone})"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
