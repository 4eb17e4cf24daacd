"""Opting out and in by staff, and texts that a person has to read (TM-20)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from contracts.events.consent import Consent, ConsentDecided, ReviewDecided, ReviewStatus
from contracts.events.organization import OrganizationSettings
from contracts.ids import event_id
from gateway.domain.imports import own_number
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Fault, InConflict, NotThere, Unacceptable
from gateway.handlers.organizations import settings_of
from gateway.ports import Clock, Desk, ReadModels, Work
from readmodels.views import ReviewView
from texting.phones import InvalidPhone, normalise


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """What staff want for a number, as they typed it."""

    number: str
    from_number: str
    consent: Consent
    note: str


async def decide(
    wish: Wish,
    *,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    keep: Callable[[Work, ConsentDecided], Awaitable[None]],
) -> ConsentDecided:
    """Opt a number out, or in again; the senders know it within a moment."""
    async with desk.work() as work:
        settings = await settings_of(staff.organization_id, reading=work)
        decided = ConsentDecided(
            organization_id=staff.organization_id,
            occurred_at=clock(),
            sequence=1,
            decision_id=event_id(),
            number=_number(wish.number, settings),
            from_number=_own(wish.from_number, settings),
            consent=wish.consent,
            by=staff.user,
            note=wish.note,
        )
        work.outbox.publish(decided)
        await keep(work, decided)
    return decided


async def decide_review(
    review_id: UUID,
    status: ReviewStatus,
    *,
    staff: StaffSession,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
    keep: Callable[[Work, ReviewView], Awaitable[None]],
) -> ReviewView:
    """Say what a member's text meant; each is decided once."""
    review = await models.review(staff.organization_id, review_id)
    if review is None:
        raise NotThere("There is no such text.")
    if review.status is not ReviewStatus.OPEN and review.status is not status:
        raise InConflict(f"It was decided already: {review.status}, by {review.by or 'nobody'}.")
    async with desk.work() as work:
        if review.status is ReviewStatus.OPEN:
            work.outbox.publish(
                ReviewDecided(
                    organization_id=staff.organization_id,
                    occurred_at=clock(),
                    sequence=1,
                    review_id=review_id,
                    status=status,
                    by=staff.user,
                )
            )
        await keep(work, review)
    return review


def _number(typed: str, settings: OrganizationSettings) -> str:
    number = normalise(typed, default_country=settings.default_country)
    if isinstance(number, InvalidPhone):
        detail = f"This can't be a phone number: {number.in_words}."
        raise Unacceptable([Fault("number", detail)])
    return number.e164


def _own(typed: str, settings: OrganizationSettings) -> str:
    try:
        return own_number(typed, settings)
    except ValueError as error:
        known = ", ".join(each.number for each in settings.numbers) or "none"
        detail = f"This is none of your sending numbers; they are: {known}."
        raise Unacceptable([Fault("from_number", detail)]) from error
