"""The gateway's ports in memory."""

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent, CampaignStatus
from contracts.events.organization import ImisAccess, OrganizationSettingsChanged
from gateway.domain.campaign import present_run
from gateway.domain.records import Decision, Kept, Preview, StaffSession
from gateway.domain.views import Message, Progress, Run, Unknown, Usage
from imis_client import (
    Column,
    CredentialsRejected,
    Entry,
    Folder,
    ImisError,
    NotFound,
    Prompt,
    QueryDefinition,
    Token,
)
from readmodels.views import RowStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MEMBERS = "$/Common/Queries/Members"
PROMPTED = "$/Common/Queries/By city"
BARE = "$/Common/Queries/Bare"


class HandSetClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class FakeImis:
    """One site for every organisation: `staff` may sign in, `member` isn't staff."""

    def __init__(self, clock: HandSetClock | None = None) -> None:
        self._clock = clock or HandSetClock()
        self.passwords = {"staff": "right", "member": "right"}
        self.roles: dict[str, frozenset[str] | None] = {"staff": frozenset({"SysAdmin"})}
        self.fails_with: ImisError | None = None
        self.asked: list[str] = []
        self.defaults: dict[str, str] = {}
        self.columns_of: dict[str, list[str]] = {
            MEMBERS: ["ID", "Full Name", "Mobile Phone"],
            PROMPTED: ["ID", "Mobile Phone"],
        }

    async def sign_in(
        self, site: ImisAccess, username: str, password: SecretStr
    ) -> tuple[Token, frozenset[str] | None]:
        self._note(f"login {site.url}")
        if self.passwords.get(username) != password.get_secret_value():
            raise CredentialsRejected("iMIS did not take the username and password.")
        token = Token(
            SecretStr(f"imis-token-of-{username}"), self._clock.at + timedelta(hours=1), username
        )
        return token, self.roles.get(username, frozenset({"Public"}))

    async def browse(self, site: ImisAccess, token: Token, path: str) -> Folder:
        self._note(f"browse {path} as {token.access_token.get_secret_value()}")
        if path not in {"$", "$/Common/Queries"}:
            raise NotFound(f"iMIS has no folder {path}.")
        return Folder(path, [Entry("query", "Members", MEMBERS, "Everybody")])

    async def columns(self, site: ImisAccess, token: Token, path: str) -> QueryDefinition:
        self._note(f"columns {path}")
        prompts = (
            [Prompt("City", default=self.defaults.get("City", ""))] if path == PROMPTED else []
        )
        if path == BARE:
            bare = [Column("MobilePhone", has_alias=False), Column("ID", has_alias=False)]
            return QueryDefinition(path, bare, [], ["No column of this query has an alias."])
        if path not in self.columns_of:
            raise NotFound(f"iMIS has no query {path}.")
        return QueryDefinition(path, [Column(each) for each in self.columns_of[path]], prompts, [])

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.fails_with is not None:
            raise self.fails_with


class FakeReadModels:
    """Read models that a test fills by hand."""

    def __init__(self) -> None:
        self.runs: dict[tuple[UUID, UUID], Run] = {}
        self.found: dict[UUID, list[Message]] = {}
        self.used = Usage()
        self.usages: dict[UUID, Usage] = {}
        self.doubts: list[Unknown] = []

    async def run(self, organization_id: UUID, run_id: UUID) -> Run | None:
        return self.runs.get((organization_id, run_id))

    async def runs_of(self, organization_id: UUID, campaign_id: UUID) -> list[Run]:
        return [
            run
            for (owner, _), run in self.runs.items()
            if owner == organization_id and run.campaign_id == campaign_id
        ]

    async def progress(self, organization_id: UUID, run_id: UUID) -> Progress | None:
        run = self.runs.get((organization_id, run_id))
        if run is None:
            return None
        total = sum(run.by_status.values())
        return Progress(run_id, run.state, run.by_status, run.messages, total)

    async def messages(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        status: RowStatus | None,
        after_row: int | None,
        limit: int,
    ) -> list[Message]:
        mine = [each for each in self.found.get(organization_id, []) if each.run_id == run_id]
        wanted = [each for each in mine if status in {None, each.status}]
        return [each for each in wanted if after_row is None or each.row > after_row][:limit]

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        mine = self.found.get(organization_id, [])
        return next((each for each in mine if each.message_id == message_id), None)

    async def usage(self, organization_id: UUID, *, at: datetime) -> Usage:
        return self.usages.get(organization_id, self.used)

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        mine = [each for each in self.doubts if organization_id in {None, each.organization_id}]
        return sorted(mine, key=lambda each: (each.since or NOON, each.message_id))[:limit]

    async def whose(self, message_id: UUID) -> UUID | None:
        owners = {each.message_id: owner for owner, mine in self.found.items() for each in mine}
        owners |= {each.message_id: each.organization_id for each in self.doubts}
        return owners.get(message_id)

    async def unknown_message(self, organization_id: UUID, message_id: UUID) -> Unknown | None:
        mine = await self.unknown(organization_id, limit=1_000_000)
        return next((each for each in mine if each.message_id == message_id), None)


