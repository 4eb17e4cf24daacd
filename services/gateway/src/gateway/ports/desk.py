"""The gateway's own database: one picture, or one transaction."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.base import Event
from gateway.domain.records import Kept
from gateway.ports.campaigns import Campaigns, Commands, Previews, Queries
from gateway.ports.staff import Attempts, Organizations, Sessions
from gateway.ports.uploads import Uploads


class Answers(Protocol):
    """Answers kept for their Idempotency-Keys."""

    async def get(self, organization_id: UUID, key: str) -> Kept | None:
        """Return what was answered first."""

    async def keep(self, organization_id: UUID, key: str, kept: Kept, *, at: datetime) -> bool:
        """Keep an answer; False when another request with this key was faster."""

    async def forget(self, *, before: datetime) -> None:
        """Drop answers that were kept before then."""


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

    @property
    def uploads(self) -> Uploads:
        """The uploaded lists."""


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


Keep = Callable[[Work, Any], Awaitable[None]]
"""Keeps the answer to a command in the command's own transaction."""
