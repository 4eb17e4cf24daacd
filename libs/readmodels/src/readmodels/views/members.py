"""What is answered about members: who may not be texted, and what iMIS keeps of a text."""

from datetime import datetime
from uuid import UUID

from contracts.events.consent import ConsentCause, ReviewStatus
from contracts.personal import Personal
from readmodels.views.words import ActivityState, View


class OptOutView(View):
    """A mobile number that may not be texted."""

    consent_id: UUID
    number: Personal[str]
    from_number: str
    """The sending number that it is about; empty: all of the organisation's."""
    cause: ConsentCause
    word: str
    by: str
    changed_at: datetime


class ReviewView(View):
    """A member's free text that may be a wish to be left alone."""

    review_id: UUID
    number: Personal[str]
    from_number: str
    text: Personal[str]
    received_at: datetime
    status: ReviewStatus
    by: str


class ActivityView(View):
    """One effect in iMIS."""

    message_id: UUID
    row: int
    imis_id: str
    kind: str
    """`TEXTMSG`, `TEXTUNSUB` or `LOG`."""
    state: ActivityState
    seqn: str | None
    reason: str | None
    """Why iMIS refused it, or why nobody can tell."""
    at: datetime


class HeldActivities(View):
    """Nothing is written to the organisation's iMIS until there are newer settings than these."""

    settings_sequence: int
    reason: str
    since: datetime
