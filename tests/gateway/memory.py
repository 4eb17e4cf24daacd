"""What the gateway keeps, in memory: all but the campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettingsChanged
from gateway.domain.records import Decision, Kept, StaffSession
from gateway.domain.uploads import Upload


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


@dataclass
class Part:
    memory: Memory


class Uploads(Part):
    async def keep(self, upload: Upload) -> None:
        self.memory.uploads[upload.upload_id] = upload

    async def get(self, organization_id: UUID, upload_id: UUID) -> Upload | None:
        known = self.memory.uploads.get(upload_id)
        return known if known and known.organization_id == organization_id else None


class Organizations(Part):
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


class Sessions(Part):
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


class Attempts(Part):
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


class Answers(Part):
    async def get(self, organization_id: UUID, key: str) -> Kept | None:
        known = self.memory.kept.get((organization_id, key))
        return None if known is None else known[0]

    async def keep(self, organization_id: UUID, key: str, kept: Kept, *, at: datetime) -> bool:
        return self.memory.kept.setdefault((organization_id, key), (kept, at))[0] is kept

    async def forget(self, *, before: datetime) -> None:
        kept: Any = self.memory.kept.items()
        self.memory.kept = {k: v for k, v in kept if v[1] >= before}


class Commands(Part):
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


class Queries(Part):
    async def prompts(self, organization_id: UUID, path: str) -> tuple[str, ...]:
        return self.memory.queries.get((organization_id, path), ())

    async def keep(self, organization_id: UUID, path: str, prompts: Sequence[str]) -> None:
        self.memory.queries[organization_id, path] = tuple(prompts)
