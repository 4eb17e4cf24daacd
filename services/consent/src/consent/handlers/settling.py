"""Decisions enter the histories of their pairs; what a pair adds up to is told when it changes."""

from collections.abc import Sequence
from uuid import UUID

from consent.domain.pairs import Decision, advance, merged, newest, steps
from consent.ports import Ledger, Outbox
from contracts.events.consent import ConsentCause


async def settle(
    decided: Sequence[tuple[Decision, UUID]], *, ledger: Ledger, outbox: Outbox
) -> list[tuple[Decision, UUID]]:
    """Add decisions to the histories of their pairs, and tell which pairs stand otherwise now.

    Returns the decisions that changed something, each with the event that told it.
    """
    if not decided:
        return []
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
    effective: list[tuple[Decision, UUID]] = []
    for consent_id, counts in (await ledger.record(list(new.values()))).items():
        before = after = standings[consent_id]
        for decision in steps(counts, refused.get(consent_id)):
            after, changed = advance(after, decision)
            if changed is not None:
                because = causes.get((decision.fact_id, consent_id), cause_of_pair[consent_id])
                outbox.publish(changed, because=because)
                effective.append((decision, because))
        if after is not before:
            moved.append(after)
    await ledger.keep(moved)
    return effective
