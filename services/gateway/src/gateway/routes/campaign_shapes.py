"""How campaigns look in requests and answers."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StrictBool, ValidationError

from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignEvent,
    CampaignStatus,
    Mode,
    WriteTo,
)
from gateway.domain.campaign import present_run
from gateway.domain.refusals import Unacceptable
from gateway.routes.organizations import Fields
from gateway.routes.problems import faults_of
from gateway.routes.texts import Email, LongText, Name, Number, Text

_AUTHORED = {"columns"}


class AudienceFields(Fields):
    """Who gets the text: an IQA, and which of its columns mean what."""

    iqa_path: Text = Field(min_length=1, examples=["$/Common/Queries/Text Manager/Members"])
    phone_column: Text = Field(default="", examples=["Mobile Phone"])
    id_column: Text = Field(default="", examples=["ID"])
    prompts: list[Text] = Field(default=[], max_length=50)


class CampaignFields(Fields):
    """What an author writes; a draft may lack anything but the name."""

    name: Name
    email: Email | None = None
    audience: AudienceFields | None = None
    template: LongText = Field(default="", examples=["Hello ${FullName}, your membership ends."])
    mode: Mode = Mode.LIVE
    write_to: WriteTo = WriteTo.ACTIVITY
    from_number: Number | None = None
    one_text_per_phone: StrictBool = False

    def definition(self) -> CampaignDefinition:
        """Return it as the events hold it; its columns are read later."""
        given = self.model_dump(exclude={"audience"})
        audience = None if self.audience is None else Audience(**self.audience.model_dump())
        return CampaignDefinition(audience=audience, **given)


class AudiencePatch(Fields):
    """A change of who gets the text."""

    iqa_path: Text | None = None
    phone_column: Text | None = None
    id_column: Text | None = None
    prompts: list[Text] | None = Field(default=None, max_length=50)


class CampaignPatch(Fields):
    """A merge patch (RFC 7396): what is left out stays, null goes back to the default."""

    name: Name | None = None
    email: Email | None = None
    audience: AudiencePatch | None = None
    template: LongText | None = None
    mode: Mode | None = None
    write_to: WriteTo | None = None
    from_number: Number | None = None
    one_text_per_phone: StrictBool | None = None

    def applied_to(self, definition: CampaignDefinition) -> CampaignDefinition:
        """Return the changed definition; raise when it isn't a campaign any more."""
        before = definition.model_dump(exclude=_AUTHORED, mode="json")
        merged = _merged(before, self.model_dump(exclude_unset=True, mode="json"))
        try:
            return CampaignFields.model_validate(merged).definition()
        except ValidationError as error:
            raise Unacceptable(faults_of(error.errors(include_input=False))) from error


def _merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            under = result.get(name)
            result[name] = _merged(under if isinstance(under, dict) else {}, value)
        else:
            result[name] = value
    return result


class AudienceView(BaseModel):
    """Who gets the text."""

    iqa_path: str
    phone_column: str
    id_column: str
    prompts: list[str]


class CampaignView(BaseModel):
    """A campaign as it is now."""

    campaign_id: UUID
    status: CampaignStatus
    name: str
    email: str | None
    audience: AudienceView | None
    columns: list[str]
    """The merge fields: the columns of the audience's query when it was last read."""
    template: str
    mode: Mode
    write_to: WriteTo
    from_number: str | None
    one_text_per_phone: bool
    due_at: AwareDatetime | None
    run_id: UUID | None
    """The run of its newest launch."""
    changed_at: AwareDatetime
    changed_by: str

    @classmethod
    def of(cls, campaign: CampaignEvent) -> "CampaignView":
        """Show a campaign."""
        shown: dict[str, Any] = campaign.definition.model_dump(mode="json")
        return cls(
            campaign_id=campaign.campaign_id,
            status=campaign.status,
            due_at=campaign.due_at,
            run_id=present_run(campaign),
            changed_at=campaign.occurred_at,
            changed_by=campaign.by,
            **shown,
        )


class CampaignList(BaseModel):
    """Some campaigns, the newest first."""

    items: list[CampaignView]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")
