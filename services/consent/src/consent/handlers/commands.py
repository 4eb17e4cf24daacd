"""What staff decide: it counts beside what members say, by its time."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from consent.domain.pairs import Decision, Pair
from consent.domain.reviews import Review, decided, told_of
from consent.domain.texts import pair_of, pairs_concerned, pairs_of_staff
from consent.handlers.settling import settle
from consent.ports import Ledger, Names, Organizations, Outbox, Reviews
from contracts.envelope import Envelope
from contracts.events.consent import (
    Consent,
    ConsentCause,
    ConsentDecided,
    OptOutsImported,
    ReviewDecided,
    ReviewStatus,
)
from contracts.events.organization import OrganizationSettings


async def follow_staff(
    commands: Sequence[Envelope[ConsentDecided]],
    *,
    organizations: Organizations,
    names: Names,
    ledger: Ledger,
    outbox: Outbox,
) -> None:
    """Opt numbers out, or in again, as staff say.

    Who is opted in for all of the organisation is in for each of its numbers. Twilio may still
    refuse to text them: then they are out again at once.
    """
    known = await organizations.of({each.event.organization_id for each in commands})
    decisions = []
    for each in commands:
        event, told = each.event, known.get(each.event.organization_id)
        for pair in pairs_of_staff(event, None if told is None else told.settings, names.of):
            decision = Decision(
                pair,
                event.decision_id,
                event.occurred_at,
                event.consent,
                ConsentCause.STAFF,
                by=event.by,
            )
            decisions.append((decision, each.id))
    await settle(decisions, ledger=ledger, outbox=outbox)


async def import_opt_outs(
    parts: Sequence[Envelope[OptOutsImported]],
    *,
    names: Names,
    ledger: Ledger,
    outbox: Outbox,
) -> None:
    """Take over what an older system knew; an import never opts anybody in."""
    decisions = [
        (
            Decision(
                pair_of(
                    part.event.organization_id,
                    number=entry.number,
                    from_number=entry.from_number,
                    name=names.of,
                ),
                # By its place in the list: no number goes into an id.
                uuid5(part.event.import_id, f"{part.event.part}:{place}"),
                entry.since or part.event.occurred_at,
                Consent.OPTED_OUT,
                ConsentCause.IMPORT,
                by=part.event.by,
            ),
            part.id,
        )
        for part in parts
        for place, entry in enumerate(part.event.entries)
    ]
    await settle(decisions, ledger=ledger, outbox=outbox)


async def decide_reviews(
    commands: Sequence[Envelope[ReviewDecided]],
    *,
    organizations: Organizations,
    names: Names,
    ledger: Ledger,
    reviews: Reviews,
    outbox: Outbox,
) -> None:
    """Let what a person read count as of when the member wrote it; each text is decided once."""
    wanted = {(each.event.organization_id, each.event.review_id): each for each in commands}
    known = await organizations.of({each.event.organization_id for each in commands})
    decisions: list[tuple[Decision, UUID]] = []
    for review in await reviews.hold_open(wanted):
        command = wanted[review.pair.organization_id, review.text_id]
        after = decided(review, command.event.status, by=command.event.by)
        if after is None:
            continue
        await reviews.keep(after)
        outbox.publish(told_of(after, at=command.event.occurred_at), because=command.id)
        if after.status is ReviewStatus.OPTED_OUT:
            told = known.get(review.pair.organization_id)
            decisions += [
                (
                    Decision(
                        pair,
                        review.text_id,
                        review.at,
                        Consent.OPTED_OUT,
                        ConsentCause.STAFF,
                        by=after.by,
                    ),
                    command.id,
                )
                for pair in _pairs_of(review, None if told is None else told.settings, names)
            ]
    await settle(decisions, ledger=ledger, outbox=outbox)


def _pairs_of(review: Review, settings: OrganizationSettings | None, names: Names) -> list[Pair]:
    """Return what the wish is about: as if the member had texted STOP."""
    if settings is None:
        return [review.pair]
    return pairs_concerned(
        Consent.OPTED_OUT,
        settings,
        review.pair.organization_id,
        number=review.pair.number,
        from_number=review.pair.from_number,
        name=names.of,
    )