@dataclass
class Memory:
    """All that a desk keeps."""

    settings: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)
    signed_in: dict[str, StaffSession] = field(default_factory=dict)
    failed: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    events: dict[tuple[UUID, int], Envelope[CampaignEvent]] = field(default_factory=dict)
    asked: dict[UUID, AudiencePreviewRequested] = field(default_factory=dict)
    came: dict[UUID, AudiencePreviewed] = field(default_factory=dict)
    kept: dict[tuple[UUID, str], tuple[Kept, datetime]] = field(default_factory=dict)
    commands: dict[UUID, int] = field(default_factory=dict)
    decisions: dict[UUID, tuple[UUID, Decision]] = field(default_factory=dict)
    queries: dict[tuple[UUID, str], tuple[str, ...]] = field(default_factory=dict)
    published: list[Envelope[Event]] = field(default_factory=list)


class MemoryDesk:
    """A desk whose transactions are copies that replace the original."""

    def __init__(self) -> None:
        self.memory = Memory()

    @asynccontextmanager
    async def read(self) -> AsyncIterator["MemoryWork"]:
        yield MemoryWork(self.memory)

    @asynccontextmanager
    async def work(self) -> AsyncIterator["MemoryWork"]:
        changed = Memory(**{k: copy.copy(v) for k, v in vars(self.memory).items()})
        yield MemoryWork(changed)
        self.memory = changed

    async def published(self) -> list[Event]:
        return [each.event for each in self.memory.published]


