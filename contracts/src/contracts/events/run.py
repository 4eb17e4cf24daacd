"""A run's life."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

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


class RunAlarm(StrEnum):
    """Why somebody has to look at a run."""

    DOES_NOT_ADD_UP = "does_not_add_up"
    """More or other rows were accounted for than there are (X-2)."""
    STALLED = "stalled"
    ERROR_SPIKE = "error_spike"
    """One error came so often among the newest outcomes that the campaign is paused (X-7)."""
    AUDIENCE_EMPTY = "audience_empty"
    """A recurring campaign's query returned no row (X-20)."""
    AUDIENCE_SHRANK = "audience_shrank"
    """It returned far fewer rows than the last time (X-20)."""


class RunAlarmRaised(RunEvent):
    """Someone has to look at the run; each alarm is raised once a run, or once a resume."""

    type: Literal["run.alarm-raised.v1"] = "run.alarm-raised.v1"
    alarm: RunAlarm
    detail: str
    """What was expected and what was found, in figures."""
    error_code: int | None = None
    advice: str = ""
    """What staff should do, in a sentence."""


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


class RunCancelRequested(Event):
    """Staff want what a run has not sent yet never to be sent; its campaign goes on (X-6)."""

    topic: ClassVar[str] = "run.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["run.cancel-requested.v1"] = "run.cancel-requested.v1"
    run_id: UUID
    campaign_id: UUID
    by: str

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id


class HeldBy(StrEnum):
    """What keeps texts back that are not lost: they leave later, or staff decide."""

    DAY_LIMIT = "day_limit"
    RUN_LIMIT = "run_limit"
    """Not held but left out: the campaign's limit is used up (TM-15)."""
    QUIET_HOURS = "quiet_hours"
    CONFIGURATION = "configuration"
    """Twilio refused for a cause that every further text would meet; the run stops by itself."""


class RunHeld(Event):
    """Some of a run's texts don't leave now; told once for a run, a cause and a day."""

    topic: ClassVar[str] = "run.held"
    source: ClassVar[str] = "sender"

    type: Literal["run.held.v1"] = "run.held.v1"
    run_id: UUID
    campaign_id: UUID
    held_by: HeldBy
    messages: int = Field(ge=0)
    segments: int = Field(ge=0)
    left_out: bool = False
    """Whether they were left out for good."""
    until: AwareDatetime | None = None
    """When the first of them may leave, if that is known."""
    error_code: int | None = None

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
