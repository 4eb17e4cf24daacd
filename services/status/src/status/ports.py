"""What the status service needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.message import MessageStatusChanged
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunEvent
from status.domain.message import Message, Refusal
from status.domain.run import Run, Tally

CallbackEnvelope = Envelope[TwilioCallbackReceived]


class Messages(Protocol):
    """What is known of each message."""

    async def hold(self, message_ids: Collection[UUID]) -> dict[UUID, Message]:
        """Return what is known, and let nobody else change it before this transaction ends."""

    async def keep(self, messages: Mapping[UUID, Message]) -> None:
        """Keep what is known now."""

    async def named_by(self, sids: Collection[str]) -> dict[str, UUID]:
        """Return the messages that Twilio's answers gave these SIDs."""

    async def park(self, callbacks: Sequence[CallbackEnvelope]) -> None:
        """Keep reports until an answer gives a message their SID."""

    async def unpark(self, sids: Collection[str]) -> list[CallbackEnvelope]:
        """Take out the reports that wait for these SIDs."""


class Runs(Protocol):
    """How far each run has come."""

    async def count_once(self, facts: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        """Return which of these facts (subject, number) were never counted; now they are."""

    async def add(self, tallies: Mapping[UUID, Tally]) -> list[Run]:
        """Add to the runs, and return them as they are now, held for this transaction."""

    async def keep(self, runs: Sequence[Run]) -> None:
        """Keep the phases of runs that went on."""


class Outbox(Protocol):
    """Events that leave with the transaction."""

    def publish(
        self, *events: MessageStatusChanged | RunEvent, because: UUID | None = None
    ) -> None:
        """Let events leave when the transaction commits."""


class Watch(Protocol):
    """Whoever must hear of what should not happen."""

    def refused(self, refusal: Refusal, *, message_id: UUID) -> None:
        """A report was not the message's."""

    def unmapped(self, status: str) -> None:
        """Twilio reported a status that this version doesn't know."""

    def does_not_add_up(self, run_id: UUID) -> None:
        """What was counted contradicts the totals that the audience told."""