class MemoryWork:
    """One picture, or one transaction."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.organizations = _Organizations(memory)
        self.sessions = _Sessions(memory)
        self.attempts = _Attempts(memory)
        self.campaigns = _Campaigns(memory)
        self.previews = _Previews(memory)
        self.answers = _Answers(memory)
        self.commands = _Commands(memory)
        self.queries = _Queries(memory)
        self.outbox = self

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        self._memory.published += [sealed(each, because=because) for each in events]

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        self._memory.published.append(envelope)


@dataclass
class _Part:
    memory: Memory


class _Organizations(_Part):
    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        return self.memory.settings.get(organization_id)

    async def save(self, settings: OrganizationSettingsChanged) -> None:
        known = self.memory.settings.get(settings.organization_id)
        if known is None or known.sequence < settings.sequence:
            self.memory.settings[settings.organization_id] = settings


class _Sessions(_Part):
    async def add(self, session: StaffSession) -> None:
        self.memory.signed_in[session.token_hash] = session

    async def find(self, token_hash: str, *, at: datetime) -> StaffSession | None:
        session = self.memory.signed_in.get(token_hash)
        return session if session is not None and session.expires_at > at else None

    async def revoke(self, token_hash: str) -> None:
        self.memory.signed_in.pop(token_hash, None)

    async def forget(self, *, before: datetime) -> None:
        kept = self.memory.signed_in.items()
        self.memory.signed_in = {k: v for k, v in kept if v.expires_at >= before}


class _Attempts(_Part):
    async def begin(
        self, attempt: UUID, key: str, *, at: datetime, window: timedelta, limit: int
    ) -> timedelta | None:
        failed = [when for of, when in self.memory.failed.values() if of == key]
        recent = [when for when in failed if when > at - window]
        if len(recent) >= limit:
            return max(min(recent) + window - at, timedelta(seconds=1))
        self.memory.failed[attempt] = (key, at)
        return None

    async def retract(self, *attempts: UUID) -> None:
        for attempt in attempts:
            self.memory.failed.pop(attempt, None)

    async def forgive(self, key: str) -> None:
        kept = self.memory.failed.items()
        self.memory.failed = {attempt: each for attempt, each in kept if each[0] != key}


class _Campaigns(_Part):
    def _states(self) -> dict[UUID, Envelope[CampaignEvent]]:
        states: dict[UUID, Envelope[CampaignEvent]] = {}
        for (campaign_id, _), envelope in sorted(self.memory.events.items()):
            states[campaign_id] = envelope
        return states

    async def get(
        self, organization_id: UUID, campaign_id: UUID, *, hold: bool = False
    ) -> Envelope[CampaignEvent] | None:
        known = self._states().get(campaign_id)
        return known if known and known.event.organization_id == organization_id else None

    async def held(self, campaign_ids: Sequence[UUID]) -> dict[UUID, Envelope[CampaignEvent]]:
        return {k: v for k, v in self._states().items() if k in campaign_ids}

    async def save(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        for each in events:
            place = (each.event.campaign_id, each.event.sequence)
            if place in self.memory.events:
                raise LookupError("there is such an event already")
            self.memory.events[place] = each

    async def page(
        self,
        organization_id: UUID,
        *,
        status: CampaignStatus | None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        mine = [
            each.event
            for campaign_id, each in self._states().items()
            if each.event.organization_id == organization_id
            and each.event.status is not CampaignStatus.DELETED
            and status in {None, each.event.status}
            and (before is None or campaign_id < before)
        ]
        return sorted(mine, key=lambda each: each.campaign_id, reverse=True)[:limit]

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        mine = await self.page(organization_id, status=None, before=None, limit=1000)
        return next((each for each in mine if present_run(each) == run_id), None)

    async def counts(self, organization_id: UUID) -> dict[CampaignStatus, int]:
        counts: dict[CampaignStatus, int] = {}
        for each in self._states().values():
            if each.event.organization_id == organization_id:
                counts[each.event.status] = counts.get(each.event.status, 0) + 1
        return counts


class _Previews(_Part):
    async def ask(self, request: AudiencePreviewRequested) -> None:
        self.memory.asked[request.preview_id] = request

    async def receive(self, results: Sequence[AudiencePreviewed]) -> None:
        for each in results:
            asked = self.memory.asked.get(each.preview_id)
            if asked is not None and asked.organization_id == each.organization_id:
                self.memory.came.setdefault(each.preview_id, each)

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        asked = self.memory.asked.get(preview_id)
        if asked is None or asked.organization_id != organization_id:
            return None
        return Preview(asked, self.memory.came.get(preview_id))


class _Answers(_Part):
    async def get(self, organization_id: UUID, key: str) -> Kept | None:
        known = self.memory.kept.get((organization_id, key))
        return None if known is None else known[0]

    async def keep(self, organization_id: UUID, key: str, kept: Kept, *, at: datetime) -> bool:
        return self.memory.kept.setdefault((organization_id, key), (kept, at))[0] is kept

    async def forget(self, *, before: datetime) -> None:
        kept: Any = self.memory.kept.items()
        self.memory.kept = {k: v for k, v in kept if v[1] >= before}


class _Commands(_Part):
    async def next_of_run(self, organization_id: UUID, run_id: UUID) -> int:
        self.memory.commands[run_id] = self.memory.commands.get(run_id, 0) + 1
        return self.memory.commands[run_id]

    async def decision(self, organization_id: UUID, message_id: UUID) -> Decision | None:
        owner, decision = self.memory.decisions.get(message_id, (None, None))
        return decision if owner == organization_id else None

    async def decide(self, organization_id: UUID, message_id: UUID, decision: Decision) -> bool:
        owner, known = self.memory.decisions.get(message_id, (organization_id, None))
        if owner != organization_id or (known is not None and known.sequence >= decision.sequence):
            return False
        self.memory.decisions[message_id] = (organization_id, decision)
        return True


class _Queries(_Part):
    async def prompts(self, organization_id: UUID, path: str) -> tuple[str, ...]:
        return self.memory.queries.get((organization_id, path), ())

    async def keep(self, organization_id: UUID, path: str, prompts: Sequence[str]) -> None:
        self.memory.queries[organization_id, path] = tuple(prompts)
