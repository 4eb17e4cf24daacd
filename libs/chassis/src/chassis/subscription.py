"""What a service listens to: topics, the types that it handles, those that it skips on purpose."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from chassis.store import Transaction
from contracts.envelope import Envelope
from contracts.events.base import Event

BatchHandler = Callable[[Transaction, list[Envelope[Any]]], Awaitable[None]]
"""Handles the events of one type of a batch, in one transaction with the rest of the batch."""


class Taken(NamedTuple):
    """A record that a transaction is done with: where it stands in the log."""

    topic: str
    """As the broker names it, prefix included."""
    partition: int
    offset: int
    given_up: str = ""
    """Why it is among the dead letters; empty: it was handled."""
    event_id: UUID | None = None
    """The event's, as far as a record that was given up tells it."""


Bookkeeping = Callable[[Transaction, Sequence[Taken]], Awaitable[None]]
"""Notes, in the transaction itself, which records it is done with."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One consumer group: its name, its topics, and what becomes of each type."""

    name: str
    topics: tuple[str, ...]
    handlers: Mapping[type[Event], BatchHandler]
    skips: frozenset[type[Event]] = field(default_factory=frozenset)
    max_records: int = 500
    after_commit: Callable[[], None] | None = None
    """Wakes whoever waits for what the batch changed."""
    together: BatchHandler | None = None
    """Handles all events of a batch at once, in their order, in place of the handlers by type."""
    bookkeeping: Bookkeeping | None = None
    group: str = ""
    """The consumer group, where it isn't named as the subscription is."""
