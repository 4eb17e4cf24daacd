"""What was written to iMIS about a message."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.events.base import Event


class ActivityEvent(Event):
    """A fact about one effect in iMIS; its id derives from the message and the kind."""

    topic: ClassVar[str] = "activity.written"
    source: ClassVar[str] = "imis-writer"

    effect_id: UUID
    run_id: UUID
    campaign_id: UUID
    message_id: UUID
    kind: str
    imis_id: str

    @property
    def subject(self) -> UUID:
        """The message."""
        return self.message_id


class ActivityWritten(ActivityEvent):
    """iMIS holds the activity, under this SEQN."""

    type: Literal["activity.written.v1"] = "activity.written.v1"
    seqn: str
    transaction_date: AwareDatetime


class ActivityRefused(ActivityEvent):
    """iMIS refused the activity, and trying again as it is would not help."""

    type: Literal["activity.refused.v1"] = "activity.refused.v1"
    reason: str
