"""Texts that a person should read, in SQL, within one transaction."""

from collections.abc import Collection, Sequence

from sqlalchemy import select, tuple_, update

from chassis.store import Transaction
from consent.adapters.tables import REVIEWS
from consent.domain.pairs import Pair
from consent.domain.reviews import Review
from consent.ports import Fact
from contracts.events.consent import ReviewStatus

_KEY = tuple_(REVIEWS.c.organization_id, REVIEWS.c.text_id)


class SqlReviews:
    """Texts, each with what a person said of it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, reviews: Sequence[Review]) -> list[Review]:
        """Keep each text once; returns those that were not known."""
        wanted = {(each.pair.organization_id, each.text_id): each for each in reviews}
        if not wanted:
            return []
        query = select(REVIEWS.c.organization_id, REVIEWS.c.text_id).where(_KEY.in_(list(wanted)))
        known = {tuple(row) for row in await self._transaction.execute(query)}
        new = [each for key, each in sorted(wanted.items()) if key not in known]
        await self._transaction.insert_new(
            REVIEWS,
            [
                {
                    "organization_id": each.pair.organization_id,
                    "text_id": each.text_id,
                    "consent_id": each.pair.consent_id,
                    "number": each.pair.number,
                    "from_number": each.pair.from_number,
                    "message_sid": each.message_sid,
                    "text": each.text,
                    "at": each.at,
                    "status": each.status,
                    "by": each.by,
                    "sequence": each.sequence,
                }
                for each in new
            ],
        )
        return new

    async def hold_open(self, texts: Collection[Fact]) -> list[Review]:
        """Return which of these nobody decided, held for this transaction."""
        query = (
            select(REVIEWS)
            .where(_KEY.in_(list(texts)), REVIEWS.c.status == ReviewStatus.OPEN)
            .order_by(REVIEWS.c.organization_id, REVIEWS.c.text_id)
            .with_for_update()
        )
        return [
            Review(
                Pair(row.consent_id, row.organization_id, row.number, row.from_number),
                row.text_id,
                row.message_sid,
                row.text,
                row.at,
                ReviewStatus(row.status),
                row.by,
                row.sequence,
            )
            for row in await self._transaction.execute(query)
        ]

    async def keep(self, review: Review) -> None:
        """Keep what was decided."""
        await self._transaction.execute(
            update(REVIEWS)
            .where(
                REVIEWS.c.organization_id == review.pair.organization_id,
                REVIEWS.c.text_id == review.text_id,
            )
            .values(status=review.status, by=review.by, sequence=review.sequence)
        )
