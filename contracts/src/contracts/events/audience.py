"""What became of a run's rows, and previews of what would become of them."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.events.base import Event, Value
from contracts.events.campaign import Audience, Mode, Purpose, WriteTo
from contracts.personal import Personal


class Reason(StrEnum):
    """Why a row that the IQA returned gets no text."""

    NO_NUMBER = "no_number"
    INVALID_NUMBER = "invalid_number"
    REPEATED_ROW = "repeated_row"
    SHARED_PHONE = "shared_phone"
    NO_MEMBER_ID = "no_member_id"
    TEXT_TOO_LONG = "text_too_long"
    EMPTY_TEXT = "empty_text"
    OVER_RUN_LIMIT = "over_run_limit"
    OVER_DAY_LIMIT = "over_day_limit"
    OPTED_OUT = "opted_out"
    GIVEN_UP = "given_up"
    LANDLINE = "landline"
    CANCELLED = "cancelled"
    NO_SENDER = "no_sender"


class Recipient(Value):
    """One text to be sent: to whom, and what."""

    recipient_id: UUID
    message_id: UUID
    row: int
    imis_id: str
    to: Personal[str]
    text: Personal[str]
    segments: int = Field(ge=1)
    zone: str = ""
    """The member's own time zone where the row says one; an IANA name."""


class Totals(Value):
    """What the run's pages add up to; consumers check what they took by it."""

    rows: int
    recipients: int
    rejected: int
    segments: int
    rows_last_time: int | None = None
    """How many rows the campaign's run before this one had."""


class RunFact(Event):
    """A fact about a run's audience."""

    source: ClassVar[str] = "audience"
    run_id: UUID
    campaign_id: UUID

    @property
    def subject(self) -> UUID:
        """The run."""
        return self.run_id


class RecipientsResolved(RunFact):
    """A page of the run's recipients with their texts; the last page has the totals."""

    topic: ClassVar[str] = "recipients.resolved"

    type: Literal["recipients.resolved.v1"] = "recipients.resolved.v1"
    mode: Mode
    write_to: WriteTo
    from_number: str
    name: str = ""
    occurrence: str = ""
    purpose: Purpose = Purpose.INFORMATIONAL
    log_subject: str = ""
    recipients: tuple[Recipient, ...]
    totals: Totals | None = None


class AudienceFailed(RunFact):
    """The run's audience can't be had, and trying again would not help."""

    topic: ClassVar[str] = "recipients.resolved"

    type: Literal["audience.failed.v1"] = "audience.failed.v1"
    reason: str
    """What went wrong and how to mend it, for staff to read."""


class AudienceAwaited(RunFact):
    """The run waits for the organisation's iMIS, which doesn't take our account (X-20)."""

    topic: ClassVar[str] = "audience.awaited"

    type: Literal["audience.awaited.v1"] = "audience.awaited.v1"
    settings_sequence: int
    """The settings whose account was refused; newer ones let the run go on."""
    reason: str
    """What went wrong and how to mend it, for staff to read."""


class RecipientRejected(RunFact):
    """A row gets no text, and why; its number is kept as iMIS gave it."""

    topic: ClassVar[str] = "recipient.rejected"

    type: Literal["recipient.rejected.v1"] = "recipient.rejected.v1"
    recipient_id: UUID
    row: int
    imis_id: str
    phone: Personal[str]
    reason: Reason
    same_as_imis_id: str = ""
    """Of a shared phone or a repeated row: the member whose text stands for this one."""

    @property
    def subject(self) -> UUID:
        """The recipient."""
        return self.recipient_id


class AudiencePreviewRequested(Event):
    """Somebody asks who would get a campaign's text, and what it takes (TM-10)."""

    topic: ClassVar[str] = "audience.preview-requested"
    source: ClassVar[str] = "gateway"

    type: Literal["audience.preview-requested.v1"] = "audience.preview-requested.v1"
    preview_id: UUID
    campaign_id: UUID
    audience: Audience
    template: str
    from_number: str
    one_text_per_phone: bool
    default_country: str
    locale: str = "en-US"
    leave_out_landlines: bool = False

    @property
    def subject(self) -> UUID:
        """The preview."""
        return self.preview_id


class Sample(Value):
    """What one member would get."""

    row: int
    imis_id: str
    to: Personal[str]
    text: Personal[str]
    segments: int = Field(ge=1)


class AudiencePreviewProgressed(Event):
    """How far a preview has come."""

    topic: ClassVar[str] = "audience.previewed"
    source: ClassVar[str] = "audience"

    type: Literal["audience.preview-progressed.v1"] = "audience.preview-progressed.v1"
    preview_id: UUID
    rows_read: int
    rows_expected: int | None = None

    @property
    def subject(self) -> UUID:
        """The preview."""
        return self.preview_id


class AudiencePreviewed(Event):
    """Who would get the text if the campaign ran now; nothing is kept of the rows."""

    topic: ClassVar[str] = "audience.previewed"
    source: ClassVar[str] = "audience"

    type: Literal["audience.previewed.v1"] = "audience.previewed.v1"
    preview_id: UUID
    campaign_id: UUID
    contacts_returned: int = 0
    recipients: int = 0
    excluded: dict[Reason, int] = Field(default_factory=dict)
    segments: int = 0
    messages_by_segments: dict[int, int] = Field(default_factory=dict)
    lacking_values: int = 0
    """How many texts lack a merge value that the row left empty."""
    ucs2_messages: int = 0
    lacking_by_field: dict[str, int] = Field(default_factory=dict)
    ucs2_characters: dict[str, int] = Field(default_factory=dict)
    """Which characters cost a text its GSM-7 encoding, and in how many texts; the most frequent."""
    segments_by_place: dict[str, int] = Field(default_factory=dict)
    """Segments by where the member is, as the quiet hours tell places apart."""
    messages_by_place: dict[str, int] = Field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    failure: str | None = None
    """What went wrong and how to mend it; the counts are zero then."""

    @property
    def subject(self) -> UUID:
        """The preview."""
        return self.preview_id


class AudienceRowsUploaded(Event):
    """A part of a list that staff uploaded instead of choosing an IQA (X-11)."""

    topic: ClassVar[str] = "audience.uploads"
    source: ClassVar[str] = "gateway"

    type: Literal["audience.rows-uploaded.v1"] = "audience.rows-uploaded.v1"
    upload_id: UUID
    part: int = Field(ge=0)
    first_row: int = Field(ge=0)
    columns: tuple[str, ...]
    lines: Personal[tuple[tuple[str, ...], ...]]
    """Each line's values, in the order of the columns."""
    rows_in_all: int | None = None
    """Told by the last part."""

    @property
    def subject(self) -> UUID:
        """The upload."""
        return self.upload_id
