"""The service's ports, in memory."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

from audience.domain.resolving import Progress
from audience.domain.rows import Row
from audience.domain.verdicts import Pair, Seen
from audience.ports import Checkpoint, Claim, Kind, LeaseLost, Order
from contracts.envelope import Envelope
from contracts.events.audience import AudienceAwaited, AudiencePreviewRequested
from contracts.events.base import Event
from contracts.events.campaign import Audience, CampaignDue
from contracts.events.organization import OrganizationSettingsChanged
from imis_client import Page, TryAgain

LEASE = timedelta(seconds=30)


@dataclass
class Job:
    claim: Claim[Any]
    kind: Kind
    received_at: datetime
    not_before: datetime
    owner: str | None = None
    lease_until: datetime | None = None
    done: bool = False
    done_at: datetime | None = None
    awaited_sequence: int = -1

    @property
    def needs_imis(self) -> bool:
        order = self.claim.order
        return order.audience.upload_id is None and not self.claim.progress.reading.done

    def is_held(self, at: datetime) -> bool:
        return self.lease_until is not None and self.lease_until > at


@dataclass
class Memory:
    """What the database would hold."""

    jobs: dict[UUID, Job] = field(default_factory=dict)
    settings: dict[UUID, int] = field(default_factory=dict)
    refused: dict[UUID, int] = field(default_factory=dict)
    """Of each organisation the newest settings whose account iMIS refused."""
    rows: dict[UUID, list[Row]] = field(default_factory=dict)
    pairs: dict[UUID, dict[Pair, int]] = field(default_factory=dict)
    published: list[Envelope[Event]] = field(default_factory=list)

    def publish(self, *events: Event, because: UUID) -> None:
        self.published += [
            Envelope(event, UUID(int=len(self.published) + place), because)
            for place, event in enumerate(events)
        ]

    def change_settings(self, event: OrganizationSettingsChanged) -> None:
        known = self.settings.get(event.organization_id, -1)
        self.settings[event.organization_id] = max(known, event.sequence)


class InMemoryIntake:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def take(
        self,
        orders: Sequence[Envelope[CampaignDue]] | Sequence[Envelope[AudiencePreviewRequested]],
        *,
        at: datetime,
    ) -> None:
        for each in orders:
            order = each.event
            is_run = isinstance(order, CampaignDue)
            job_id = order.run_id if isinstance(order, CampaignDue) else order.preview_id
            runs = {
                (job.claim.order.campaign_id, job.claim.order.occurrence)
                for job in self._memory.jobs.values()
                if job.kind is Kind.RUN
            }
            if job_id in self._memory.jobs or (
                isinstance(order, CampaignDue) and (order.campaign_id, order.occurrence) in runs
            ):
                continue
            claim: Claim[Any] = Claim(job_id, order, each.id, Progress(), 0, 0, 0, False, 0)
            kind = Kind.RUN if is_run else Kind.PREVIEW
            self._memory.jobs[job_id] = Job(claim, kind, at, at)


class InMemoryDesk(Generic[Order]):
    def __init__(
        self, memory: Memory, holder: str, *, kind: Kind, per_organization: int = 1
    ) -> None:
        self._memory = memory
        self._holder = holder
        self._kind = kind
        self._per_organization = per_organization

    async def claim(self, *, at: datetime) -> Claim[Order] | None:
        mine = [j for j in self._memory.jobs.values() if j.kind is self._kind and not j.done]
        for job in sorted(mine, key=lambda each: each.received_at):
            organization = job.claim.order.organization_id
            busy = sum(j.is_held(at) for j in mine if j.claim.order.organization_id == organization)
            refused = self._is_refused(job)
            if (
                job.is_held(at)
                or job.not_before > at
                or organization not in self._memory.settings
                or busy >= self._per_organization
                or (
                    self._kind is Kind.RUN
                    and refused
                    and job.awaited_sequence >= self._memory.settings[organization]
                )
            ):
                continue
            job.owner, job.lease_until = self._holder, at + LEASE
            job.claim = replace(
                job.claim,
                attempts=job.claim.attempts + 1,
                login_refused=refused,
                settings_sequence=self._memory.settings[organization],
            )
            return job.claim
        return None

    @asynccontextmanager
    async def keep(self, claim: Claim[Order]) -> AsyncIterator[None]:
        yield

    async def put_back(self, claim: Claim[Order], *, not_before: datetime, failed: bool) -> None:
        job = self._memory.jobs[claim.id]
        if job.owner == self._holder:
            job.claim = replace(job.claim, failures=job.claim.failures + failed)
            job.not_before, job.owner, job.lease_until = not_before, None, None

    async def refuse_login(self, claim: Claim[Order]) -> None:
        organization = claim.order.organization_id
        known = self._memory.refused.get(organization, -1)
        self._memory.refused[organization] = max(known, claim.settings_sequence)

    async def await_login(self, claim: Claim[Order], told: AudienceAwaited) -> None:
        job = self._memory.jobs[claim.id]
        if job.owner != self._holder:
            raise LeaseLost
        job.awaited_sequence, job.owner, job.lease_until = told.settings_sequence, None, None
        self._memory.publish(told, because=claim.event_id)

    def _is_refused(self, job: Job) -> bool:
        organization = job.claim.order.organization_id
        refused = self._memory.refused.get(organization, -1)
        return job.needs_imis and refused >= self._memory.settings.get(organization, 0)


class InMemoryLedger:
    def __init__(self, memory: Memory, holder: str) -> None:
        self._memory = memory
        self._holder = holder

    async def commit(
        self,
        claim: Claim[CampaignDue] | Claim[AudiencePreviewRequested],
        checkpoint: Checkpoint,
        *,
        at: datetime,
    ) -> None:
        job = self._memory.jobs[claim.id]
        if job.owner != self._holder or job.claim.step != claim.step or job.done:
            raise LeaseLost
        job.claim = job.claim.at(checkpoint.progress)
        if checkpoint.done:
            job.done, job.done_at, job.owner, job.lease_until = True, at, None, None
        self._memory.rows.setdefault(claim.id, []).extend(checkpoint.rows)
        self._memory.pairs.setdefault(claim.id, {}).update(checkpoint.pairs)
        self._memory.publish(*checkpoint.events, because=claim.event_id)

    async def known(self, run_id: UUID, rows: Sequence[Row]) -> set[bytes]:
        stored = {row.contents for row in self._memory.rows.get(run_id, [])}
        return stored & {row.contents for row in rows}

    async def distinct(self, run_id: UUID) -> int:
        return len({row.contents for row in self._memory.rows.get(run_id, [])})

    async def rows(self, run_id: UUID, *, after: int, limit: int) -> list[Row]:
        stored = sorted(self._memory.rows.get(run_id, []), key=lambda row: row.number)
        return [row for row in stored if row.number > after][:limit]

    async def seen(self, run_id: UUID, numbers: Collection[str]) -> Seen:
        stored = self._memory.pairs.get(run_id, {})
        found = sorted((row, pair) for pair, row in stored.items() if pair[1] in numbers)
        phones = {number: member for _, (member, number) in reversed(found)}
        return Seen({pair for _, pair in found}, phones)

    async def rows_last_time(self, run: CampaignDue) -> int | None:
        before = [
            (job.done_at, job.claim.progress.resolving.rows)
            for job in self._memory.jobs.values()
            if job.done_at is not None
            and job.claim.progress.resolving.done
            and isinstance(order := job.claim.order, CampaignDue)
            and (order.organization_id, order.campaign_id) == (run.organization_id, run.campaign_id)
            and order.run_id != run.run_id
        ]
        return max(before)[1] if before else None


class FakeImis:
    """An iMIS for each organisation: its rows, page by page, and what it does wrong."""

    def __init__(self, rows: Sequence[dict[str, str]] = ()) -> None:
        self.default = list(rows)
        self.sites: dict[UUID, list[dict[str, str]]] = {}
        self.shuffles: list[Sequence[int]] = []
        """The order of the rows for each page in turn; the last one stays."""
        self.total: int | None = None
        self.errors: list[Exception] = []
        """Raised, one for each page in turn, before any is given."""
        self.hanging: set[UUID] = set()
        self.hangs = asyncio.Event()
        self.kinds: dict[str, str] = {}
        self.pages: list[tuple[UUID, int]] = []

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        self.pages.append((organization_id, offset))
        if organization_id in self.hanging:
            self.hangs.set()
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        rows = self.sites.get(organization_id, self.default)
        if self.shuffles:
            order = self.shuffles.pop(0) if len(self.shuffles) > 1 else self.shuffles[0]
            rows = [rows[place] for place in order]
        page = rows[offset : offset + limit]
        total = len(rows) if self.total is None else self.total
        end = offset + len(page)
        return Page(page, total, bool(page) and end < len(rows), end, self.kinds)


class FakeOptOuts:
    """Who has opted out of which number's texts."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = set(pairs)

    def add(self, *pairs: tuple[str, str]) -> None:
        self._pairs.update(pairs)

    async def among(
        self, organization_id: UUID, from_number: str, numbers: Collection[str]
    ) -> set[str]:
        return {number for number in numbers if {(from_number, number), ("", number)} & self._pairs}


class Clock:
    """Time that passes when told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


TRY_AGAIN = TryAgain("iMIS can't be reached.")
