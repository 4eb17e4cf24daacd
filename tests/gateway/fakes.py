"""The gateway's ports in memory."""

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from contracts.events.base import Event
from contracts.events.campaign import Audience, CampaignEvent, CampaignKind, CampaignStatus
from contracts.events.organization import ImisAccess, OrganizationSettingsChanged
from gateway.domain.campaign import OVER, present_run
from gateway.domain.records import Decision, Kept, Preview, StaffSession, question_of
from gateway.domain.uploads import Upload
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
        self.types: dict[str, bool | None] = {"TEXTMSG": True, "TEXTUNSUB": True}
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

    async def columns(
        self, site: ImisAccess, token: Token, path: str, *, audience: Audience | None = None
    ) -> QueryDefinition:
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

    async def activity_type_exists(self, site: ImisAccess, token: Token, code: str) -> bool | None:
        self._note(f"type {code}")
        return self.types.get(code)

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.fails_with is not None:
            raise self.fails_with


class FakeStops:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[UUID, str, int]] = []

    async def tell(self, organization_id: UUID, what: str, sequence: int) -> None:
        self.told.append((organization_id, what, sequence))


@dataclass
class Memory:
    """All that a desk keeps."""

    settings: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)
    signed_in: dict[str, StaffSession] = field(default_factory=dict)
    failed: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    events: dict[tuple[UUID, int], Envelope[CampaignEvent]] = field(default_factory=dict)
    asked: dict[UUID, AudiencePreviewRequested] = field(default_factory=dict)
    came: dict[UUID, AudiencePreviewed] = field(default_factory=dict)
    come: dict[UUID, AudiencePreviewProgressed] = field(default_factory=dict)
    heard: dict[tuple[UUID, str], int] = field(default_factory=dict)
    kept: dict[tuple[UUID, str], tuple[Kept, datetime]] = field(default_factory=dict)
    commands: dict[UUID, int] = field(default_factory=dict)
    decisions: dict[UUID, tuple[UUID, Decision]] = field(default_factory=dict)
    queries: dict[tuple[UUID, str], tuple[str, ...]] = field(default_factory=dict)
    uploads: dict[UUID, Upload] = field(default_factory=dict)
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
        self.uploads = _Uploads(memory)
        self.outbox = self

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        self._memory.published += [sealed(each, because=because) for each in events]

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        self._memory.published.append(envelope)


@dataclass
class _Part:
    memory: Memory


class _Uploads(_Part):
    async def keep(self, upload: Upload) -> None:
        self.memory.uploads[upload.upload_id] = upload

    async def get(self, organization_id: UUID, upload_id: UUID) -> Upload | None:
        known = self.memory.uploads.get(upload_id)
        return known if known and known.organization_id == organization_id else None


class _Organizations(_Part):
    async def get(
        self, organization_id: UUID, *, hold: bool = False
    ) -> OrganizationSettingsChanged | None:
        return self.memory.settings.get(organization_id)

    async def every(self, *, limit: int) -> list[OrganizationSettingsChanged]:
        return [self.memory.settings[key] for key in sorted(self.memory.settings)][:limit]

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
        kind: CampaignKind | None = None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        mine = [
            each.event
            for campaign_id, each in self._states().items()
            if each.event.organization_id == organization_id
            and each.event.status is not CampaignStatus.DELETED
            and status in {None, each.event.status}
            and kind in {None, each.event.definition.kind}
            and (before is None or campaign_id < before)
        ]
        return sorted(mine, key=lambda each: each.campaign_id, reverse=True)[:limit]

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        mine = await self.page(organization_id, status=None, before=None, limit=1000)
        return next((each for each in mine if present_run(each) == run_id), None)

    async def history(
        self, organization_id: UUID, campaign_id: UUID, *, after: int, limit: int
    ) -> list[CampaignEvent]:
        mine = [
            each.event
            for (campaign, sequence), each in sorted(self.memory.events.items())
            if campaign == campaign_id and sequence > after
        ]
        return [each for each in mine if each.organization_id == organization_id][:limit]

    async def heard(self, runs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        wanted = {run for run, _ in runs}
        return {k: v for k, v in self.memory.heard.items() if k[0] in wanted}

    async def hear(self, sequences: Mapping[tuple[UUID, str], int]) -> None:
        for place, sequence in sequences.items():
            self.memory.heard[place] = max(sequence, self.memory.heard.get(place, 0))

    async def aged(
        self, changed_before: Mapping[UUID, datetime], *, limit: int
    ) -> list[Envelope[CampaignEvent]]:
        found = [
            each
            for _, each in sorted(self._states().items())
            if each.event.status in OVER
            and each.event.organization_id in changed_before
            and each.event.occurred_at < changed_before[each.event.organization_id]
        ]
        return found[:limit]

    async def awaiting(self, *, after: UUID | None, limit: int) -> list[Envelope[CampaignEvent]]:
        found = [
            each
            for key, each in sorted(self._states().items())
            if each.event.status is CampaignStatus.SCHEDULED
            and each.event.definition.kind is CampaignKind.RECURRING
            and (after is None or key > after)
        ]
        return found[:limit]

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
        come = self.memory.come.get(preview_id)
        if come is None:
            return Preview(asked, self.memory.came.get(preview_id))
        return Preview(asked, self.memory.came.get(preview_id), come.rows_read, come.rows_expected)

    async def progress(self, events: Sequence[AudiencePreviewProgressed]) -> None:
        for each in events:
            asked = self.memory.asked.get(each.preview_id)
            known = self.memory.come.get(each.preview_id)
            ours = asked is not None and asked.organization_id == each.organization_id
            if ours and (known is None or known.rows_read < each.rows_read):
                self.memory.come[each.preview_id] = each

    async def forget(self, *, before: datetime) -> None:
        kept = self.memory.asked.items()
        self.memory.asked = {k: v for k, v in kept if v.occurred_at >= before}

    async def newest(
        self, organization_id: UUID, campaign_id: UUID, question: str, *, since: datetime
    ) -> Preview | None:
        found = [
            Preview(asked, came)
            for key, asked in self.memory.asked.items()
            if (came := self.memory.came.get(key)) is not None
            and (asked.organization_id, asked.campaign_id) == (organization_id, campaign_id)
            and question_of(asked) == question
            and asked.occurred_at >= since
            and came.failure is None
        ]
        return max(found, key=lambda each: each.request.occurred_at, default=None)


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
