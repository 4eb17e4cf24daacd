"""What the projections need of the outside: the tables of the read models."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from projections.domain.facts import RunFact
from projections.domain.figures import Figures
from projections.domain.row import Row
from projections.domain.states import State

Owner = tuple[UUID, UUID, UUID]
"""An organisation, one of its runs, and the run's campaign."""


class ReadModels(Protocol):
    """The tables, within one transaction."""

    async def hold(self, about: Mapping[UUID, Owner]) -> dict[UUID, Row]:
        """Return the messages' rows that are there, held for this transaction.

        What a row tells once and for all is left out: `keep` leaves it as it is.
        """

    async def keep(self, rows: Sequence[Row]) -> None:
        """Keep rows as they are now; what is told once and for all stays as it was first told."""

    async def add(self, figures: Figures) -> None:
        """Add to the figures."""

    async def keep_states(self, states: Sequence[State]) -> None:
        """Keep the newest state of each thing."""

    async def keep_runs(self, facts: Sequence[RunFact]) -> None:
        """Add to what is known of runs; state and alarm of the highest sequence stay."""

    async def mark(self, organizations: Collection[UUID]) -> None:
        """Let it be seen that something of these organisations changed."""

    async def mend(self, events: Sequence[UUID]) -> None:
        """Close the gaps that these events had left."""
