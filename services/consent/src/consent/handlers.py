"""What the consent service does with what members and Twilio say."""

from collections.abc import Sequence
from uuid import UUID

from consent.domain.pairs import (
    Decision,
    advance,
    is_opt_out_refusal,
    merged,
    newest,
    said_at,
    steps,
)
from consent.domain.texts import Heard, Review, Unplaced, hear, pair_of, pairs_concerned
from consent.domain.words import Asks
from consent.ports import Aside, Ledger, Names, Organizations, Outbox, Reviews, Telling, Watch
from contracts.envelope import Envelope
from contracts.events.consent import Consent, ConsentCause
from contracts.events.message import MessageStatusChanged
from contracts.events.provider import TwilioMessageReceived

_CONSENT = {Asks.STOP: Consent.OPTED_OUT, Asks.START: Consent.OPTED_IN}


async def take_texts(
    texts: Sequence[Envelope[TwilioMessageReceived]],
    *,
    organizations: Organizations,
    names: Names,
    ledger: Ledger,
    reviews: Reviews,
    aside: Aside,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Let the words that members sent count, as of when they sent them."""
    known = await organizations.of({each.event.organization_id for each in texts})
    doubted: dict[UUID, tuple[Telling, int]] = {}
    decided: list[tuple[Decision, UUID]] = []
    to_read: list[Review] = []
    for each in texts:
        event, organization = each.event, each.event.organization_id
        told = known.get(organization)
        heard = hear(event, None if told is None else told.settings)
        if told is None or isinstance(heard, Unplaced):
            reason = heard if isinstance(heard, Unplaced) else Unplaced.NO_SETTINGS
            watch.unplaced(reason, organization_id=organization)
            doubted[each.id] = each, 0 if told is None else told.sequence
            continue
        if heard is None:
            watch.malformed(organization_id=organization)
            continue
        watch.heard(heard.wish.asks)
        if (consent := _CONSENT.get(heard.wish.asks)) is not None:
            pairs = pairs_concerned(
                consent,
                told.settings,
                organization,
                number=heard.number,
                from_number=heard.from_number,
                name=names.of,
            )
            decided += [
                (
                    Decision(
                        pair,
                        event.derived_id,
                        said_at(event, consent),
                        consent,
                        ConsentCause.KEYWORD,
                        word=heard.wish.word,
                        by=event.message_sid,
                    ),
                    each.id,
                )
                for pair in pairs
            ]
        elif heard.wish.asks is Asks.PERHAPS_STOP:
            to_read.append(_review(event, heard, names))
    await aside.put(doubted)
    await _add_reviews(to_read, ledger=ledger, reviews=reviews)
    await _settle(decided, ledger=ledger, outbox=outbox)


async def take_refusals(
    changes: Sequence[Envelope[MessageStatusChanged]],
    *,
    organizations: Organizations,
    names: Names,
    ledger: Ledger,
    aside: Aside,
    outbox: Outbox,
    watch: Watch,
) -> None:
    """Let Twilio's word that somebody opted out there count, as of the attempt that it refused."""
    refusals = [each for each in changes if is_opt_out_refusal(each.event)]
    if not refusals:
        return
    known = await organizations.of({each.event.organization_id for each in refusals})
    doubted: dict[UUID, tuple[Telling, int]] = {}
    decided: list[tuple[Decision, UUID]] = []
    for each in refusals:
        event, told = each.event, known.get(each.event.organization_id)
        if told is None:
            watch.unplaced(Unplaced.NO_SETTINGS, organization_id=event.organization_id)
            doubted[each.id] = each, 0
            continue
        pairs = pairs_concerned(
            Consent.OPTED_OUT,
            told.settings,
            event.organization_id,
            number=event.to or "",
            from_number=event.from_number,
            name=names.of,
        )
        decided += [
            (
                Decision(
                    pair,
                    event.message_id,
                    event.attempted_at or event.occurred_at,
                    Consent.OPTED_OUT,
                    ConsentCause.PROVIDER,
                    by=str(event.message_id),
                ),
                each.id,
            )
            for pair in pairs
        ]
    await aside.put(doubted)
    await _settle(decided, ledger=ledger, outbox=outbox)


def _review(event: TwilioMessageReceived, heard: Heard, names: Names) -> Review:
    pair = pair_of(
        event.organization_id,
        number=heard.number,
        from_number=heard.from_number,
        name=names.of,
    )
    # No database keeps a NUL in a text, and one of them must not cost us the wish.
    said = event.form.get("Body", "").replace("\x00", "")
    return Review(pair, event.derived_id, event.message_sid, said, event.occurred_at)


async def _add_reviews(to_read: Sequence[Review], *, ledger: Ledger, reviews: Reviews) -> None:
    """Let a person read texts, but not those that were understood when they were told before."""
    if to_read:
        facts = {(each.pair.organization_id, each.text_id) for each in to_read}
        known = await ledger.scopes(facts)
        await reviews.add(
            [each for each in to_read if (each.pair.organization_id, each.text_id) not in known]
        )


async def _settle(
    decided: Sequence[tuple[Decision, UUID]], *, ledger: Ledger, outbox: Outbox
) -> None:
    """Add decisions to the histories of their pairs, and tell which pairs stand otherwise now."""
    if not decided:
        return
    standings = await ledger.hold({each.pair for each, _ in decided})
    scopes = await ledger.scopes({(each.pair.organization_id, each.fact_id) for each, _ in decided})
    new: dict[tuple[UUID, UUID], Decision] = {}
    causes: dict[tuple[UUID, UUID], UUID] = {}
    refused: dict[UUID, Decision] = {}
    for decision, event_id in decided:
        pair, fact = decision.pair, decision.fact_id
        scope = scopes.get((pair.organization_id, fact))
        # A fact that comes again is about what it was about the first time: a setting that was
        # changed since gives an old STOP no new meaning.
        if scope is None or pair.consent_id in scope:
            key = fact, pair.consent_id
            new[key] = merged(new.get(key), decision)
            causes.setdefault(key, event_id)
        if scope is None and decision.cause is ConsentCause.PROVIDER:
            refused[pair.consent_id] = newest([decision, refused.get(pair.consent_id, decision)])
    cause_of_pair = {consent_id: causes[fact, consent_id] for fact, consent_id in new}
    moved = []
    for consent_id, counts in (await ledger.record(list(new.values()))).items():
        before = after = standings[consent_id]
        for decision in steps(counts, refused.get(consent_id)):
            after, changed = advance(after, decision)
            if changed is not None:
                because = causes.get((decision.fact_id, consent_id), cause_of_pair[consent_id])
                outbox.publish(changed, because=because)
        if after is not before:
            moved.append(after)
    await ledger.keep(moved)
