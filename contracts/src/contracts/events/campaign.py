"""A campaign's life, and the moment at which one of its runs is due."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, NaiveDatetime

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
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"
    DELETED = "deleted"


class CampaignKind(StrEnum):
    """Whether a campaign runs once, or again and again."""

    ONE_TIME = "one_time"
    RECURRING = "recurring"


class Purpose(StrEnum):
    """What a text is for; promotional ones keep quiet hours (X-4)."""

    INFORMATIONAL = "informational"
    PROMOTIONAL = "promotional"


class Missed(StrEnum):
    """What becomes of occurrences whose time passed while nobody could start them (X-5)."""

    RUN_ONCE = "run_once"
    """The newest one runs, late; those before it are skipped."""
    SKIP = "skip"
    RUN_ALL = "run_all"


class Recurrence(Value):
    """When a recurring campaign runs (TM-9, X-5)."""

    rule: str
    """An RRULE of RFC 5545, such as `FREQ=MONTHLY;BYMONTHDAY=-1`, with COUNT or UNTIL if it ends.

    UNTIL is local time, as `starts` is.
    """
    starts: NaiveDatetime | None = None
    """DTSTART, in the time zone's local time; a draft may lack it, and have a blank rule."""
    time_zone: str = "UTC"
    missed: Missed = Missed.RUN_ONCE


class WriteTo(StrEnum):
    """Where iMIS keeps a text that was sent (TM-8)."""

    ACTIVITY = "activity"
    COMMUNICATION_LOG = "communication_log"
    NOTHING = "nothing"


class Audience(Value):
    """Who gets the text: an IQA or an uploaded list, and which of its columns mean what."""

    iqa_path: str
    """Empty when the audience is an uploaded list."""
    phone_column: str
    id_column: str
    prompts: tuple[str, ...] = ()
    """The query's prompts' values, in the order in which it asks for them."""
    answers: dict[str, str] = Field(default_factory=dict)
    """The same by the prompts' names; a run fails when the query asks otherwise than this."""
    zone_column: str = ""
    """The column with the member's own time zone, if there is one; an IANA name."""
    upload_id: UUID | None = None


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
    kind: CampaignKind = CampaignKind.ONE_TIME
    purpose: Purpose = Purpose.INFORMATIONAL
    recurrence: Recurrence | None = None
    log_subject: str = ""
    """The subject of the entries in the Communication Log."""
    report_late_changes: bool = False
    """Whether the report is mailed once more when late statuses changed it (TM-4)."""
    accept_empty: bool = False
    """Whether the author wants it scheduled although the audience is empty."""


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
    reason: str = ""
    """Why, for staff to read; of a pause that nobody asked for, the error and what to do."""
    returns_to: CampaignStatus | None = None
    """What a paused campaign resumes to, and what an archived one is brought back to."""
    under_way: tuple[UUID, ...] = ()
    """The runs that began and are not over."""

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
    """The campaign is gone; a recurring one runs no more."""

    type: Literal["campaign.deleted.v1"] = "campaign.deleted.v1"
    cancels_runs: bool = False
    """Whether what its runs have not sent yet is cancelled, or they go on to their end."""


class CampaignPaused(CampaignEvent):
    """Nothing of the campaign leaves until it is resumed; what is under way at Twilio goes on."""

    type: Literal["campaign.paused.v1"] = "campaign.paused.v1"


class CampaignResumed(CampaignEvent):
    """The campaign goes on where it was."""

    type: Literal["campaign.resumed.v1"] = "campaign.resumed.v1"


class CampaignCancelled(CampaignEvent):
    """What was not sent yet is never sent, and a recurring campaign runs no more."""

    type: Literal["campaign.cancelled.v1"] = "campaign.cancelled.v1"


class CampaignArchived(CampaignEvent):
    """The campaign is put away."""

    type: Literal["campaign.archived.v1"] = "campaign.archived.v1"


class CampaignRestored(CampaignEvent):
    """The campaign is brought back from the archive."""

    type: Literal["campaign.restored.v1"] = "campaign.restored.v1"


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
    kind: CampaignKind = CampaignKind.ONE_TIME
    purpose: Purpose = Purpose.INFORMATIONAL
    log_subject: str = ""
    locale: str = "en-US"
    leave_out_landlines: bool = False
    accept_empty: bool = False

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id


class OccurrencesSkipped(Event):
    """A recurring campaign's times passed unused, as its author chose (X-5)."""

    topic: ClassVar[str] = "campaign.due"
    source: ClassVar[str] = "scheduler"

    type: Literal["campaign.occurrences-skipped.v1"] = "campaign.occurrences-skipped.v1"
    campaign_id: UUID
    first: AwareDatetime
    last: AwareDatetime
    occurrences: int = Field(ge=1)

    @property
    def subject(self) -> UUID:
        """The campaign."""
        return self.campaign_id
