"""The gateway's desk in memory."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tests.gateway.memory import (
    Answers,
    Attempts,
    Commands,
    Memory,
    Organizations,
    Queries,
    Sessions,
    Uploads,
)
from tests.gateway.memory_campaigns import Campaigns, Previews

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.base import Event


class MemoryDesk:
    """A desk whose transactions are copies that replace the original."""

    def __init__(self) -> None:
        self.memory = Memory()

    @asynccontextmanager
    async def read(self) -> AsyncIterator["MemoryWork"]:
        yield MemoryWork(self.memory)

    @asynccontextmanager
    async def work(self) -> AsyncIterator["MemoryWork"]:
        changed = Memory(**{k: copy.copy(v) for k, v in vars(self.memory).items()})
        yield MemoryWork(changed)
        self.memory = changed

    async def published(self) -> list[Event]:
        return [each.event for each in self.memory.published]


class MemoryWork:
    """One picture, or one transaction."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.organizations = Organizations(memory)
        self.sessions = Sessions(memory)
        self.attempts = Attempts(memory)
        self.campaigns = Campaigns(memory)
        self.previews = Previews(memory)
        self.answers = Answers(memory)
        self.commands = Commands(memory)
        self.queries = Queries(memory)
        self.uploads = Uploads(memory)
        self.outbox = self

    def publish(self, *events: Event, because: UUID | None = None) -> None:
        self._memory.published += [sealed(each, because=because) for each in events]

    def publish_sealed(self, envelope: Envelope[Event]) -> None:
        self._memory.published.append(envelope)
