"""What the projections make of the events of a batch: one look, one write, whatever the types."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent
from projections.domain.facts import RUN_EVENTS, campaign_fact, run_fact
from projections.domain.figures import NOTHING, Figures, Standing, standing
from projections.domain.row import ROW_EVENTS, Rows, messages_of
from projections.ports import Owner, ReadModels


async def project(events: Sequence[Envelope[Any]], *, models: ReadModels) -> None:
    """Show what a batch of events of any types says."""
    facts = [each.event for each in events]
    campaigns = [campaign_fact(each) for each in facts if isinstance(each, CampaignEvent)]
    if campaigns:
        await models.keep_campaigns(campaigns)
    runs = [run_fact(each) for each in facts if type(each) in RUN_EVENTS]
    if runs:
        await models.keep_runs(runs)
    await _project_rows([each for each in facts if type(each) in ROW_EVENTS], models=models)
    await models.mend([each.id for each in events])


async def _project_rows(facts: Sequence[Any], *, models: ReadModels) -> None:
    """Fold facts into their rows, and what became of the rows into the figures."""
    about: dict[UUID, Owner] = {
        message_id: (fact.organization_id, fact.run_id, fact.campaign_id)
        for fact in facts
        for message_id in messages_of(fact)
    }
    if not about:
        return
    rows = Rows()
    rows.by_message = await models.hold(about)
    before = {message_id: standing(row) for message_id, row in rows.by_message.items()}
    for fact in facts:
        rows.take(fact)
    changed = [row for row in rows.by_message.values() if row.changed]
    moves: Counter[tuple[UUID, UUID, UUID, Standing, Standing]] = Counter()
    for row in changed:
        was, now = before.get(row.message_id, NOTHING), standing(row)
        if was != now:
            moves[row.organization_id, row.run_id, row.campaign_id, was, now] += 1
    await models.keep(changed)
    await models.add(Figures.of(moves))
