"""Texts that a person should read, because they may be a wish to be left alone (TM-20)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from consent.domain.pairs import Pair
from contracts.events.consent import ReviewChanged, ReviewStatus


@dataclass(frozen=True, slots=True)
class Review:
    """A text, and what a person said of it."""

    pair: Pair
    text_id: UUID
    message_sid: str
    text: str
    at: datetime
    status: ReviewStatus = ReviewStatus.OPEN
    by: str = ""
    sequence: int = 1


def decided(review: Review, status: ReviewStatus, *, by: str) -> Review | None:
    """Return the text as it was decided; None when it was decided before."""
    if review.status is not ReviewStatus.OPEN or status is ReviewStatus.OPEN:
        return None
    return replace(review, status=status, by=by, sequence=review.sequence + 1)


def told_of(review: Review, *, at: datetime) -> ReviewChanged:
    """Return the event that says how the text stands."""
    return ReviewChanged(
        organization_id=review.pair.organization_id,
        occurred_at=at,
        sequence=review.sequence,
        review_id=review.text_id,
        number=review.pair.number,
        from_number=review.pair.from_number,
        text=review.text,
        received_at=review.at,
        status=review.status,
        by=review.by,
    )
