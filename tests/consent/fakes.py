"""The consent service's ports in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from consent.domain.pairs import Decision, Pair, Standing, merged, newest
from consent.domain.reviews import Review
from consent.domain.texts import Unplaced
from consent.domain.words import Asks
from consent.ports import Fact, Telling
from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from contracts.events.consent import ReviewStatus
from contracts.events.organization import OrganizationSettingsChanged


@dataclass
class FakeOrganizations:
    known: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)

    async def of(self, ids: Collection[UUID]) -> Mapping[UUID, OrganizationSettingsChanged]:
        return {each: self.known[each] for each in ids if each in self.known}


@dataclass
class FakeLedger:
    standings: dict[UUID, Standing] = field(default_factory=dict)
    decisions: dict[tuple[UUID, UUID], Decision] = field(default_factory=dict)

    async def hold(self, pairs: Collection[Pair]) -> dict[UUID, Standing]:
        for pair in pairs:
            self.standings.setdefault(pair.consent_id, Standing(pair))
        return {pair.consent_id: self.standings[pair.consent_id] for pair in pairs}

    async def scopes(self, facts: Collection[Fact]) -> dict[Fact, set[UUID]]:
        found: dict[Fact, set[UUID]] = {}
        for each in self.decisions.values():
            fact = each.pair.organization_id, each.fact_id
            if fact in facts:
                found.setdefault(fact, set()).add(each.pair.consent_id)
        return found

    async def record(self, decisions: Sequence[Decision]) -> dict[UUID, Decision]:
        for each in decisions:
            key = each.pair.consent_id, each.fact_id
            self.decisions[key] = merged(self.decisions.get(key), each)
        return {
            pair: newest(each for (of, _), each in self.decisions.items() if of == pair)
            for pair in {each.pair.consent_id for each in decisions}
        }

    async def keep(self, standings: Sequence[Standing]) -> None:
        self.standings |= {each.pair.consent_id: each for each in standings}


@dataclass
class FakeReviews:
    kept: dict[tuple[UUID, UUID], Review] = field(default_factory=dict)

    async def add(self, reviews: Sequence[Review]) -> list[Review]:
        wanted = {(each.pair.organization_id, each.text_id): each for each in reviews}
        new = {key: each for key, each in wanted.items() if key not in self.kept}
        self.kept |= new
        return list(new.values())

    async def hold_open(self, texts: Collection[Fact]) -> list[Review]:
        found = [self.kept[key] for key in sorted(texts) if key in self.kept]
        return [each for each in found if each.status is ReviewStatus.OPEN]

    async def keep(self, review: Review) -> None:
        self.kept[review.pair.organization_id, review.text_id] = review


@dataclass
class FakeAside:
    organizations: FakeOrganizations
    kept: dict[tuple[UUID, UUID], tuple[Telling, int]] = field(default_factory=dict)

    async def put(self, tellings: Mapping[UUID, tuple[Telling, int]]) -> None:
        for event_id, (telling, judged_by) in tellings.items():
            key = event_id, telling.event.organization_id
            self.kept.setdefault(key, (telling, judged_by))

    async def take(self, *, limit: int) -> list[Telling]:
        ready = [
            key
            for key, (_, judged_by) in sorted(self.kept.items())
            if key[1] in self.organizations.known
            and self.organizations.known[key[1]].sequence > judged_by
        ]
        return [self.kept.pop(key)[0] for key in ready[:limit]]


@dataclass
class FakeOutbox:
    left: list[Envelope[Event]] = field(default_factory=list)

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        self.left += [seal(event, because=because) for event in events]


@dataclass
class FakeWatch:
    reasons: list[Unplaced] = field(default_factory=list)
    malformed_texts: int = 0
    asked: list[Asks] = field(default_factory=list)

    def unplaced(self, reason: Unplaced, *, organization_id: UUID) -> None:
        self.reasons.append(reason)

    def malformed(self, *, organization_id: UUID) -> None:
        self.malformed_texts += 1

    def heard(self, asks: Asks) -> None:
        self.asked.append(asks)
