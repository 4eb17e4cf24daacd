"""The status service's ports, in memory."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from tests.status.facts import PATIENCE

from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from contracts.events.run import RunAlarm
from status.domain.folding import Refusal
from status.domain.looking import Answer, first_look, news, next_look
from status.domain.message import Message, Queued
from status.domain.run import Run, Tally
from status.ports import AccountAway, AccountRefused, CallbackEnvelope, Crowd


@dataclass
class Look:
    """When a message is asked for next, how often it was, and what was told of it last."""

    at: datetime
    looks: int = 0
    told: str = ""


@dataclass
class FakeMessages:
    kept: dict[UUID, Message] = field(default_factory=dict)
    parked: dict[UUID, CallbackEnvelope] = field(default_factory=dict)
    looks: dict[UUID, Look] = field(default_factory=dict)

    async def hold(self, message_ids: Collection[UUID]) -> dict[UUID, Message]:
        return {each: self.kept[each] for each in message_ids if each in self.kept}

    async def keep(self, messages: Mapping[UUID, Message]) -> None:
        self.kept.update(messages)
        for message_id, known in messages.items():
            first = first_look(known, PATIENCE)
            if first is None:
                self.looks.pop(message_id, None)
            else:
                self.looks.setdefault(message_id, Look(first))

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
                heard=known.heard + tally.heard,
                excluded=known.excluded + tally.excluded,
                settled=known.settled + tally.settled,
                totals=known.totals or tally.totals,
                failure=known.failure or tally.failure,
            )
        return [self.kept[run_id] for run_id in tallies]

    async def keep(self, runs: Sequence[Run]) -> None:
        self.kept |= {run.run_id: run for run in runs}

    async def silent_since(self, before: datetime) -> list[Run]:
        return [
            run
            for run in self.kept.values()
            if run.waiting_since is not None and run.waiting_since <= before
        ]


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
    lost: list[UUID] = field(default_factory=list)
    alarms: list[tuple[UUID, RunAlarm]] = field(default_factory=list)
    refused_accounts: list[UUID] = field(default_factory=list)

    def refused(self, refusal: Refusal, *, message_id: UUID) -> None:
        self.refusals.append((refusal, message_id))

    def unmapped(self, status: str) -> None:
        self.statuses.append(status)

    def not_found(self, message_id: UUID) -> None:
        self.lost.append(message_id)

    def account_refused(self, organization_id: UUID) -> None:
        self.refused_accounts.append(organization_id)

    def alarmed(self, run_id: UUID, alarm: RunAlarm) -> None:
        self.alarms.append((run_id, alarm))


@dataclass
class Lease:
    process: UUID
    until: datetime
    not_before: datetime


@dataclass
class FakeLookouts:
    messages: FakeMessages
    outbox: FakeOutbox
    leases: dict[UUID, Lease] = field(default_factory=dict)
    process: UUID = field(default_factory=uuid4)

    def beside(self) -> "FakeLookouts":
        """The same, as another process sees it."""
        return FakeLookouts(self.messages, self.outbox, self.leases)

    def _due(self, organization_id: UUID, at: datetime) -> list[tuple[Look, UUID, Message]]:
        found = [
            (look, key, self.messages.kept[key])
            for key, look in self.messages.looks.items()
            if look.at <= at
        ]
        return sorted(
            [each for each in found if queued_of(each[2]).organization_id == organization_id],
            key=lambda each: each[0].at,
        )

    def _free(self, organization_id: UUID, at: datetime) -> bool:
        lease = self.leases.get(organization_id)
        return lease is None or (
            lease.not_before <= at and (lease.until <= at or lease.process == self.process)
        )

    async def due_organizations(self, *, at: datetime) -> list[UUID]:
        owners = {
            queued_of(self.messages.kept[key]).organization_id
            for key, look in self.messages.looks.items()
            if look.at <= at
        }
        return sorted(each for each in owners if self._free(each, at))

    async def lease(self, organization_id: UUID, *, at: datetime, until: datetime) -> bool:
        if not self._free(organization_id, at):
            return False
        known = self.leases.get(organization_id)
        not_before = at if known is None else known.not_before
        self.leases[organization_id] = Lease(self.process, until, not_before)
        return True

    async def rest(self, organization_id: UUID, *, until: datetime) -> None:
        if self.leases[organization_id].process == self.process:
            self.leases[organization_id] = Lease(self.process, until, until)

    async def crowd(self, organization_id: UUID, *, at: datetime, least: int) -> Crowd | None:
        by_number: dict[str, list[datetime]] = {}
        for _, _, known in self._due(organization_id, at):
            assert known.submission is not None
            sent = by_number.setdefault(queued_of(known).from_number, [])
            sent.append(known.submission.attempted_at)
        crowds = [Crowd(number, len(sent), min(sent)) for number, sent in by_number.items()]
        crowds.sort(key=lambda each: (-each.due, each.from_number))
        return crowds[0] if crowds and crowds[0].due >= least else None

    async def due(self, organization_id: UUID, *, at: datetime, limit: int) -> list[str]:
        sids = [known.sid for _, _, known in self._due(organization_id, at)]
        return [sid for sid in sids if sid is not None][:limit]

    async def take(
        self, organization_id: UUID, answers: Sequence[Answer], *, due: datetime, at: datetime
    ) -> int:
        by_sid = {each.sid: each for each in answers}
        taken = [each for each in self._due(organization_id, due) if each[2].sid in by_sid]
        for look, key, known in taken:
            answer = by_sid[known.sid or ""]
            look.looks += 1
            event = news(key, known, answer, looks=look.looks, at=at)
            if event is not None and look.told != answer.told:
                self.outbox.publish(event)
                look.told = answer.told
            assert known.submission is not None
            again = next_look(
                sent_at=known.submission.attempted_at, looks=look.looks, at=at, patience=PATIENCE
            )
            if again is None:
                del self.messages.looks[key]
            else:
                look.at = again
        return len(taken)

    async def put_off(self, organization_id: UUID, sids: Sequence[str], *, until: datetime) -> None:
        for look, _, known in self._due(organization_id, until):
            if known.sid in sids:
                look.at = until


def queued_of(message: Message) -> Queued:
    assert message.queued is not None
    return message.queued


@dataclass
class FakeAccount:
    """A Twilio account: what it knows, what it was asked, and what it will not answer."""

    texts: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    failing: dict[str, AccountAway] = field(default_factory=dict)
    page_size: int = 1000

    async def ask(self, sid: str) -> Answer:
        self.asked.append(sid)
        if (failure := self.failing.get(sid) or self.failing.get("")) is not None:
            raise failure
        return self.texts.get(sid, Answer(sid, "not_found"))

    async def sent_from(self, from_number: str, since: datetime) -> AsyncGenerator[list[Answer]]:
        del since
        known = list(self.texts.values())[::-1]
        for start in range(0, len(known), self.page_size):
            self.pages.append(from_number)
            if (failure := self.failing.get("") or self.failing.get("list")) is not None:
                raise failure
            yield known[start : start + self.page_size]


@dataclass
class FakeAccounts:
    account: FakeAccount
    missing: bool = False

    async def of(self, organization_id: UUID) -> FakeAccount:
        del organization_id
        if self.missing:
            raise AccountRefused("no settings of the organisation yet")
        return self.account
