"""What the projections make of the events of a batch: one look, one write, whatever the types."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from projections.domain.facts import RUN_EVENTS, run_fact
from projections.domain.figures import NOTHING, Figures, Standing, standing
from projections.domain.row import ROW_EVENTS, Rows, messages_of
from projections.domain.states import STATE_EVENTS, state_of
from projections.ports import Owner, ReadModels


async def project(events: Sequence[Envelope[Any]], *, models: ReadModels) -> None:
    """Show what a batch of events of any types says."""
    facts = [each.event for each in events]
    states = [state_of(each) for each in facts if type(each) in STATE_EVENTS]
    if states:
        await models.keep_states(states)
    await _project_rows([each for each in facts if type(each) in ROW_EVENTS], models=models)
    # After the rows, whose figures are added to the runs too: everybody holds runs last.
    runs = [run_fact(each) for each in facts if type(each) in RUN_EVENTS]
    if runs:
        await models.keep_runs(runs)
    await models.mend([each.id for each in events])
    # By number: ids hash slowly, and a batch has thousands of few.
    owners = {each.organization_id.int: each.organization_id for each in facts}
    await models.mark(owners.values())


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
