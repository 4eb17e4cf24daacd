"""The projections' port, in memory."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from projections.domain import Figures, Row, RowFact
from projections.ports import Activity, CampaignFact, Doubt, RunFact


@dataclass
class FakeReadModels:
    rows: dict[UUID, Row] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    campaigns: dict[UUID, CampaignFact] = field(default_factory=dict)
    runs: dict[UUID, RunFact] = field(default_factory=dict)
    doubts: dict[UUID, Doubt] = field(default_factory=dict)
    activities: dict[UUID, Activity] = field(default_factory=dict)

    async def hold(self, facts: Sequence[RowFact]) -> dict[UUID, Row]:
        return {
            fact.message_id: self.rows[fact.message_id]
            for fact in facts
            if fact.message_id in self.rows
        }

    async def keep(self, rows: Collection[tuple[RowFact, Row]]) -> None:
        self.rows |= {fact.message_id: row for fact, row in rows}

    async def add(self, figures: Figures) -> None:
        self.figures.owners |= figures.owners
        for name in ("messages", "segments", "days", "runs"):
            kept: Counter[object] = getattr(self.figures, name)
            kept.update(getattr(figures, name))

    async def keep_campaigns(self, facts: Sequence[CampaignFact]) -> None:
        for fact in facts:
            known = self.campaigns.get(fact.campaign_id)
            if known is None or known.sequence < fact.sequence:
                self.campaigns[fact.campaign_id] = fact

    async def keep_runs(self, facts: Sequence[RunFact]) -> None:
        for fact in facts:
            known = self.runs.setdefault(fact.run_id, fact)
            newer = fact if fact.state_sequence > known.state_sequence else known
            self.runs[fact.run_id] = replace(
                known,
                state=newer.state,
                state_sequence=newer.state_sequence,
                name=known.name or fact.name,
                occurrence=known.occurrence or fact.occurrence,
                mode=known.mode or fact.mode,
                from_number=known.from_number or fact.from_number,
                due_at=known.due_at or fact.due_at,
                failure=known.failure or fact.failure,
                rows=fact.rows if known.rows is None else known.rows,
                started_at=known.started_at or fact.started_at,
                completed_at=known.completed_at or fact.completed_at,
            )

    async def keep_doubts(self, facts: Sequence[Doubt]) -> None:
        for fact in facts:
            known = self.doubts.get(fact.message_id)
            if known is None or known.doubt_sequence < fact.doubt_sequence:
                self.doubts[fact.message_id] = fact

    async def keep_activities(self, facts: Sequence[Activity]) -> None:
        for fact in facts:
            known = self.activities.get(fact.message_id)
            if known is None or known.activity_sequence < fact.activity_sequence:
                self.activities[fact.message_id] = fact
