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


class ActivityUnknown(ActivityEvent):
    """Nobody can tell whether iMIS has it; it is never written again on a guess (X-10)."""

    type: Literal["activity.unknown.v1"] = "activity.unknown.v1"
    reason: str


class ActivityDeleted(ActivityEvent):
    """The activity is gone from iMIS: the member subscribed again (TM-21)."""

    type: Literal["activity.deleted.v1"] = "activity.deleted.v1"
    seqn: str


class ActivitiesHeld(Event):
    """Nothing is written to an organisation's iMIS, which doesn't take our account (X-20)."""

    topic: ClassVar[str] = "activities.held"
    source: ClassVar[str] = "imis-writer"

    type: Literal["activities.held.v1"] = "activities.held.v1"
    settings_sequence: int
    """The settings whose account was refused; newer ones let it go on."""
    reason: str

    @property
    def subject(self) -> UUID:
        """The organisation."""
        return self.organization_id


class ActivityRetryRequested(Event):
    """Staff want what iMIS refused to be tried again: one activity, or a run's (TM-8)."""

    topic: ClassVar[str] = "activity.commands"
    source: ClassVar[str] = "gateway"

    type: Literal["activity.retry-requested.v1"] = "activity.retry-requested.v1"
    run_id: UUID
    message_id: UUID | None = None
    """None: everything of the run that was refused."""
    by: str

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id
