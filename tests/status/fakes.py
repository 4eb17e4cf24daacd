"""The status service's ports, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from status.domain.message import Message, Refusal
from status.domain.run import Run, Tally
from status.ports import CallbackEnvelope


@dataclass
class FakeMessages:
    kept: dict[UUID, Message] = field(default_factory=dict)
    parked: dict[UUID, CallbackEnvelope] = field(default_factory=dict)

    async def hold(self, message_ids: Collection[UUID]) -> dict[UUID, Message]:
        return {each: self.kept[each] for each in message_ids if each in self.kept}

    async def keep(self, messages: Mapping[UUID, Message]) -> None:
        self.kept.update(messages)

    async def named_by(self, sids: Collection[str]) -> dict[str, UUID]:
        return {
            known.sid: key for key, known in self.kept.items() if known.sid in sids and known.sid
        }

    async def park(self, callbacks: Sequence[CallbackEnvelope]) -> None:
        for each in callbacks:
            self.parked.setdefault(each.id, each)

    async def unpark(self, sids: Collection[str]) -> list[CallbackEnvelope]:
        found = [each for each in self.parked.values() if each.event.message_sid in sids]
        for each in found:
            del self.parked[each.id]
        return found


@dataclass
class FakeRuns:
    counted: set[tuple[UUID, int]] = field(default_factory=set)
    kept: dict[UUID, Run] = field(default_factory=dict)

    async def count_once(self, facts: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        new = set(facts) - self.counted
        self.counted |= new
        return new

    async def add(self, tallies: Mapping[UUID, Tally]) -> list[Run]:
        for run_id, tally in tallies.items():
            known = self.kept.get(run_id) or Run(run_id, tally.organization_id, tally.campaign_id)
            self.kept[run_id] = replace(
                known,
                pages=known.pages + tally.pages,
                recipients=known.recipients + tally.recipients,
                rejected=known.rejected + tally.rejected,
                excluded=known.excluded + tally.excluded,
                settled=known.settled + tally.settled,
                totals=known.totals or tally.totals,
                failure=known.failure or tally.failure,
            )
        return [self.kept[run_id] for run_id in tallies]

    async def keep(self, runs: Sequence[Run]) -> None:
        self.kept |= {run.run_id: run for run in runs}


@dataclass
class FakeOutbox:
    left: list[Envelope[Event]] = field(default_factory=list)

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        self.left += [seal(event, because=because) for event in events]

    @property
    def events(self) -> list[Event]:
        return [each.event for each in self.left]


@dataclass
class FakeWatch:
    refusals: list[tuple[Refusal, UUID]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    contradictions: list[UUID] = field(default_factory=list)

    def refused(self, refusal: Refusal, *, message_id: UUID) -> None:
        self.refusals.append((refusal, message_id))

    def unmapped(self, status: str) -> None:
        self.statuses.append(status)

    def does_not_add_up(self, run_id: UUID) -> None:
        self.contradictions.append(run_id)
