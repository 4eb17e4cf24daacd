"""What members and Twilio say: it counts as of when they said it."""

from collections.abc import Sequence
from uuid import UUID

from consent.domain.pairs import Decision, is_opt_out_refusal, said_at
from consent.domain.replies import answered_by_us, reply_to
from consent.domain.reviews import Review, told_of
from consent.domain.texts import Heard, Unplaced, hear, pair_of, pairs_concerned
from consent.domain.words import Asks
from consent.handlers.settling import settle
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
    to_read: list[tuple[Review, UUID]] = []
    ours_to_answer: dict[UUID, TwilioMessageReceived] = {}
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
            if answered_by_us(event, told.settings, from_number=heard.from_number):
                ours_to_answer[event.derived_id] = event
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
            to_read.append((_review(event, heard, names), each.id))
    await aside.put(doubted)
    await _add_reviews(to_read, ledger=ledger, reviews=reviews, outbox=outbox)
    # Who says what was known already gets no answer: two machines would talk for ever.
    for decision, event_id in await settle(decided, ledger=ledger, outbox=outbox):
        if (text := ours_to_answer.pop(decision.fact_id, None)) is not None:
            outbox.publish(reply_to(text, decision), because=event_id)


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
    await settle(decided, ledger=ledger, outbox=outbox)


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


async def _add_reviews(
    to_read: Sequence[tuple[Review, UUID]], *, ledger: Ledger, reviews: Reviews, outbox: Outbox
) -> None:
    """Let a person read texts, but not those that were understood when they were told before."""
    if not to_read:
        return
    facts = {(each.pair.organization_id, each.text_id) for each, _ in to_read}
    known = await ledger.scopes(facts)
    because = {each.text_id: event_id for each, event_id in to_read}
    new = await reviews.add(
        [each for each, _ in to_read if (each.pair.organization_id, each.text_id) not in known]
    )
    for each in new:
        outbox.publish(told_of(each, at=each.at), because=because[each.text_id])
