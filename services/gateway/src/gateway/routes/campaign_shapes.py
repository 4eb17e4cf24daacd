"""How campaigns look in requests."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignKind,
    Missed,
    Mode,
    Purpose,
    Recurrence,
    WriteTo,
)
from gateway.domain.refusals import Unacceptable
from gateway.routes.organization_shapes import Fields
from gateway.routes.patches import merged
from gateway.routes.problems import faults_of
from gateway.routes.texts import Email, LongText, Name, Number, Subject, Text, Zone

_NOT_AUTHORED = {"columns"}
_YEARS = range(2000, 3000)


def _from_text(value: Any) -> Any:
    if isinstance(value, str | datetime):
        return value
    raise ValueError('must be a local time such as "2027-01-31T08:10:00"')


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise ValueError("must have no offset: it is the time zone's local time")
    if moment.year not in _YEARS:
        raise ValueError("must be a time of this millennium")
    return moment.replace(microsecond=0)


LocalTime = Annotated[
    datetime,
    BeforeValidator(_from_text),
    AfterValidator(_local),
    Field(
        examples=["2027-01-31T08:10:00"],
        json_schema_extra={
            "format": "local-date-time",
            "pattern": r"^2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$",
        },
    ),
]
Answers = Annotated[dict[Text, Text], Field(max_length=50, examples=[{"City": "Boston"}])]
Prompts = Annotated[list[Text], Field(max_length=50)]


class AudienceFields(Fields):
    """Who gets the text: an IQA or an uploaded list, and which of its columns mean what."""

    upload_id: UUID | None = None
    iqa_path: Text = Field(default="", examples=["$/Common/Queries/Text Manager/Members"])
    phone_column: Text = Field(default="", examples=["Mobile Phone"])
    id_column: Text = Field(default="", examples=["ID"])
    zone_column: Text = Field(default="", description="Holds each member's own time zone.")
    prompts: Prompts = Field(default=[], description="The prompts' values in their order.")
    answers: Answers = Field(default={}, description="The same by the prompts' names.")

    @field_validator("iqa_path")
    @classmethod
    def _one_or_the_other(cls, iqa_path: str, info: ValidationInfo) -> str:
        if iqa_path and info.data.get("upload_id"):
            raise ValueError("name an IQA or an uploaded list (upload_id), and not both")
        return iqa_path


class RecurrenceFields(Fields):
    """When a recurring campaign runs: an RRULE of RFC 5545 in a time zone's local time."""

    rule: Text = Field(examples=["FREQ=MONTHLY;BYMONTHDAY=2"])
    starts: LocalTime
    time_zone: Zone = "UTC"

    def recurrence(self) -> Recurrence:
        """Return it as the events hold it."""
        return Recurrence(rule=self.rule, starts=self.starts, time_zone=self.time_zone)


class CampaignRecurrenceFields(Fields):
    """A campaign's recurrence, and what becomes of times that were missed; a draft's may lack."""

    rule: Text = Field(default="", examples=["FREQ=MONTHLY;BYMONTHDAY=2"])
    starts: LocalTime | None = None
    time_zone: Zone = "UTC"
    missed: Missed = Missed.RUN_ONCE


class CampaignFields(Fields):
    """What an author writes; a draft may lack anything but the name."""

    name: Name
    email: Email | None = None
    audience: AudienceFields | None = None
    template: LongText = Field(default="", examples=["Hello ${FullName}, your membership ends."])
    mode: Mode = Mode.LIVE
    write_to: WriteTo = WriteTo.ACTIVITY
    log_subject: Subject = ""
    from_number: Number | None = None
    one_text_per_phone: StrictBool = False
    kind: CampaignKind = CampaignKind.ONE_TIME
    purpose: Purpose = Purpose.INFORMATIONAL
    recurrence: CampaignRecurrenceFields | None = None
    report_late_changes: StrictBool = False
    accept_empty: StrictBool = False

    def definition(self) -> CampaignDefinition:
        """Return it as the events hold it; its columns are read later."""
        given = self.model_dump(exclude={"audience", "recurrence"})
        audience = None if self.audience is None else Audience(**self.audience.model_dump())
        recurrence = None if self.recurrence is None else Recurrence(**self.recurrence.model_dump())
        return CampaignDefinition(audience=audience, recurrence=recurrence, **given)


class AudiencePatch(Fields):
    """A change of who gets the text."""

    iqa_path: Text | None = None
    upload_id: UUID | None = None
    phone_column: Text | None = None
    id_column: Text | None = None
    zone_column: Text | None = None
    prompts: Prompts | None = None
    answers: dict[Text, Text | None] | None = Field(default=None, max_length=50)


class RecurrencePatch(Fields):
    """A change of when a campaign runs."""

    rule: Text | None = None
    starts: LocalTime | None = None
    time_zone: Zone | None = None
    missed: Missed | None = None


class CampaignPatch(Fields):
    """A merge patch (RFC 7396): what is left out stays, null goes back to the default."""

    name: Name | None = None
    email: Email | None = None
    audience: AudiencePatch | None = None
    template: LongText | None = None
    mode: Mode | None = None
    write_to: WriteTo | None = None
    log_subject: Subject | None = None
    from_number: Number | None = None
    one_text_per_phone: StrictBool | None = None
    kind: CampaignKind | None = None
    purpose: Purpose | None = None
    recurrence: RecurrencePatch | None = None
    report_late_changes: StrictBool | None = None
    accept_empty: StrictBool | None = None

    def applied_to(self, definition: CampaignDefinition) -> CampaignDefinition:
        """Return the changed definition; raise when it isn't a campaign any more."""
        before = definition.model_dump(exclude=_NOT_AUTHORED, mode="json")
        after = merged(before, self.model_dump(exclude_unset=True, mode="json"))
        given = set() if self.audience is None else self.audience.model_fields_set
        # The query's values are given by name or in order: the one replaces the other.
        for new, old in (("prompts", "answers"), ("answers", "prompts")):
            if new in given and old not in given:
                after["audience"].pop(old, None)
        try:
            return CampaignFields.model_validate(after).definition()
        except ValidationError as error:
            raise Unacceptable(faults_of(error.errors(include_input=False))) from error
