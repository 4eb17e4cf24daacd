"""The projections' port, in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from projections.adapters.rows import DESCRIBED
from projections.domain.facts import RunFact
from projections.domain.figures import Figures, Sum
from projections.domain.row import Row
from projections.domain.states import Kind, State
from projections.ports import Owner

SUMS = ("counts", "errors", "hours", "charges")


@dataclass
class FakeReadModels:
    rows: dict[UUID, Row] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    states: dict[tuple[Kind, tuple[Any, ...]], State] = field(default_factory=dict)
    runs: dict[UUID, RunFact] = field(default_factory=dict)
    gaps: set[UUID] = field(default_factory=set)
    changes: Counter[UUID] = field(default_factory=Counter)

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
        self.figures.runs.update(figures.runs)
        for name in SUMS:
            kept: dict[Any, Sum] = getattr(self.figures, name)
            for key, (messages, segments) in getattr(figures, name).items():
                known = kept.get(key, Sum(0, 0))
                kept[key] = Sum(known.messages + messages, known.segments + segments)

    async def keep_states(self, states: Sequence[State]) -> None:
        for each in states:
            known = self.states.get((each.kind, each.key))
            if known is None or known.sequence < each.sequence:
                self.states[each.kind, each.key] = each

    async def keep_runs(self, facts: Sequence[RunFact]) -> None:
        for fact in facts:
            known = self.runs.setdefault(fact.run_id, fact)
            newer = fact if fact.state_sequence > known.state_sequence else known
            alarm = fact if fact.alarm_sequence > known.alarm_sequence else known
            waiting = fact if fact.waiting_sequence > known.waiting_sequence else known
            self.runs[fact.run_id] = replace(
                known,
                state=newer.state,
                state_sequence=newer.state_sequence,
                alarm=alarm.alarm,
                alarm_detail=alarm.alarm_detail,
                alarm_code=alarm.alarm_code,
                alarm_advice=alarm.alarm_advice,
                waiting=waiting.waiting,
                waiting_sequence=waiting.waiting_sequence,
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

    async def mark(self, organizations: Collection[UUID]) -> None:
        self.changes.update(organizations)

    async def mend(self, events: Sequence[UUID]) -> None:
        self.gaps -= set(events)
