"""A run's life."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.events.base import Event
from contracts.events.campaign import Mode, WriteTo


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


class RunAlarmRaised(RunEvent):
    """The run's ledger doesn't add up, or doesn't come to its end: someone has to look (X-2)."""

    type: Literal["run.alarm-raised.v1"] = "run.alarm-raised.v1"
    alarm: Literal["does_not_add_up", "stalled"]
    detail: str
    """What was expected and what was found, in figures."""


class RunResendRequested(Event):
    """Staff want what a run missed to be sent after all (X-2)."""

    topic: ClassVar[str] = "run.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["run.resend-requested.v1"] = "run.resend-requested.v1"
    run_id: UUID
    campaign_id: UUID
    by: str

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id


class RunResent(Event):
    """A new run stands in for the messages that an earlier one never got accepted."""

    topic: ClassVar[str] = "run.resent"
    source: ClassVar[str] = "sender"

    type: Literal["run.resent.v1"] = "run.resent.v1"
    run_id: UUID
    """The new run; derived from the earlier one and how often that was resent."""
    earlier_run_id: UUID
    campaign_id: UUID
    mode: Mode
    write_to: WriteTo
    from_number: str
    recipients: int = Field(ge=1)
    segments: int = Field(ge=1)
    by: str = ""

    @property
    def subject(self) -> UUID:
        """The new run."""
        return self.run_id
