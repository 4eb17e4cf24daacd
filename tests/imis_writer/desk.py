"""An organisation's writer with everything around it."""

from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from tests.imis_writer.doubles import Clock, FakeImis, FakeOrganizations
from tests.imis_writer.facts import ORGANIZATION, organization, queued, status
from tests.imis_writer.kept import Kept

from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.campaign import Mode
from contracts.events.consent import ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    RecipientExcluded,
)
from imis_writer import handlers
from imis_writer.domain.effects import About
from imis_writer.settings import ImisWriterSettings
from imis_writer.writing import OrganizationWriter

E = TypeVar("E", bound=Event)
OWN = ImisWriterSettings()


@dataclass
class Desk:
    """An organisation's writer with everything around it."""

    kept: Kept
    imis: FakeImis = field(default_factory=FakeImis)
    organizations: FakeOrganizations = field(default_factory=FakeOrganizations)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.organizations.known[ORGANIZATION] = organization()
        self.clock.passes(1)
        self.writer = OrganizationWriter(
            ORGANIZATION,
            ledger=self.kept,
            sites=self.imis,
            organizations=self.organizations,
            settings=OWN,
            clock=self.clock,
        )

    async def save(self, sequence: int = 1, **settings: Any) -> None:
        """Save the organisation's settings."""
        saved = organization(sequence=sequence, settings=settings)
        self.organizations.known[ORGANIZATION] = saved
        await self.kept.know(saved)

    async def texts(self, count: int = 1, mode: Mode = Mode.LIVE, **more: Any) -> list[UUID]:
        """Let texts be sent."""
        await self.kept.know(self.organizations.known.get(ORGANIZATION) or organization())
        given = [{"imis_id": str(number)} | more for number in range(count)]
        messages = [queued(mode=mode, **each) for each in given]
        success = MessageStatus.SENT if mode is Mode.LIVE else MessageStatus.SIMULATED
        ids = [each.event.message_id for each in messages]
        await handlers.know_messages(messages, intake=self.kept)
        told = [status(each, success, mode=mode) for each in ids]
        await handlers.follow_statuses(told, intake=self.kept)
        return ids

    async def work(self) -> None:
        while await self.writer.step():
            pass

    async def work_on(self, rounds: int = 6) -> None:
        """Work until nothing that waits for its time is left."""
        for _ in range(rounds):
            await self.work()
            self.clock.passes(400)
        await self.work()

    async def states(self, ids: list[UUID], about: About = About.TEXT) -> list[str | None]:
        return [await self.kept.state(each, about) for each in ids]

    async def told(self, kind: type[E]) -> list[E]:
        """Return the events of a type that were published."""
        return [each for each in await self.kept.published() if isinstance(each, kind)]


async def take(kept: Kept, *facts: Envelope[Any]) -> None:
    """Let facts come one by one."""
    for each in facts:
        match each.event:
            case MessageQueued():
                await handlers.know_messages([each], intake=kept)
            case MessageStatusChanged():
                await handlers.follow_statuses([each], intake=kept)
            case RecipientExcluded():
                await handlers.know_excluded([each], intake=kept)
            case ConsentChanged():
                await handlers.follow_consents([each], intake=kept)
