"""Why some of a run's texts don't leave now, as staff are told of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.events.run import HeldBy
from sender.domain.messages import WAITING, State

COUNTED: Final = {
    HeldBy.DAY_LIMIT: (State.QUEUED,),
    HeldBy.RUN_LIMIT: (State.QUEUED,),
    HeldBy.QUIET_HOURS: (State.HELD,),
    HeldBy.CONFIGURATION: WAITING,
}
"""The states of the messages that a cause keeps back."""


@dataclass(frozen=True, slots=True, repr=False)
class Hold:
    """Something keeps a run's texts back; it is told once for a run, a cause and a mark."""

    organization_id: UUID
    from_number: str
    run_id: UUID
    campaign_id: UUID
    held_by: HeldBy
    mark: str = ""
    """The day, the limit, or the moment that makes it another hold than the one before."""
    until: datetime | None = None
    left_out: bool = False
    error_code: int | None = None
    from_row: int = 0
    """The first row of the run that is kept back."""
    counted: tuple[int, int] | None = None
    """How many messages and segments, if it isn't all that wait."""
    told_anyway: bool = False
    """Whether it is told although nothing of the run may be left."""
