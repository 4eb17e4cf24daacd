"""The projections' port, in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from uuid import UUID

from projections.adapters.rows import DESCRIBED
from projections.domain.facts import CampaignFact, RunFact
from projections.domain.figures import Figures
from projections.domain.row import Row
from projections.ports import Owner


@dataclass
class FakeReadModels:
    rows: dict[UUID, Row] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    campaigns: dict[UUID, CampaignFact] = field(default_factory=dict)
    runs: dict[UUID, RunFact] = field(default_factory=dict)
    gaps: set[UUID] = field(default_factory=set)

    async def hold(self, about: Mapping[UUID, Owner]) -> dict[UUID, Row]:
        held = {key: copy(self.rows[key]) for key in about if key in self.rows}
        for row in held.values():
            for name in DESCRIBED:
                setattr(row, name, None)
        return held

    async def keep(self, rows: Sequence[Row]) -> None:
        for each in rows:
            row = copy(each)
            row.changed = False
            if (known := self.rows.get(row.message_id)) is not None:
                for name in DESCRIBED:
                    if getattr(known, name) is not None:
                        setattr(row, name, getattr(known, name))
            self.rows[row.message_id] = row

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
            alarm = fact if fact.alarm_sequence > known.alarm_sequence else known
            self.runs[fact.run_id] = replace(
                known,
                state=newer.state,
                state_sequence=newer.state_sequence,
                alarm=alarm.alarm,
                alarm_detail=alarm.alarm_detail,
                alarm_sequence=alarm.alarm_sequence,
                name=known.name or fact.name,
                occurrence=known.occurrence or fact.occurrence,
                mode=known.mode or fact.mode,
                from_number=known.from_number or fact.from_number,
                due_at=known.due_at or fact.due_at,
                failure=known.failure or fact.failure,
                rows=fact.rows if known.rows is None else known.rows,
                started_at=known.started_at or fact.started_at,
                completed_at=known.completed_at or fact.completed_at,
                earlier_run_id=known.earlier_run_id or fact.earlier_run_id,
            )

    async def mend(self, events: Sequence[UUID]) -> None:
        self.gaps -= set(events)
