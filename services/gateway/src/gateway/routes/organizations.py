"""`/v1/organizations` for operators, `/v1/organization` for staff."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    SendingNumber,
    TwilioAccess,
    Verification,
)
from contracts.ids import organization_id
from gateway.handlers import organizations as handlers
from gateway.ports import Seal
from gateway.routes.deps import Staff, The, only_operators
from gateway.routes.texts import (
    Country,
    Email,
    Name,
    Number,
    Secret,
    Text,
    WebAddress,
    WholeNumber,
    Zone,
)

router = APIRouter(tags=["organisations"])
_MANY = 1_000_000_000


class Fields(BaseModel):
    """A part of a request; what it doesn't know it refuses."""

    model_config = ConfigDict(extra="forbid")


class NumberFields(Fields):
    """A number to send from."""

    number: Number
    segments_per_second: float = Field(
        default=3.0, gt=0, le=1_000_000, allow_inf_nan=False, strict=True
    )
    verification: Verification = Verification.VERIFIED


class ImisFields(Fields):
    """The organisation's iMIS, and the account that runs use."""

    url: WebAddress
    version: Literal["ems", "2017"] = "ems"
    username: Name
    password: Secret
    category_column: Annotated[Text, Field(min_length=1, max_length=100)] = "CATEGORY"


class TwilioFields(Fields):
    """The organisation's Twilio account."""

    account_sid: Annotated[Text, Field(min_length=1, max_length=64)]
    auth_token: Secret


class OrganizationFields(Fields):
    """All that an operator can set for an organisation."""

    name: Name
    default_email: Email | None = None
    default_country: Country = "US"
    time_zone: Zone = "UTC"
    segments_per_run: WholeNumber = Field(default=10_000, ge=1, le=_MANY)
    segments_per_day: WholeNumber = Field(default=3_000, ge=1, le=_MANY)
    over_day_limit: Literal["hold", "leave_out"] = Field(
        default="hold",
        description="Texts over the day's limit wait for the next day, or are left out.",
    )
    opt_out_of: Literal["number", "organization"] = Field(
        default="number", description="Whether a STOP is about the number that it came to, or all."
    )
    write_test_runs: StrictBool = False
    numbers: list[NumberFields] = Field(default=[], max_length=100)
    imis: ImisFields
    twilio: TwilioFields

    @field_validator("numbers")
    @classmethod
    def _one_of_each(cls, numbers: list[NumberFields]) -> list[NumberFields]:
        if len({each.number for each in numbers}) != len(numbers):
            raise ValueError("must have each number once")
        return numbers

    def settings(self, cloud_id: str, seal: Seal) -> OrganizationSettings:
        """Return them as the events hold them, the secrets sealed."""
        return OrganizationSettings(
            name=self.name,
            cloud_id=cloud_id,
            default_email=self.default_email,
            default_country=self.default_country,
            time_zone=self.time_zone,
            segments_per_run=self.segments_per_run,
            segments_per_day=self.segments_per_day,
            over_day_limit=self.over_day_limit,
            opt_out_of=self.opt_out_of,
            write_test_runs=self.write_test_runs,
            numbers=tuple(SendingNumber(**each.model_dump()) for each in self.numbers),
            imis=ImisAccess(
                **self.imis.model_dump(exclude={"password"}),
                password_encrypted=seal.seal(self.imis.password),
            ),
            twilio=TwilioAccess(
                account_sid=self.twilio.account_sid,
                auth_token_encrypted=seal.seal(self.twilio.auth_token),
            ),
        )


class NumberView(BaseModel):
    """A number that the organisation sends from."""

    number: str
    segments_per_second: float
    verification: Verification


class ImisView(BaseModel):
    """The organisation's iMIS, without its password."""

    url: str
    version: str
    username: str
    category_column: str


class TwilioView(BaseModel):
    """The organisation's Twilio account, without its token."""

    account_sid: str


class OrganizationView(BaseModel):
    """An organisation's settings, without its secrets."""

    organization_id: UUID
    cloud_id: str
    name: str
    default_email: str | None
    default_country: str
    time_zone: str
    segments_per_run: int
    segments_per_day: int
    over_day_limit: Literal["hold", "leave_out"]
    opt_out_of: Literal["number", "organization"]
    write_test_runs: bool
    numbers: list[NumberView]
    imis: ImisView
    twilio: TwilioView

    @classmethod
    def of(cls, organization: UUID, settings: OrganizationSettings) -> "OrganizationView":
        """Show settings."""
        shown: dict[str, Any] = settings.model_dump(
            exclude={"imis": {"password_encrypted"}, "twilio": {"auth_token_encrypted"}}
        )
        return cls(organization_id=organization, **shown)


@router.put(
    "/v1/organizations/{cloud_id}",
    summary="Create an organisation, or replace its settings",
    dependencies=[Depends(only_operators)],
    responses={201: {"model": OrganizationView, "description": "The organisation is new"}},
)
async def put_organization(
    cloud_id: Annotated[Name, Path(max_length=100, examples=["DEMO"])],
    fields: OrganizationFields,
    gateway: The,
    response: Response,
) -> OrganizationView:
    """For operators. The secrets are kept encrypted and never shown again."""
    organization = organization_id(cloud_id)
    changed, new = await handlers.change_settings(
        organization,
        fields.settings(cloud_id, gateway.seal),
        desk=gateway.desk,
        seal=gateway.seal,
        clock=gateway.clock,
    )
    response.status_code = 201 if new else 200
    return OrganizationView.of(organization, changed.settings)


@router.get("/v1/organization", summary="Your organisation's settings")
async def get_organization(gateway: The, staff: Staff) -> OrganizationView:
    """Everything but the secrets."""
    async with gateway.desk.read() as reading:
        settings = await handlers.settings_of(staff.organization_id, reading=reading)
    return OrganizationView.of(staff.organization_id, settings)
