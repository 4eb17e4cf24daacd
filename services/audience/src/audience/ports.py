"""What the audience service needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from audience.domain.resolving import Progress
from audience.domain.rows import Row
from audience.domain.verdicts import Pair, Seen
from contracts.envelope import Envelope
from contracts.events.audience import (
    AudienceAwaited,
    AudiencePreviewRequested,
    AudienceRowsUploaded,
)
from contracts.events.base import Event
from contracts.events.campaign import Audience, CampaignDue
from imis_client import Page

Order = TypeVar("Order", CampaignDue, AudiencePreviewRequested)


class Kind(StrEnum):
    """What there is to do; each kind has workers of its own."""

    RUN = "run"
    PREVIEW = "preview"


class LeaseLost(Exception):
    """Somebody else does this work now; nothing was written."""


@dataclass(frozen=True, slots=True, repr=False)
class Claim(Generic[Order]):
    """Work that is this process's as long as its lease is renewed."""

    id: UUID
    order: Order
    event_id: UUID
    progress: Progress
    step: int
    """Counts the checkpoints: one is written only upon the one before it."""
    failures: int
    """How often in a row iMIS could not be read since the last checkpoint."""
    attempts: int
    """How often the work was taken up."""
    login_refused: bool
    """iMIS refused the account of these very settings: it is not to be tried again."""
    settings_sequence: int

    def at(self, progress: Progress) -> "Claim[Order]":
        """Return the claim after its next checkpoint."""
        return replace(self, progress=progress, step=self.step + 1, failures=0)


@dataclass(frozen=True, slots=True, repr=False)
class Checkpoint:
    """What is written in one transaction, whole or not at all."""

    progress: Progress
    rows: Sequence[Row] = ()
    pairs: Mapping[Pair, int] = field(default_factory=dict)
    """Each with the number of its first row."""
    events: Sequence[Event] = ()
    done: bool = False


class Intake(Protocol):
    """The orders, within the transaction of a batch of events."""

    async def take(
        self,
        orders: Sequence[Envelope[CampaignDue]] | Sequence[Envelope[AudiencePreviewRequested]],
        *,
        at: datetime,
    ) -> None:
        """Write down what is to be done; what is known already is left as it is."""


class Uploads(Protocol):
    """Lists that staff uploaded, within the transaction of a batch of events."""

    async def take(self, parts: Sequence[Envelope[AudienceRowsUploaded]]) -> None:
        """Keep parts of lists, each once."""


class OptOuts(Protocol):
    """Who has opted out, as far as we have heard."""

    async def among(
        self, organization_id: UUID, from_number: str, numbers: Collection[str]
    ) -> set[str]:
        """Return those of the numbers that may not be texted from that one."""


class Desk(Protocol[Order]):
    """Gives out the work of one kind; each call is one transaction."""

    async def claim(self, *, at: datetime) -> Claim[Order] | None:
        """Take up what waits longest, or nothing: no organisation has more than its share.

        What an organisation ordered waits for its settings. A run that needs an iMIS which has
        refused the account is given out once, for that to be told; then it waits for newer ones.
        """

    def keep(self, claim: Claim[Order]) -> AbstractAsyncContextManager[None]:
        """Renew the lease inside the block."""

    async def put_back(self, claim: Claim[Order], *, not_before: datetime, failed: bool) -> None:
        """Leave the work to whoever comes first after that time."""

    async def refuse_login(self, claim: Claim[Order]) -> None:
        """Let nobody log in for the organisation until its settings are newer."""

    async def await_login(self, claim: Claim[Order], told: AudienceAwaited) -> None:
        """Put the work back until the settings are newer than the told ones, and tell of it."""


class Ledger(Protocol):
    """The rows of runs and how far each run has come; a call is one transaction."""

    async def commit(
        self,
        claim: Claim[CampaignDue] | Claim[AudiencePreviewRequested],
        checkpoint: Checkpoint,
        *,
        at: datetime,
    ) -> None:
        """Write the next checkpoint; raises `LeaseLost` when the work is another's."""

    async def known(self, run_id: UUID, rows: Sequence[Row]) -> set[bytes]:
        """Return the contents of these rows that are stored already."""

    async def distinct(self, run_id: UUID) -> int:
        """Count the run's rows of different contents."""

    async def rows(self, run_id: UUID, *, after: int, limit: int) -> list[Row]:
        """Return stored rows in their order."""

    async def seen(self, run_id: UUID, numbers: Collection[str]) -> Seen:
        """Return what earlier rows have of these numbers."""

    async def rows_last_time(self, run: CampaignDue) -> int | None:
        """Count the rows of the campaign's run before this one, if there was one."""


class RowSource(Protocol):
    """Where rows come from: every organisation's iMIS, by its own account, and its uploads."""

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page; raises imis_client's errors, `Unusable` and `NotHereYet`."""
