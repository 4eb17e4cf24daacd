"""What every event has."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EVENT_CONFIG = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")


class Value(BaseModel):
    """A part of an event, without a life of its own."""

    model_config = EVENT_CONFIG


class Event(BaseModel):
    """A fact of the past, kept for ever; readers ignore fields that they don't know."""

    model_config = EVENT_CONFIG
    topic: ClassVar[str]
    source: ClassVar[str]

    type: str
    organization_id: UUID
    occurred_at: AwareDatetime
    sequence: int = Field(ge=0)
    """The number of this state in its source and subject; what is not newer changes nothing."""

    @property
    def subject(self) -> UUID:
        """The id of the thing that the event is about; it is the record's key too."""
        raise NotImplementedError

    @property
    def correlation_id(self) -> UUID | None:
        """The run that the event belongs to, if it belongs to one."""
        return getattr(self, "run_id", None)
