"""What the consent service needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from consent.domain.pairs import Decision, Pair, Standing
from consent.domain.reviews import Review
from consent.domain.texts import Unplaced
from consent.domain.words import Asks
from contracts.envelope import Envelope
from contracts.events.consent import ConsentChanged, ReviewChanged
from contracts.events.message import MessageStatusChanged, ReplyRequested
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioMessageReceived

Telling = Envelope[TwilioMessageReceived] | Envelope[MessageStatusChanged]
Fact = tuple[UUID, UUID]
"""An organisation, and what it told: one organisation's text never stands for another's."""


class Names(Protocol):
    """Names numbers without giving them away."""

    def of(self, organization_id: UUID, *parts: str) -> str:
        """Return the fingerprint of these parts together."""


class Organizations(Protocol):
    """Every organisation's newest settings."""

    async def of(self, ids: Collection[UUID]) -> Mapping[UUID, OrganizationSettingsChanged]:
        """Return those that are known."""


class Ledger(Protocol):
    """Every decision, for as long as the law wants evidence of it, and where each pair stands."""

    async def hold(self, pairs: Collection[Pair]) -> dict[UUID, Standing]:
        """Return where the pairs stand, and let nobody else change it before we commit."""

    async def scopes(self, facts: Collection[Fact]) -> dict[Fact, set[UUID]]:
        """Return the pairs that the facts which are known already were taken to be about."""

    async def record(self, decisions: Sequence[Decision]) -> dict[UUID, Decision]:
        """Keep decisions, each once, and return the one that counts of each pair they are about."""

    async def keep(self, standings: Sequence[Standing]) -> None:
        """Keep where pairs stand now."""


class Reviews(Protocol):
    """The texts that a person should read."""

    async def add(self, reviews: Sequence[Review]) -> list[Review]:
        """Keep each text once; returns those that were not known."""

    async def hold_open(self, texts: Collection[Fact]) -> list[Review]:
        """Return which of these nobody decided, held for this transaction."""

    async def keep(self, review: Review) -> None:
        """Keep what was decided."""


class Aside(Protocol):
    """What can't be believed by the settings at hand; newer ones may say otherwise."""

    async def put(self, tellings: Mapping[UUID, tuple[Telling, int]]) -> None:
        """Keep what was told, by its event's id, with the sequence of the settings that judged."""

    async def take(self, *, limit: int) -> list[Telling]:
        """Take out what newer settings than those that judged it are known for."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(
        self, *events: ConsentChanged | ReviewChanged | ReplyRequested, because: UUID | None = None
    ) -> None:
        """Let events leave when the transaction commits."""


class Watch(Protocol):
    """Whoever must hear of what should not happen."""

    def unplaced(self, reason: Unplaced, *, organization_id: UUID) -> None:
        """A text was set aside."""

    def malformed(self, *, organization_id: UUID) -> None:
        """A text names no number that could have sent it."""

    def heard(self, asks: Asks) -> None:
        """A member's text was understood."""
