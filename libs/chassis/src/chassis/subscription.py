"""What a service listens to: topics, the types that it handles, those that it skips on purpose."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.store import Transaction
from contracts.envelope import Envelope
from contracts.events.base import Event

BatchHandler = Callable[[Transaction, list[Envelope[Any]]], Awaitable[None]]
"""Handles the events of one type of a batch, in one transaction with the rest of the batch."""


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
