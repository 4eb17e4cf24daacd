"""What the gateway needs of the outside."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from pydantic import SecretStr

from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent, CampaignStatus
from contracts.events.organization import ImisAccess, OrganizationSettingsChanged
from gateway.domain.records import Decision, Kept, Preview, StaffSession
from gateway.domain.views import Message, Progress, Run, Unknown, Usage
from imis_client import Folder, QueryDefinition, Token
from readmodels.views import RowStatus

Clock = Callable[[], datetime]


class Organizations(Protocol):
    """Each organisation's newest settings, their secrets sealed."""

    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        """Return an organisation's settings."""

    async def save(self, settings: OrganizationSettingsChanged) -> None:
        """Keep settings that are newer than the known ones."""


class Sessions(Protocol):
    """Who is signed in."""

    async def add(self, session: StaffSession) -> None:
        """Keep a new session."""

    async def find(self, token_hash: str, *, at: datetime) -> StaffSession | None:
        """Return the session unless it is over."""

    async def revoke(self, token_hash: str) -> None:
        """End a session."""

    async def forget(self, *, before: datetime) -> None:
        """Drop sessions that ended before then."""


class Attempts(Protocol):
    """Logins that failed of late, by a key that names nobody."""

    async def begin(
        self, attempt: UUID, key: str, *, at: datetime, window: timedelta, limit: int
    ) -> timedelta | None:
        """Count an attempt; when there were too many, count none and return how long to wait."""

    async def retract(self, *attempts: UUID) -> None:
        """Take back attempts that failed for no fault of who asked."""

    async def forgive(self, key: str) -> None:
        """Forget all attempts under a key: one of them succeeded."""


class Campaigns(Protocol):
    """Campaigns and their events."""

    async def get(
        self, organization_id: UUID, campaign_id: UUID, *, hold: bool = False
    ) -> Envelope[CampaignEvent] | None:
        """Return a campaign's state; `hold` keeps others from changing it meanwhile."""

    async def held(self, campaign_ids: Sequence[UUID]) -> dict[UUID, Envelope[CampaignEvent]]:
        """Return campaigns' states, held for this transaction; for the system's own events."""

    async def save(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        """Append events; two with one sequence can't both be kept."""

    async def page(
        self,
        organization_id: UUID,
        *,
        status: CampaignStatus | None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        """Return campaigns, the newest first, without the deleted ones."""

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        """Return the campaign whose newest launch is this run."""

    async def counts(self, organization_id: UUID) -> dict[CampaignStatus, int]:
        """Return how many campaigns have each status."""


class Previews(Protocol):
    """Previews asked for and received."""

    async def ask(self, request: AudiencePreviewRequested) -> None:
        """Keep what was asked."""

    async def receive(self, results: Sequence[AudiencePreviewed]) -> None:
        """Keep what came; the first answer to each stays."""

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        """Return a preview."""


class Answers(Protocol):
    """Answers kept for their Idempotency-Keys."""

    async def get(self, organization_id: UUID, key: str) -> Kept | None:
        """Return what was answered first."""

    async def keep(self, organization_id: UUID, key: str, kept: Kept, *, at: datetime) -> bool:
        """Keep an answer; False when another request with this key was faster."""

    async def forget(self, *, before: datetime) -> None:
        """Drop answers that were kept before then."""


class Commands(Protocol):
    """Commands about runs and messages: what was asked for so far, and in which order."""

    async def next_of_run(self, organization_id: UUID, run_id: UUID) -> int:
        """Return the number of the next command about a run."""

    async def decision(self, organization_id: UUID, message_id: UUID) -> Decision | None:
        """Return the newest decision about a message, held for this transaction."""

    async def decide(self, organization_id: UUID, message_id: UUID, decision: Decision) -> bool:
        """Keep a decision; False when another one was faster."""


class Queries(Protocol):
    """What is known of organisations' queries since they were last read."""

    async def prompts(self, organization_id: UUID, path: str) -> tuple[str, ...]:
        """Return the prompts that a query has no default for; none when it was never read."""

    async def keep(self, organization_id: UUID, path: str, prompts: Sequence[str]) -> None:
        """Keep what a query asks for."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        """Let events leave when the transaction commits."""

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        """Let an event that has its id already leave when the transaction commits."""


class Reading(Protocol):
    """One consistent picture of what the gateway keeps."""

    @property
    def organizations(self) -> Organizations:
        """The organisations."""

    @property
    def sessions(self) -> Sessions:
        """The staff sessions."""

    @property
    def attempts(self) -> Attempts:
        """The failed logins."""

    @property
    def campaigns(self) -> Campaigns:
        """The campaigns."""

    @property
    def previews(self) -> Previews:
        """The previews."""

    @property
    def answers(self) -> Answers:
        """The kept answers."""

    @property
    def commands(self) -> Commands:
        """The commands about runs and messages."""

    @property
    def queries(self) -> Queries:
        """The organisations' queries."""


class Work(Reading, Protocol):
    """One transaction: everything in it happens, or nothing."""

    @property
    def outbox(self) -> Outbox:
        """Where events leave."""


class Desk(Protocol):
    """The gateway's own database."""

    def read(self) -> AbstractAsyncContextManager[Reading]:
        """Look, without waiting for writers."""

    def work(self) -> AbstractAsyncContextManager[Work]:
        """Change things; nothing else may be awaited inside."""


class ReadModels(Protocol):
    """What the projections have made of the log; a moment behind it."""

    async def run(self, organization_id: UUID, run_id: UUID) -> Run | None:
        """Return a run."""

    async def runs_of(self, organization_id: UUID, campaign_id: UUID) -> list[Run]:
        """Return a campaign's runs, the newest first."""

    async def progress(self, organization_id: UUID, run_id: UUID) -> Progress | None:
        """Return how far a run is, at little cost."""

    async def messages(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        status: RowStatus | None,
        after_row: int | None,
        limit: int,
    ) -> list[Message]:
        """Return some of a run's messages, by row."""

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        """Return a message."""

    async def usage(self, organization_id: UUID, *, at: datetime) -> Usage:
        """Return what the organisation has sent, by UTC days."""

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        """Return unknown messages, the oldest first; all organisations' if None: for operators."""

    async def whose(self, message_id: UUID) -> UUID | None:
        """Return the organisation that a message belongs to: for operators."""

    async def unknown_message(self, organization_id: UUID, message_id: UUID) -> Unknown | None:
        """Return a message if nobody knows what became of it."""


class Imis(Protocol):
    """An organisation's iMIS, as one of its staff sees it; raises `imis_client`'s errors."""

    async def sign_in(
        self, site: ImisAccess, username: str, password: SecretStr
    ) -> tuple[Token, frozenset[str] | None]:
        """Check a login; returns its token and its roles, None where the site can't tell."""

    async def browse(self, site: ImisAccess, token: Token, path: str) -> Folder:
        """List a folder."""

    async def columns(self, site: ImisAccess, token: Token, path: str) -> QueryDefinition:
        """Describe a query."""


class Seal(Protocol):
    """Keeps secrets."""

    def seal(self, secret: SecretStr) -> str:
        """Return the encrypted form."""

    def open(self, sealed: str) -> SecretStr:
        """Return the secret."""


Keep = Callable[[Work, Any], Awaitable[None]]
"""Keeps the answer to a command in the command's own transaction."""


class Bell(Protocol):
    """Wakes whoever waits for what a subscription brought."""

    def listen(self) -> AbstractAsyncContextManager["Listening"]:
        """Notice every ring from now on."""


class Listening(Protocol):
    """An ear for the bell."""

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or when the time is over."""
