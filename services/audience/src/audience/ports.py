"""What the audience service needs of the outside."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from audience.domain.resolving import Progress
from audience.domain.rows import Row
from audience.domain.verdicts import Pair, Seen
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.base import Event
from contracts.events.campaign import Audience, CampaignDue
from imis_client import Page

Order = TypeVar("Order", CampaignDue, AudiencePreviewRequested)


class Kind(StrEnum):
    """What there is to do; each kind has workers of its own."""

    RUN = "run"
    PREVIEW = "preview"


class Login(Enum):
    """What is known of the organisation's iMIS account."""

    FINE = "fine"
    REFUSED_BEFORE = "refused_before"
    """iMIS refused it, and it is time to try again, or the settings have changed since."""
    HELD = "held"
    """iMIS refused it, and it is not to be tried now."""


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
    login: Login
    settings_sequence: int

    def at(self, progress: Progress) -> "Claim[Order]":
        """Return the claim after its next checkpoint."""
        return replace(self, progress=progress, step=self.step + 1, failures=0)


@dataclass(frozen=True, slots=True, repr=False)
class Checkpoint:
    """What is written in one transaction, whole or not at all."""

    progress: Progress
    rows: Sequence[Row] = ()
    pairs: Sequence[Pair] = ()
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


class Desk(Protocol[Order]):
    """Gives out the work of one kind; each call is one transaction."""

    async def claim(self, *, at: datetime) -> Claim[Order] | None:
        """Take up what waits longest, or nothing: no organisation has more than its share.

        What an organisation ordered waits for its settings, a run for a good login too.
        """

    def keep(self, claim: Claim[Order]) -> AbstractAsyncContextManager[None]:
        """Renew the lease inside the block."""

    async def put_back(self, claim: Claim[Order], *, not_before: datetime, failed: bool) -> None:
        """Leave the work to whoever comes first after that time."""

    async def refuse_login(self, claim: Claim[Order], *, at: datetime) -> None:
        """Let nobody log in for the organisation for a while; new settings end the wait."""

    async def take_login(self, claim: Claim[Order]) -> None:
        """Forget that iMIS refused the login."""


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


class ImisReader(Protocol):
    """Every organisation's iMIS, by the organisation's own account."""

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page of an IQA; raises imis_client's errors, and `Unusable`."""

    def allow_login(self, organization_id: UUID) -> None:
        """Let a login that iMIS refused be tried once more."""
