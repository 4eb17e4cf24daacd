"""What is answered about an organisation in figures."""

from datetime import datetime
from uuid import UUID

from readmodels.views.words import ChargeOutcome, RunKind, View


class ChargeBucket(View):
    """A campaign's attempts of a quarter of an hour that came to the same (TM-22)."""

    start: datetime
    """The quarter's beginning, UTC; any time zone's day is made of whole ones."""
    campaign_id: UUID
    purpose: RunKind
    """`campaign` for campaigns; `urgent`, `first-look` or `reply` for texts that belong to none."""
    outcome: ChargeOutcome
    messages: int
    segments: int


class UsageView(View):
    """What an organisation has sent, by its own day and month (TM-3).

    A text counts on the day of its sending. Sent: accepted by Twilio and not failed (TM-22).
    Failed: refused by Twilio, at once or later, an invalid number included; a row that was left out
    before anything was sent is neither. Segments are as we count them.
    """

    texts_today: int
    segments_today: int
    """As the day's limit counts: what failed at Twilio later, and what is in doubt, included."""
    texts_this_month: int
    segments_this_month: int
    texts_lifetime: int
    failed_lifetime: int


class QueuedView(View):
    """What waits or is held now to leave from a number."""

    messages: int
    segments: int
