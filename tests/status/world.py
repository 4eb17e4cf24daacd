"""The whole service on fakes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.status import facts
from tests.status.fake_campaigns import FakeCampaigns
from tests.status.fakes import FakeMessages, FakeOutbox, FakeRuns, FakeWatch

from contracts.envelope import Envelope, seal
from contracts.events.audience import AudienceFailed, RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignEvent
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageSubmitted,
    RecipientExcluded,
    ReplyRequested,
)
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled
from contracts.events.run import (
    RunResent,
)
from status.domain.ledger import Patience
from status.handlers import messages, runs
from status.handlers.campaigns import follow_campaigns

HANDLERS: dict[type[Event], Any] = {
    RecipientsResolved: runs.take_pages,
    RunResent: runs.take_whole,
    MessageRequested: runs.take_whole,
    ReplyRequested: runs.take_whole,
    AudienceFailed: runs.take_failures,
    RecipientRejected: runs.take_rejected,
    MessageQueued: messages.take_named,
    MessageHeld: messages.take_named,
    RecipientExcluded: messages.take_named,
    MessageSubmitted: messages.take_submitted,
    TwilioCallbackReceived: messages.take_callbacks,
    TwilioStatusPolled: messages.take_polled,
}
ABOUT_MESSAGES = {
    MessageQueued,
    MessageHeld,
    RecipientExcluded,
    MessageSubmitted,
    TwilioCallbackReceived,
    TwilioStatusPolled,
}


PATIENCE = Patience(
    unheard=timedelta(minutes=15), held=timedelta(hours=50), untold=timedelta(hours=24)
)


@dataclass
class World:
    messages: FakeMessages = field(default_factory=FakeMessages)
    runs: FakeRuns = field(default_factory=FakeRuns)
    campaigns: FakeCampaigns = field(default_factory=FakeCampaigns)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    watch: FakeWatch = field(default_factory=FakeWatch)
    at: datetime = facts.START

    async def take(self, batch: Sequence[Envelope[Event]]) -> None:
        """Handle a batch as the chassis does: by type, in the order of the handlers."""
        ports: dict[str, Any] = {
            "at": self.at,
            "runs": self.runs,
            "outbox": self.outbox,
            "watch": self.watch,
        }
        for kind, handle in HANDLERS.items():
            if of_kind := [each for each in batch if type(each.event) is kind]:
                more: dict[str, Any] = {}
                if kind in ABOUT_MESSAGES:
                    more["messages"] = self.messages
                if kind in ABOUT_MESSAGES | {RecipientsResolved}:
                    more["campaigns"] = self.campaigns
                await handle(of_kind, **ports, **more)

    async def follows(self, *events: CampaignEvent) -> None:
        """Hear what became of a campaign."""
        await follow_campaigns([seal(each) for each in events], campaigns=self.campaigns)

    async def listens(self, at: datetime) -> None:
        """Do what the worker for silence does."""
        await runs.give_alarms(
            at=at,
            patience=PATIENCE,
            runs=self.runs,
            campaigns=self.campaigns,
            outbox=self.outbox,
            watch=self.watch,
        )

    def told(self, kind: type[Event]) -> list[Any]:
        return [each for each in self.outbox.events if type(each) is kind]


def sealed(*events: Event) -> list[Envelope[Event]]:
    return [seal(each) for each in events]
