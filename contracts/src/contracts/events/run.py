"""A run's life."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.events.base import Event


class RunEvent(Event):
    """A step in a run's life."""

    topic: ClassVar[str] = "run.lifecycle"
    source: ClassVar[str] = "status"

    run_id: UUID
    campaign_id: UUID

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id


class RunStarted(RunEvent):
    """The first page of the run's recipients is known."""

    type: Literal["run.started.v1"] = "run.started.v1"


class RunCompleted(RunEvent):
    """Each message of the run has an outcome; a text's delivery may still be reported later."""

    type: Literal["run.completed.v1"] = "run.completed.v1"
    rows: int
    messages: int
    rejected: int
    excluded: int


class RunFailed(RunEvent):
    """The run could not be conducted; nothing was sent."""

    type: Literal["run.failed.v1"] = "run.failed.v1"
    reason: str
