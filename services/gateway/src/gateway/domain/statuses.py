"""What each status of a text means, in the words that staff read (TM-14)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """A status, how it is called, and what it means."""

    status: str
    label: str
    meaning: str


STATUSES: tuple[Meaning, ...] = (
    Meaning("preparing", "Preparing", "The text is being prepared, or waits for its turn."),
    Meaning(
        "held",
        "Held",
        "The text waits for the morning at the member's place: it is promotional, and there are "
        "quiet hours now. It is not lost.",
    ),
    Meaning(
        "sent",
        "Sent",
        "Twilio has accepted the text and knows nothing of its delivery yet. That comes within "
        "seconds or minutes as a rule; after 72 hours it is unlikely, and still taken.",
    ),
    Meaning(
        "delivered",
        "Delivered",
        "The carrier has confirmed to Twilio that the text was delivered, where possible by the "
        "phone itself.",
    ),
    Meaning(
        "undelivered",
        "Undelivered",
        "The carrier told Twilio that the text was not delivered: it was filtered, or the phone "
        "is out of reach. The error code says more. It is charged.",
    ),
    Meaning(
        "failed",
        "Failed",
        "The text could not be sent; the error code says why. A member who has opted out at "
        "Twilio is one cause. A failed text is not charged as a text.",
    ),
    Meaning(
        "error",
        "Error",
        "The To number is not a valid phone number: we found that before sending, or Twilio did. "
        "Nothing was sent.",
    ),
    Meaning(
        "simulated",
        "Simulated",
        "The campaign is a TEST: the text would have been sent, and nothing left the house.",
    ),
    Meaning(
        "unknown",
        "Unknown",
        "Nobody can tell whether Twilio took the text, so it is never sent again on a guess. An "
        "operator decides.",
    ),
    Meaning(
        "excluded",
        "Left out",
        "The row gets no text, for a reason other than its number: an opt-out, a limit, a "
        "repeated row. The reason is named.",
    ),
)
