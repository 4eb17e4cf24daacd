"""A campaign's life, and the moment at which one of its runs is due."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.events.base import Event, Value
from contracts.personal import Personal


class Mode(StrEnum):
    """LIVE sends; TEST conducts the whole campaign and sends nothing (TM-6)."""

    LIVE = "LIVE"
    TEST = "TEST"


class CampaignStatus(StrEnum):
    """Where a campaign is in its life (TM-12)."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    COMPLETED = "completed"
    DELETED = "deleted"


class WriteTo(StrEnum):
    """Where iMIS keeps a text that was sent (TM-8)."""

    ACTIVITY = "activity"
    NOTHING = "nothing"


class Audience(Value):
    """Who gets the text: an IQA, and which of its columns mean what."""

    iqa_path: str
    phone_column: str
    id_column: str
    prompts: tuple[str, ...] = ()


class CampaignDefinition(Value):
    """What an author writes; a draft may lack anything but the name."""

    name: str
    email: Personal[str | None] = None
    audience: Audience | None = None
    columns: tuple[str, ...] = ()
    """The audience's columns when it was last read: the template's fields are checked by them."""
    template: str = ""
    mode: Mode = Mode.LIVE
    write_to: WriteTo = WriteTo.ACTIVITY
    from_number: str | None = None
    one_text_per_phone: bool = False


class CampaignEvent(Event):
    """A step in a campaign's life; it says the state that it results in."""

    topic: ClassVar[str] = "campaign.lifecycle"
    source: ClassVar[str] = "gateway"

    campaign_id: UUID
    status: CampaignStatus
    definition: CampaignDefinition
    launch: int = Field(default=0, ge=0)
    """How often the campaign was launched; `launch:<n>` is its occurrence."""
    due_at: AwareDatetime | None = None
    by: str = ""
    """The iMIS login of who did it, or the service that did."""

    @property
    def subject(self) -> UUID:
        """The campaign."""
        return self.campaign_id


class CampaignDrafted(CampaignEvent):
    """A new campaign exists, as a draft."""

    type: Literal["campaign.drafted.v1"] = "campaign.drafted.v1"


class CampaignEdited(CampaignEvent):
    """The author changed the campaign; a run that is due later uses what is new."""

    type: Literal["campaign.edited.v1"] = "campaign.edited.v1"


class CampaignScheduled(CampaignEvent):
    """The campaign is to run at `due_at`; a later schedule of the same launch replaces it."""

    type: Literal["campaign.scheduled.v1"] = "campaign.scheduled.v1"


class CampaignStarted(CampaignEvent):
    """A run of the campaign began."""

    type: Literal["campaign.started.v1"] = "campaign.started.v1"


class CampaignCompleted(CampaignEvent):
    """The run is over: each of its messages has an outcome, or the run failed as a whole."""

    type: Literal["campaign.completed.v1"] = "campaign.completed.v1"


class CampaignDeleted(CampaignEvent):
    """The campaign is gone before it ran."""

    type: Literal["campaign.deleted.v1"] = "campaign.deleted.v1"


class CampaignDue(Event):
    """A run begins; what it will use is frozen here, whatever changes afterwards."""

    topic: ClassVar[str] = "campaign.due"
    source: ClassVar[str] = "scheduler"

    type: Literal["campaign.due.v1"] = "campaign.due.v1"
    run_id: UUID
    campaign_id: UUID
    occurrence: str
    due_at: AwareDatetime
    name: str
    audience: Audience
    template: str
    mode: Mode
    write_to: WriteTo
    from_number: str
    one_text_per_phone: bool
    default_country: str

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id
